"""Where: intervals, named regions, and the integer pixel windows that they stand for."""
