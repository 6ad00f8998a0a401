"""When the writer commits: a second after what asks for an ack, else by the longer interval."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import pytest

from hub.health import Health
from hub.model import Birth, LinkKind, Reading
from hub.store.settings import StoreSettings
from hub.store.store import Store
from hub.store.writing.pace import Pace

if TYPE_CHECKING:
    from pathlib import Path

    from hub.store.writing.intake import Acked

SETTINGS = StoreSettings()


def at(pace: Pace, samples: int = 1, *, asked: bool = False) -> float:
    return pace.commit_at(samples, asked=asked)


def test_what_waits_for_an_ack_commits_after_a_second_and_all_else_after_ten() -> None:
    pace = Pace(SETTINGS)
    assert at(pace) == math.inf
    assert pace.waits(100.0, urgent=False)
    assert at(pace) == 110.0
    assert not pace.waits(102.0, urgent=False)
    assert at(pace) == 110.0
    assert pace.waits(103.0, urgent=True)
    assert not pace.waits(103.5, urgent=True)
    assert at(pace) == 104.0


def test_what_is_no_news_is_known_until_it_is_taken() -> None:
    pace = Pace(SETTINGS)
    assert not pace.knows(urgent=False)
    pace.waits(100.0, urgent=False)
    assert pace.knows(urgent=False)
    assert not pace.knows(urgent=True)
    pace.waits(101.0, urgent=True)
    assert pace.knows(urgent=True)
    pace.taken()
    assert not pace.knows(urgent=True)
    assert not pace.knows(urgent=False)


def test_an_ack_that_would_come_after_the_ten_seconds_goes_with_them() -> None:
    pace = Pace(SETTINGS)
    pace.waits(100.0, urgent=False)
    pace.waits(109.5, urgent=True)
    assert at(pace) == 110.0


def test_after_a_batch_nothing_is_due() -> None:
    pace = Pace(SETTINGS)
    pace.waits(100.0, urgent=True)
    pace.taken()
    pace.attempted(101.0, failed=False)
    assert at(pace, 0) == math.inf
    assert pace.heartbeat_at() == 106.0


def test_the_card_saver_waits_thirty_seconds_for_both() -> None:
    pace = Pace(StoreSettings(ack_interval_s=30, idle_interval_s=30))
    pace.waits(100.0, urgent=True)
    assert at(pace) == 130.0


def test_as_much_as_a_batch_commits_at_once() -> None:
    pace = Pace(SETTINGS)
    pace.waits(100.0, urgent=False)
    assert at(pace, SETTINGS.batch_samples) == -math.inf


def test_who_asks_waits_for_the_last_attempt_to_be_a_quarter_of_a_second_old() -> None:
    pace = Pace(SETTINGS)
    pace.attempted(100.0, failed=False)
    pace.waits(100.1, urgent=False)
    assert at(pace, asked=True) == 100.25


@pytest.mark.parametrize(("failures", "pause_s"), [(1, 0.25), (2, 0.5), (5, 4.0), (6, 5.0), (1000, 5.0)])
def test_what_failed_is_tried_again_ever_less_often_whatever_waits(failures: int, pause_s: float) -> None:
    pace = Pace(SETTINGS)
    pace.waits(0.0, urgent=True)
    for _ in range(failures):
        pace.attempted(100.0, failed=True)
    assert at(pace, SETTINGS.batch_samples, asked=True) == 100.0 + pause_s
    assert pace.heartbeat_at() == math.inf


async def test_a_boards_reading_takes_what_waits_for_no_ack_along(tmp_path: Path) -> None:
    """A birth and a reading of a device without outbox force no commit; a board's does, with them."""
    health = Health()
    acked: list[Acked] = []
    settings = StoreSettings(ack_interval_s=0.05, idle_interval_s=600)
    store = Store.open(tmp_path, health=health, now_ms=lambda: 0, settings=settings)
    store.on_commit(acked.extend)
    await store.start()

    def committed() -> float | None:
        return health.registry.get_sample_value("outpost_samples_committed_total")

    other = Reading(device="n", metrics=("m",), values=(1,), source_time_ms=1, hub_time_ms=1)
    store.put_birth(Birth(device="n", name="N"), LinkKind.MQTT, 1)
    store.put(other)
    await asyncio.sleep(0.3)
    assert (committed(), store.waiting_readings) == (0, 1)
    store.put(
        Reading(device="b", metrics=("m",), values=(1,), source_time_ms=1, hub_time_ms=1, boot_id="x", seq=0)
    )
    async with asyncio.timeout(30):
        while not acked:
            await asyncio.sleep(0.01)
    assert committed() == 2
    await store.close()
