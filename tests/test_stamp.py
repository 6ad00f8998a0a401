"""The burned-in clock: what is written is read back, and what is not a stamp is not read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hub.camera.sources import planes, stamp
from hub.camera.sources.test_pattern import Canvas

SIZES = [(64, 64), (66, 66), (320, 240), (1280, 720), (1920, 1080), (3840, 2160)]


@given(time_ms=st.integers(1, 2**48 - 1), width=st.integers(64, 700))
def test_any_time_is_read_back_at_any_width(time_ms: int, width: int) -> None:
    luma = np.full((64, width), 128, np.uint8)
    stamp.write(luma, time_ms)
    assert stamp.read(luma) == time_ms


@settings(max_examples=50)
@given(arrays.arrays(np.uint8, (64, 64)))
def test_other_pictures_are_not_taken_for_a_stamp(luma: np.ndarray) -> None:
    found = stamp.read(luma)
    again = luma.copy()
    if found is not None:  # one in 65536 by chance: then it must be what `write` would have drawn
        stamp.write(again, found)
        assert stamp.read(again) == found


@pytest.mark.parametrize("level", [0, 16, 128, 235, 255])
def test_a_plain_picture_has_no_stamp(level: int) -> None:
    assert stamp.read(np.full((720, 1280), level, np.uint8)) is None


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_test_pattern_carries_a_stamp_at_every_size(width: int, height: int) -> None:
    canvas = Canvas(width, height)
    canvas.draw(7, 30, 1_795_000_000_123)
    assert stamp.read(planes.views(canvas.frame)[0]) == 1_795_000_000_123


def test_the_test_pattern_changes_from_picture_to_picture_and_leaves_no_traces() -> None:
    canvas = Canvas(320, 240)
    luma = planes.views(canvas.frame)[0]
    seen = []
    for count in (0, 15, 30, 0):
        canvas.draw(count, 30, 1_000)
        seen.append(luma.copy())
    assert not np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[1], seen[2])
    assert np.array_equal(seen[0], seen[3])
