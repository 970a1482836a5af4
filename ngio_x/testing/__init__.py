"""For users' own tests: samples, assertions, and hypothesis strategies for what ngio_x works on (extra `testing`).

`ngio_x.testing.samples` and `ngio_x.testing.assertions` need nothing that ngio_x does not; `ngio_x.testing.strategies`
needs hypothesis.
"""
