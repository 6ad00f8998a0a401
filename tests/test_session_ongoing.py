"""Long commands on the wire: progress, cancel, and data that the board fetches."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from hub.wire.calls import QUIET_MS, Calls
from hub.wire.events import Answered, Progressed
from hub.wire.message import WireError
from tests.lossy import Rig

if TYPE_CHECKING:
    from collections.abc import Sequence


def rig_with_command(fault: float = 0, data: Sequence[bytes] = ()) -> Rig:
    """A board that has the command `c1` and does not answer it by itself."""
    rig = Rig(3, fault=fault)
    rig.answers = False
    rig.run(4000)
    rig.hub.send("c1", "led", {}, 600_000, rig.now_ms, data)
    while "c1" not in rig.ran:
        rig.run(200)
    return rig


def progressed(rig: Rig) -> list[tuple[int | None, str]]:
    return [(event.percent, event.text) for event in rig.events if isinstance(event, Progressed)]


def test_progress_of_a_command_under_way_arrives() -> None:
    rig = rig_with_command()
    rig.board.ongoing.progress("c1", 40, "half \u2192 done")
    rig.run(500)
    assert progressed(rig) == [(40, "half \u2192 done")]


def test_progress_of_a_command_that_nobody_waits_for_is_dropped() -> None:
    rig = rig_with_command()
    rig.board.ongoing.progress("c2", 40, "")
    rig.run(500)
    assert progressed(rig) == []


def test_a_board_that_reports_at_every_turn_says_five_a_second_at_most() -> None:
    rig = rig_with_command()
    for percent in range(100):
        rig.board.ongoing.progress("c1", percent, "")
        rig.run(10)
    assert 3 <= len(progressed(rig)) <= 6


def test_words_that_are_not_printable_are_refused() -> None:
    calls = Calls()
    calls.add("c1", "led", {}, 1000, 0)
    with pytest.raises(WireError, match="printable"):
        calls.heard(["y", "c1", 3, "\x1b[2J"], 0)


def test_a_cancel_arrives_however_many_frames_are_lost() -> None:
    rig = rig_with_command(fault=0.3)
    rig.hub.cancel("c1", rig.now_ms)
    rig.run(10_000)
    assert rig.board.ongoing.is_cancelled("c1")
    rig.board.answer("c1", False, "cancelled")
    rig.run(10_000)
    assert [event.ok for event in rig.events if isinstance(event, Answered)] == [False]


def test_a_cancel_of_what_is_answered_goes_nowhere() -> None:
    rig = rig_with_command()
    rig.board.answer("c1", True, None)
    rig.run(500)
    rig.hub.cancel("c1", rig.now_ms)
    assert b'["x"' not in rig.hub.data_to_send()


def test_a_command_that_its_board_works_on_is_repeated_seldom() -> None:
    calls = Calls()
    calls.add("c1", "led", {}, 60_000, 0)
    assert calls.due(0, 400) != []
    calls.heard(["y", "c1", 1, ""], 300)
    assert calls.due(400, 400) == []
    assert calls.due(300 + QUIET_MS, 400) != []


def fetch(rig: Rig, part: int, size: int) -> bytes:
    """Fetch a part as the firmware does: a piece at a time."""
    got = b""
    while len(got) < size:
        rig.board.ongoing.fetch("c1", part, len(got))
        while (piece := rig.board.ongoing.fetched()) is None:
            rig.run(2)
        assert piece
        got += piece
    return got


@pytest.mark.parametrize("fault", [0, 0.2])
def test_data_arrives_whole_beside_the_readings(fault: float) -> None:
    chance = random.Random(5)
    parts = (b"x", chance.randbytes(2000), chance.randbytes(141))
    rig = rig_with_command(fault, parts)
    for _ in range(50):
        rig.take()
    assert [fetch(rig, part, len(data)) for part, data in enumerate(parts)] == list(parts)
    rig.board.answer("c1", True, None)
    rig.run(20_000)
    assert rig.seqs() == list(range(rig.outbox.next_seq))
    assert rig.ran == ["c1"]


def test_beyond_the_data_nothing_is_answered() -> None:
    calls = Calls()
    calls.add("c1", "led", {}, 1000, 0, (b"abc",))
    assert calls.heard(["g", "c1", 0, 0], 0)[1] == ["d", "c1", 0, 0, "YWJj"]
    for part, offset in ((0, 3), (1, 0), (2**52, 2**52)):
        assert calls.heard(["g", "c1", part, offset], 0) == (None, None)
    assert calls.heard(["g", "c2", 0, 0], 0) == (None, None)
