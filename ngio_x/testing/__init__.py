"""For users' own tests: strategies (extra `testing`), assertions with readable differences, and seeded samples."""
