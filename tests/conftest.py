"""Settings that every test shares: Hypothesis profiles and where the data lies.

`HYPOTHESIS_PROFILE=long` is the profile for a night or a release: 100,000 examples over all properties.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

# A proof that takes the examples of "long" divides them among the properties of test_differential.py.
PROPERTIES = 11
TOO_EAGER = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
    HealthCheck.filter_too_much,
]

settings.register_profile("dev", max_examples=100, deadline=None, suppress_health_check=TOO_EAGER)
settings.register_profile("ci", max_examples=300, deadline=None, suppress_health_check=TOO_EAGER, derandomize=True)
settings.register_profile(
    "long",
    max_examples=100_000 // PROPERTIES,
    deadline=None,
    suppress_health_check=TOO_EAGER,
    # Without the explain phase: it repeats a failing example many times to say which part of it matters.
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session", params=["core", "reference"])
def mapper(request: pytest.FixtureRequest) -> str:
    """The name of a mapper in `mappers.MAPPERS`; a test that takes it is a proof about both."""
    return str(request.param)
