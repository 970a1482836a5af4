"""Pixels with names: lattice coordinates, and the verbs that cut, paste, mask and zoom labelled arrays."""
