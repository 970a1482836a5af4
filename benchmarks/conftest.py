"""Sizes: small when benchmarks run as plain tests, full when they measure."""

import pytest


@pytest.fixture
def measuring(request):
    """Whether figures are wanted (`--benchmark-enable`), or just that the code runs."""
    return request.config.getoption("benchmark_enable")
