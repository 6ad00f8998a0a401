"""The board's outbox: a bounded ring that keeps what was not acked, or counts what it dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable


def test_readings_come_back_by_their_seq() -> None:
    outbox = Outbox(512)
    outbox.put(b"first")
    outbox.put(b"second")
    assert [outbox.get(0), outbox.get(1), outbox.get(2)] == [b"first", b"second", None]


def test_a_full_outbox_drops_the_oldest_and_counts_them() -> None:
    outbox = Outbox(512)
    for _ in range(10):
        outbox.put(b"x" * 99)
    assert (outbox.first_seq, outbox.next_seq, outbox.dropped) == (5, 10, 5)


def test_acked_readings_are_freed_without_being_counted_as_dropped() -> None:
    outbox = Outbox(512)
    for _ in range(4):
        outbox.put(b"x" * 100)
    outbox.forget(3)
    assert (outbox.get(2), outbox.get(3), outbox.dropped) == (None, b"x" * 100, 0)


def test_an_ack_beyond_what_was_taken_frees_only_what_is_there() -> None:
    outbox = Outbox(512)
    outbox.put(b"x")
    outbox.forget(99)
    assert (outbox.first_seq, outbox.next_seq, len(outbox)) == (1, 1, 0)


def test_an_outbox_too_small_for_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        Outbox(100)


Step = tuple[str, int]


@given(
    st.integers(512, 900),
    st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.integers(1, 229)),
            st.tuples(st.just("forget"), st.integers(0, 5)),
            st.tuples(st.just("get"), st.integers(0, 8)),
        ),
        max_size=200,
    ),
)
def test_it_agrees_with_a_plain_list_whatever_is_put_read_and_freed(size: int, steps: list[Step]) -> None:
    outbox = Outbox(size)
    model: dict[int, bytes] = {}
    actions: dict[str, Callable[[int], None]] = {
        "put": lambda n: _put(outbox, model, n),
        "forget": lambda n: _forget(outbox, model, n),
        "get": lambda n: None,
    }
    for action, n in steps:
        actions[action](n)
        for seq in [key for key in model if key < outbox.first_seq]:
            del model[seq]  # dropped as the oldest
        assert sum(map(len, model.values())) + len(model) <= size
        seq = outbox.first_seq + n if action == "get" else outbox.next_seq - 1
        assert outbox.get(seq) == model.get(seq)
    assert {seq: outbox.get(seq) for seq in model} == model
    assert len(outbox) == len(model)


def _put(outbox: Outbox, model: dict[int, bytes], size: int) -> None:
    payload = bytes([33 + outbox.next_seq % 90]) * size
    model[outbox.next_seq] = payload
    outbox.put(payload)


def _forget(outbox: Outbox, model: dict[int, bytes], count: int) -> None:
    outbox.forget(outbox.first_seq + count)
    for seq in [key for key in model if key < outbox.first_seq]:
        del model[seq]
