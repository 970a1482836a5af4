"""What the image is, on paper: axes, units, pixel sizes, levels and shapes, as frozen values without pixels."""
