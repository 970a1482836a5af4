"""Numbers in, numbers out: arrays with more or fewer samples over the same extent. Knows no names and no metadata."""
