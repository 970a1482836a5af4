"""Hypothesis profiles: choose one with `HYPOTHESIS_PROFILE=nightly python -m pytest property_tests`."""

import os

from hypothesis import HealthCheck, settings

# Never a deadline: no test depends on a time.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("fast", max_examples=20, **_COMMON)
settings.register_profile("ci", max_examples=20, derandomize=True, **_COMMON)
settings.register_profile("nightly", max_examples=500, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))
