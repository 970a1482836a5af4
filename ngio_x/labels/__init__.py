"""Segmentations: where each object of a label image is."""
