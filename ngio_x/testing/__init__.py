"""For users' own tests: hypothesis strategies for the values and arrays of ngio_x (extra `testing`)."""
