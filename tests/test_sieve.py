"""Deadbands and least intervals: what is kept from the store, and what never is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.config import parse
from hub.health import Health
from hub.model import Quality, Reading, Value
from hub.store.lifetime.policy import Policy
from hub.store.lifetime.sieve import Sifting
from hub.store.settings import StoreSettings
from hub.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from hub.store.writing.intake import Acked

T = 1_790_000_000_000
SECOND = 1000


def policy(keys: str) -> Policy:
    config = parse(f'[[retention.rule]]\nmetric = "m"\n{keys}', "outpost.toml")
    return Policy(config.retention, config.tags)


def reading(
    at_s: float, value: Value, quality: Quality = Quality.GOOD, seq: int | None = None, metric: str = "m"
) -> Reading:
    time_ms = T + int(at_s * SECOND)
    return Reading(
        device="d",
        metrics=(metric,),
        values=(value,),
        source_time_ms=time_ms,
        hub_time_ms=time_ms + 5,
        quality=quality,
        boot_id=None if seq is None else "b",
        seq=seq,
    )


def kept(keys: str, readings: list[Reading]) -> list[tuple[float, Value]]:
    """Return (second, value) of what is stored, in order of time."""
    sifting = Sifting(policy(keys))
    found = [one for reading in readings for one in sifting.sift(reading)] + sifting.flush()
    pairs = [((one.source_time_ms - T) / SECOND, one.values[0]) for one in found if one.values]
    assert sifting.suppressed == len(readings) - len(pairs)
    return sorted(pairs, key=lambda pair: pair[0])


def test_within_the_deadband_only_the_ends_of_what_held_are_stored() -> None:
    values = [20.0, 20.1, 19.9, 20.2, 25.0, 25.1]
    got = kept("deadband = 0.5", [reading(at, value) for at, value in enumerate(values)])
    assert got == [(0, 20.0), (3, 20.2), (4, 25.0), (5, 25.1)]


def test_a_deadband_of_zero_stores_changes_alone() -> None:
    values: list[Value] = ["open", "open", "open", "shut", "shut"]
    got = kept("deadband = 0.0", [reading(at, value) for at, value in enumerate(values)])
    assert got == [(0, "open"), (2, "open"), (3, "shut"), (4, "shut")]


def test_a_value_that_holds_is_stored_again_after_the_longest_interval() -> None:
    got = kept('deadband = 1.0\nmax_interval = "10s"', [reading(at, 5) for at in range(31)])
    assert [at for at, _ in got] == [0, 10, 20, 30]


def test_between_stored_samples_lies_the_least_interval() -> None:
    got = kept('min_interval = "5s"', [reading(at, at) for at in range(12)])
    assert [at for at, _ in got] == [0, 5, 10, 11], "the last of the session is stored too"


@pytest.mark.parametrize("news", [reading(2, 5.0, Quality.UNCERTAIN), reading(2, None), reading(2, "5")])
def test_a_change_of_quality_or_type_is_stored_at_once_with_what_was_before(news: Reading) -> None:
    keys = 'deadband = 100.0\nmin_interval = "1h"\nmax_interval = "2h"'
    got = kept(keys, [reading(0, 5.0), reading(1, 5.1), news])
    assert got == [(0, 5.0), (1, 5.1), (2, news.values[0])]


def test_late_samples_are_stored_whatever_they_say() -> None:
    got = kept("deadband = 1.0", [reading(10, 5.0), reading(11, 5.0), reading(3, 5.0)])
    assert got == [(3, 5.0), (10, 5.0), (11, 5.0)]


def test_other_metrics_pass_as_they_are() -> None:
    other = reading(1, 7, metric="n")
    assert Sifting(policy("deadband = 1.0")).sift(other) == [other]


def test_a_reading_that_waits_for_its_ack_comes_back_without_samples() -> None:
    sifting = Sifting(policy("deadband = 1.0"))
    sifting.sift(reading(0, 5, seq=0))
    (left,) = sifting.sift(reading(1, 5, seq=1))
    assert (left.seq, left.metrics, left.values) == (1, (), ())


async def test_a_suppressed_sample_is_acked_and_what_a_resend_brings_is_stored_once(tmp_path: Path) -> None:
    settings = StoreSettings(policy=policy("deadband = 1.0"), ack_interval_s=0.01, wal_bytes=0)
    store = Store.open(tmp_path, health=Health(), now_ms=lambda: T, settings=settings)
    acked: list[Acked] = []
    store.on_commit(acked.extend)
    await store.start()
    for seq in (0, 1, 2, 1, 2):
        store.put(reading(seq, 5.0, seq=seq))
    await store.settle()
    assert store.last_seq("d", "b") == 2
    await store.close()
    assert max(one.seq for one in acked) == 2
    again = Store.open(tmp_path, health=Health(), now_ms=lambda: T, settings=settings)
    await again.start()
    page = await again.samples_raw("d", "m", 0, 2 * T, 100)
    assert [(row.time - T, row.value) for row in page.rows] == [(0, 5.0), (2000, 5.0)]
    await again.close()


async def test_the_last_sample_of_a_session_is_stored_when_it_ends(tmp_path: Path) -> None:
    settings = StoreSettings(policy=policy("deadband = 1.0"), wal_bytes=0)
    store = Store.open(tmp_path, health=Health(), now_ms=lambda: T, settings=settings)
    await store.start()
    store.put(reading(0, 5.0))
    store.put(reading(1, 5.5))
    store.put_last("d")
    page = await store.samples_raw("d", "m", 0, 2 * T, 100)
    assert [row.value for row in page.rows] == [5.0, 5.5]
    await store.close()


@given(
    st.lists(st.tuples(st.integers(1, 100), st.floats(-5, 5)), min_size=1, max_size=50),
    st.floats(0, 2),
)
def test_what_is_stored_tells_every_value_to_within_the_deadband(
    steps: list[tuple[int, float]], deadband: float
) -> None:
    """Holding each stored value until the next gives every sample to within the deadband."""
    at, readings = 0, []
    for step, value in steps:
        at += step
        readings.append(reading(at, value))
    got = kept(f'deadband = {deadband!r}\nmax_interval = "1h"', readings)
    assert got[0][1] == readings[0].values[0]
    assert got[-1][1] == readings[-1].values[0]
    times = [at for at, _ in got]
    for one in readings:
        second = (one.source_time_ms - T) / SECOND
        held = max(at for at in times if at <= second)
        values = [value for at, value in got if at == held]
        assert any(abs(float(value or 0) - float(one.values[0] or 0)) <= deadband + 1e-9 for value in values)
