"""A device's link in history: once a minute, by names that no device can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.link_history import EVERY_MS, FIGURES, PREFIX, LinkHistory, metric
from hub.model import Birth, LinkHealth, Metric
from hub.wire.hub_session import HubSession
from hub.wire.known import Known
from tests.web_hub import DEVICE, web_hub

if TYPE_CHECKING:
    from pathlib import Path

NOW_MS = 1_763_700_000_000
BIRTH = Birth(device="b", name="B", metrics=(Metric(name="temperature", unit="°C"),))


def test_figures_are_kept_once_a_minute() -> None:
    history = LinkHistory()
    kept = [history.due(BIRTH, {"rtt_ms": 2.5}, NOW_MS + n * 1000) for n in range(121)]
    assert [n for n, reading in enumerate(kept) if reading is not None] == [0, 60, 120]
    assert kept[0] is not None
    assert (kept[0].metrics, kept[0].values, kept[0].source_time_ms) == (("link.rtt_ms",), (2.5,), NOW_MS)


def test_each_device_has_its_own_minute() -> None:
    history = LinkHistory()
    assert history.due(BIRTH, {"gaps": 0}, NOW_MS) is not None
    assert history.due(Birth(device="c", name="C"), {"gaps": 0}, NOW_MS + 1) is not None


def test_a_clock_that_jumps_back_does_not_end_the_history() -> None:
    history = LinkHistory()
    history.due(BIRTH, {"gaps": 0}, NOW_MS)
    assert history.due(BIRTH, {"gaps": 0}, NOW_MS - 60 * EVERY_MS) is not None


def test_a_devices_own_metric_of_that_name_is_left_to_it() -> None:
    own = Birth(device="b", name="B", metrics=(Metric(name="link.gaps", unit="own"),))
    assert LinkHistory().due(own, {"gaps": 1}, NOW_MS) is None
    found = metric(own, "link.gaps")
    assert found is not None
    assert found.unit == "own"


@pytest.mark.parametrize("name", ["link.unheard", "link.", "gaps", "rtt_ms"])
def test_what_is_no_figure_is_no_metric(name: str) -> None:
    assert metric(BIRTH, name) is None


def test_all_that_an_operator_needs_to_tell_cable_from_board_from_hub_is_kept() -> None:
    session = HubSession(Known(), lambda _uid, _boot: -1, lambda _uid: None, 0.0)
    told = set(session.figures()) - {"log_bytes"}
    assert told | {"resends", "duplicates", "rtt_ms", "clock_bound_ms"} <= FIGURES.keys()


async def test_history_answers_for_a_link_and_the_live_world_does_not_know_it(tmp_path: Path) -> None:
    async with web_hub(tmp_path) as hub:
        hub.sink(LinkHealth(DEVICE, {"crc_errors": 3, "rtt_ms": 1.5}))
        shown = (await hub.get(f"samples?device={DEVICE}&metric=link.crc_errors")).json()
        assert [row[1:] for row in shown["rows"]] == [[3, "good"]]
        assert (await hub.get(f"samples?device={DEVICE}&metric=link.rtt_ms")).json()["unit"] == "ms"
        report = (await hub.get(f"devices/{DEVICE}/link")).json()
        assert report["figures"] == {"crc_errors": 3, "rtt_ms": 1.5}
        assert report["verdict"]["cause"] == "unknown"  # nothing has been seen for long enough
        device = (await hub.get(f"devices/{DEVICE}")).json()
        assert not [one for one in device["metrics"] if one["name"].startswith(PREFIX)]
