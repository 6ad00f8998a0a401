"""The fan-out bench in small."""

from __future__ import annotations

import os
import time

import pytest

from bench import fan_server, fan_stalled, fanout
from bench.fan_server import HUB


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fan_server, "SETTLE_S", 0.2)
    monkeypatch.setattr(fan_server, "ALONE_S", 0.2)


def test_cpu_time_is_the_processs_own() -> None:
    before = time.process_time()
    found = fan_server._cpu_s(os.getpid())
    assert before <= found <= time.process_time()


@pytest.mark.slow
def test_a_shape_has_what_is_delivered_and_what_publishing_takes_alone() -> None:
    found = fanout._shape(HUB, 4, 50, 1)
    assert found.per_s > 0
    assert min(found.cpu_ns, found.alone_ns) > 0


@pytest.mark.slow
def test_a_stalled_client_is_one_whose_buffers_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("CLIENTS", 2), ("RATE", 16_000), ("RUN_S", 2), ("FILL_S", 0.2)):
        monkeypatch.setattr(fan_stalled, name, value)
    found = {figure.what: figure.value for figure in fan_stalled.measure()}
    assert found["one of 101 stalled, hub, samples dropped for it"] > 0
