"""Columns of integers: bit for bit, small where a simple guess fits, and to be read with zlib alone."""

from __future__ import annotations

import random
import struct
import zlib
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.store.format import integers

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAST, MOST = -(2**63), 2**63 - 1
Any64 = st.integers(LEAST, MOST)
Small = st.integers(-20, 20)


def sums(numbers: list[int]) -> list[int]:
    return list(accumulate(numbers))


Columns = st.one_of(
    st.lists(Any64, min_size=1, max_size=60),
    st.lists(Small, min_size=1, max_size=60),
    st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=60),
    st.lists(Small, min_size=1, max_size=60).map(sums),
    st.lists(Small, min_size=1, max_size=60).map(sums).map(sums),
    st.builds(
        lambda start, step, off: [start + place * step + one for place, one in enumerate(off)],
        st.integers(-(10**13), 10**13),
        st.integers(-(10**6), 10**6),
        st.lists(Small, min_size=1, max_size=60),
    ),
)


def encoded(numbers: list[int]) -> bytes:
    return integers.encode(np.array(numbers, dtype=np.int64))


@given(Columns)
@example([LEAST, MOST])
@example([MOST, LEAST, MOST, LEAST])
@example([LEAST] * 3)
@example([0, 2**62, -(2**62), 1])
def test_integers_come_back_as_they_were(numbers: list[int]) -> None:
    assert integers.decode(encoded(numbers), len(numbers)).tolist() == numbers


def test_no_integers_are_no_bytes() -> None:
    assert encoded([]) == b""
    assert integers.decode(b"", 0).tolist() == []


def by_the_book(data: bytes, count: int) -> list[int]:
    """Decode as docs/storage.md says, with zlib alone."""
    form, bits = data[0] - 16, data[1]
    rest = data[2:]
    numbers = []
    for _ in range(2 if form >= 2 else 1):
        size = next(place for place, byte in enumerate(rest) if byte < 128) + 1
        coded = sum((byte & 127) << 7 * place for place, byte in enumerate(rest[:size]))
        numbers.append(coded >> 1 if coded % 2 == 0 else -(coded >> 1) - 1)
        rest = rest[size:]
    length = count if form in (0, 3) else count - 1
    left = list(left_over(zlib.decompress(rest, -15), bits, length)) if bits else [0] * length
    base, step = numbers[0], numbers[-1]
    if form == 0:
        return [wrapped(base + one) for one in left]
    if form == 3:
        return [wrapped(base + (place * step >> 16) + one) for place, one in enumerate(left)]
    found, ahead = [base], step
    for one in left:
        ahead = ahead + one if form == 2 else one
        found.append(wrapped(found[-1] + ahead))
    return found


def left_over(data: bytes, bits: int, length: int) -> Iterator[int]:
    for place in range(length):
        if bits < 8:
            at = place * bits
            coded = data[at // 8] >> at % 8 & (1 << bits) - 1
        else:
            coded = sum(data[length * plane + place] << 8 * plane for plane in range(bits // 8))
        yield coded >> 1 if coded % 2 == 0 else -(coded >> 1) - 1


def wrapped(number: int) -> int:
    return (number - LEAST) % 2**64 + LEAST


@given(Columns)
def test_the_docs_say_enough_to_decode_integers(numbers: list[int]) -> None:
    assert by_the_book(encoded(numbers), len(numbers)) == numbers


@pytest.mark.parametrize(
    ("numbers", "most"),
    [
        ([41] * 900, 4),
        (list(range(0, 9_000, 10)), 8),
        ([1_762_000_000_000 + 1000 * place for place in range(900)], 16),
        ([place * place for place in range(900)], 24),
    ],
    ids=["one value", "a counter", "even times", "a steady climb"],
)
def test_what_a_guess_foretells_costs_next_to_nothing(numbers: list[int], most: int) -> None:
    assert len(encoded(numbers)) <= most


def noisy(values: int) -> list[int]:
    rng = random.Random(1)
    return [rng.randrange(values) for _ in range(9000)]


@pytest.mark.parametrize("bits", [1, 2, 3, 5, 7, 10])
def test_noise_costs_little_more_than_its_entropy(bits: int) -> None:
    assert len(encoded(noisy(2**bits))) <= 1.06 * 9000 * bits / 8 + 64


@given(Columns, st.data())
def test_bytes_that_are_cut_short_or_changed_raise_nothing_unforeseen(
    numbers: list[int], data: st.DataObject
) -> None:
    whole = bytearray(encoded(numbers))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    cut = bytes(whole[: data.draw(st.integers(1, len(whole)))])
    try:
        found = integers.decode(cut, len(numbers))
    except (ValueError, IndexError, OverflowError, zlib.error, struct.error):
        return
    assert len(found) == len(numbers)
