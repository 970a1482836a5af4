"""Tables of regions beside an image, as ngio and Fractal store them (version 1 of their specification)."""
