"""For all tests: Hypothesis measures no time, garbage is what tests leave, Ctrl-C works."""

from __future__ import annotations

import gc
import signal

from hypothesis import HealthCheck, settings

# A test that is slow beside other work is not wrong.
settings.register_profile("outpost", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("outpost")


def pytest_configure() -> None:
    """Let what tests start hear Ctrl-C: a shell's background job ignores it, and hands that down."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Take what lives for the whole run out of the garbage collector's sight: one look at it takes 0.5 s."""
    gc.collect()
    gc.freeze()
