"""What a board's session says, in the hub's words."""

from __future__ import annotations

from typing import Any

import pytest

from hub.links.boards import EARLY_LINES, BoardEvents
from hub.model import Born, Gone, Kind, LinkKind, LogLine, Quality, Reading
from hub.wire.birth import Birth, Group
from hub.wire.events import Closed, Lost, Opened, Printed, Taken, Trouble
from tests.pty_board import BIRTH

NOW_MS = 1_763_700_000_000


def opened_event(uid: str = "b1", *, restarted: bool = True) -> Opened:
    return Opened(uid, "0000b001", "power", Birth(BIRTH), restarted)


def taken(*, bound_ms: float = 1.0, mapped_back: bool = False, monotonic_ms: float = 900.0) -> Taken:
    group = Group(BIRTH["groups"][0], "group")
    return Taken(7, 100, group, (7, 21.5, True, "on"), monotonic_ms, bound_ms, mapped_back)


def told(events: BoardEvents, event: Any, about: str | None = None) -> list[Any]:
    return events.translate(event, monotonic_ms=1000.0, now_ms=NOW_MS, about=about)


def test_a_birth_keeps_units_kinds_options_and_intervals() -> None:
    born = told(BoardEvents(), opened_event())[0]
    assert isinstance(born, Born)
    assert (born.link, born.birth.device, born.birth.name, born.birth.boot_id) == (
        LinkKind.SERIAL,
        "b1",
        "bench",
        "0000b001",
    )
    assert [(m.name, m.unit, m.kind, m.decimals, m.options) for m in born.birth.metrics] == [
        ("sequence", "", Kind.NUMBER, 0, ()),
        ("temperature", "°C", Kind.NUMBER, 2, ()),
        ("door", "", Kind.BOOLEAN, None, ()),
        ("mode", "", Kind.ENUM, None, ("off", "on")),
    ]
    assert {metric.interval_ms for metric in born.birth.metrics} == {100}
    assert [command.name for command in born.birth.commands] == ["led"]


def test_a_reading_carries_its_identity_and_the_time_at_which_it_was_taken() -> None:
    events = BoardEvents()
    told(events, opened_event())
    (reading,) = told(events, taken(monotonic_ms=900.0))
    assert reading == Reading(
        device="b1",
        metrics=("sequence", "temperature", "door", "mode"),
        values=(7, 21.5, True, "on"),
        source_time_ms=NOW_MS - 100,
        hub_time_ms=NOW_MS,
        quality=Quality.GOOD,
        boot_id="0000b001",
        seq=7,
    )


@pytest.mark.parametrize(("bound_ms", "mapped_back"), [(50.1, False), (1.0, True)])
def test_a_time_that_is_poorly_known_makes_a_reading_uncertain(bound_ms: float, mapped_back: bool) -> None:
    events = BoardEvents()
    told(events, opened_event())
    (reading,) = told(events, taken(bound_ms=bound_ms, mapped_back=mapped_back))
    assert reading.quality is Quality.UNCERTAIN


def test_a_time_before_the_hosts_1970_is_kept_as_its_beginning_and_uncertain() -> None:
    events = BoardEvents()
    told(events, opened_event())
    (reading,) = events.translate(taken(monotonic_ms=900.0), monotonic_ms=1000.0, now_ms=50)
    assert isinstance(reading, Reading)
    assert (reading.source_time_ms, reading.quality) == (0, Quality.UNCERTAIN)


def test_the_end_of_a_session_is_told_once() -> None:
    events = BoardEvents()
    told(events, opened_event())
    assert told(events, Closed("silent")) == [Gone("b1", "silent")]
    assert told(events, Closed("silent")) == []


def test_what_a_board_printed_before_its_birth_comes_after_it() -> None:
    events = BoardEvents()
    for n in range(EARLY_LINES + 1):
        assert told(events, Printed(f"line {n}")) == []
    lines = [event.text for event in told(events, opened_event()) if isinstance(event, LogLine)]
    assert lines == ["started (power)", *(f"line {n + 1}" for n in range(EARLY_LINES))]


def test_a_traceback_after_the_session_still_finds_its_board() -> None:
    events = BoardEvents()
    told(events, opened_event())
    told(events, Closed("silent"))
    assert told(events, Printed("MemoryError")) == [LogLine("b1", NOW_MS, "MemoryError")]


def test_lost_readings_and_troubles_are_lines_of_their_board() -> None:
    events = BoardEvents()
    told(events, opened_event())
    (lost,) = told(events, Lost(12))
    (trouble,) = told(events, Trouble("odd"))
    assert (lost.level, lost.text.startswith("12 readings are lost")) == ("warning", True)
    assert (trouble.level, trouble.text) == ("error", "odd")


def test_a_trouble_without_a_board_is_told_on_the_page_of_whom_it_is_about() -> None:
    assert told(BoardEvents(), Trouble("double")) == []
    assert told(BoardEvents(), Trouble("double"), about="b1") == [LogLine("b1", NOW_MS, "double", "error")]
