"""What is kept aside of a board that waits: in order, each once, bounded, and the rest asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.links.aside import LINES, Aside, Budget
from hub.model import LogLine, Quality, Reading

if TYPE_CHECKING:
    from hub.model import LinkEvent, Value

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=9)
)


def reading(seq: int, values: tuple[Value, ...] = (1.5,), boot_id: str = "0000b001") -> Reading:
    return Reading(
        device="pico",
        metrics=tuple(f"m{number}" for number in range(len(values))),
        values=values,
        source_time_ms=1_000 * seq,
        hub_time_ms=1_000 * seq + 5,
        quality=Quality.UNCERTAIN if seq % 2 else Quality.GOOD,
        boot_id=boot_id,
        seq=seq,
    )


def aside(most: int = 1 << 20, budget: int = 1 << 20) -> tuple[Aside, Budget, list[Any]]:
    asked: list[Any] = []
    room = Budget(budget)
    return Aside(most, room, lambda boot_id, seq: asked.append((boot_id, seq))), room, asked


def passed(kept: Aside, most: int) -> list[LinkEvent]:
    found: list[LinkEvent] = []
    while not kept.pass_on(found.append, most):
        pass
    return found


@settings(max_examples=60)
@given(
    given=st.lists(st.lists(VALUES, min_size=1, max_size=4), max_size=40),
    most=st.integers(0, 3_000),
    budget=st.integers(0, 3_000),
    at_once=st.integers(1, 7),
)
def test_what_is_kept_comes_out_as_it_went_in_and_what_is_not_is_asked_for(
    given: list[list[Value]], most: int, budget: int, at_once: int
) -> None:
    kept, room, asked = aside(most, budget)
    came = [reading(seq, tuple(values)) for seq, values in enumerate(given)]
    for one in came:
        kept.take(one)
        assert 0 <= room.left <= budget
    count = kept.kept
    assert kept.left_out == len(came) - count
    assert passed(kept, at_once) == came[:count]
    assert room.left == budget
    after = [("0000b001", count - 1)] if count else [(None, -1)]
    assert asked == (after if count < len(came) else [])


def test_a_reading_that_comes_again_is_kept_once_and_a_new_boot_begins_anew() -> None:
    kept, _, _ = aside()
    came = [reading(0), reading(1), reading(0, boot_id="0000b002"), reading(1, boot_id="0000b002")]
    for one in came:
        kept.take(one)
        kept.take(one)
    assert passed(kept, 9) == came


def test_what_was_dropped_is_free_and_nothing_is_taken_after_it() -> None:
    kept, room, asked = aside(budget=5_000)
    for seq in range(5):
        kept.take(reading(seq))
    kept.drop()
    kept.take(reading(5))
    assert (room.left, kept.kept, asked) == (5_000, 0, [(None, None)])
    assert passed(kept, 9) == []


def test_of_a_consoles_lines_the_newest_are_kept() -> None:
    kept, _, _ = aside()
    lines = [LogLine("pico", number, f"line {number}") for number in range(LINES + 5)]
    for line in lines:
        kept.take(line)
    assert passed(kept, 1) == lines[5:]
