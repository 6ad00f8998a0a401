"""For all tests: Hypothesis measures no time, since a test that is slow beside other work is not wrong."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("outpost", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("outpost")
