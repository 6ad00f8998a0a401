"""For all tests: Hypothesis measures no time, and collecting garbage looks only at what tests leave."""

from __future__ import annotations

import gc

from hypothesis import HealthCheck, settings

# A test that is slow beside other work is not wrong.
settings.register_profile("outpost", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("outpost")


def pytest_collection_finish() -> None:
    """Take what lives for the whole run out of the garbage collector's sight: one look at it takes 0.5 s."""
    gc.collect()
    gc.freeze()
