"""The test pattern: colour bars, two moving blocks, and the time as text and as a stamp.

It draws into one YUV 4:2:0 picture that it keeps, and touches only what changed, so that a picture costs
some tens of microseconds and the encoder sees a mostly still background.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hub.camera.media import Picture
from hub.camera.sources import planes, stamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Plane = NDArray[np.uint8]

# 75% colour bars in BT.601 limited range (ITU-R BT.801): Y, Cb, Cr of white … blue.
BARS = (
    (180, 128, 128),
    (162, 44, 142),
    (131, 156, 44),
    (112, 72, 58),
    (84, 184, 198),
    (65, 100, 212),
    (35, 212, 114),
)
_GLYPHS = "0123456789-: .UTC"
_BACKGROUND_LUMA = 40
_BEHIND_LIMIT_S = 1.0


class TestPattern:
    """A source of moving pictures without hardware, `fps` times a second by the wall."""

    __test__ = False  # pytest would take the name for a test's

    def __init__(self, *, width: int, height: int, fps: int, now_ms: Callable[[], int]) -> None:
        self._fps = fps
        self._now_ms = now_ms
        self._canvas = Canvas(width, height)
        self._count = 0
        self._due_s = time.monotonic()

    def read(self) -> Picture:
        """Wait until the next picture is due, and draw it."""
        wait_s = self._due_s - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        elif wait_s < -_BEHIND_LIMIT_S:
            self._due_s -= wait_s  # after a pause of the machine: go on from here, don't race to catch up
        self._due_s += 1 / self._fps
        time_ms = self._now_ms()
        self._canvas.draw(self._count, self._fps, time_ms)
        self._count += 1
        return Picture(self._canvas.frame, time_ms)

    def close(self) -> None:
        """Nothing is held."""


class Canvas:
    """The picture and what moves on it; pure drawing, without a clock."""

    def __init__(self, width: int, height: int) -> None:
        self.frame = av.VideoFrame(width, height, "yuv420p")
        self._luma, self._blue, self._red = planes.views(self.frame)
        self._place = stamp.layout(width)
        self._head = (self._place.top + self._place.height + self._place.cell) // 2 * 2
        self._side = max(4, height // 10 // 4 * 4)
        self._paint_background()
        self._background = self._luma.copy(), self._blue.copy(), self._red.copy()
        self._drawn: list[tuple[int, int]] = []
        self._glyphs = _render_glyphs(max(6, 2 * self._place.cell))

    def draw(self, count: int, fps: int, time_ms: int) -> None:
        """Draw picture number `count`, captured at `time_ms`."""
        for left, top in self._drawn:
            self._restore(left, top)
        self._drawn = self._positions(count / fps)
        for (left, top), colour in zip(self._drawn, ((210, 16, 146), (81, 90, 240)), strict=True):
            self._block(left, top, colour)
        self._text(datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC")
        stamp.write(self._luma, time_ms)

    def _paint_background(self) -> None:
        height, width = self._luma.shape
        self._luma[:], self._blue[:], self._red[:] = _BACKGROUND_LUMA, 128, 128
        bars_top = min(self._head, height - 2)
        for index, (luma, blue, red) in enumerate(BARS):
            left, right = (width * edge // len(BARS) // 2 * 2 for edge in (index, index + 1))
            right = width if index == len(BARS) - 1 else right
            self._luma[bars_top:, left:right] = luma
            self._blue[bars_top // 2 :, left // 2 : right // 2] = blue
            self._red[bars_top // 2 :, left // 2 : right // 2] = red

    def _positions(self, elapsed_s: float) -> list[tuple[int, int]]:
        """Give the blocks' upper left corners: one goes to and fro in 4 s, one up and down in 3 s."""
        height, width = self._luma.shape
        free_x, free_y = max(0, width - self._side), max(0, height - self._head - self._side)
        across, down = _to_and_fro(elapsed_s / 4), _to_and_fro(elapsed_s / 3)
        low = max(0, height - self._side) // 2 * 2
        return [
            (int(free_x * across) // 2 * 2, low),
            (free_x // 2 // 2 * 2, min(low, (self._head + int(free_y * down)) // 2 * 2)),
        ]

    def _block(self, left: int, top: int, colour: tuple[int, int, int]) -> None:
        side, half = self._side, self._side // 2
        self._luma[top : top + side, left : left + side] = colour[0]
        self._blue[top // 2 : top // 2 + half, left // 2 : left // 2 + half] = colour[1]
        self._red[top // 2 : top // 2 + half, left // 2 : left // 2 + half] = colour[2]

    def _restore(self, left: int, top: int) -> None:
        side, half = self._side, self._side // 2
        full = np.s_[top : top + side, left : left + side]
        quarter = np.s_[top // 2 : top // 2 + half, left // 2 : left // 2 + half]
        self._luma[full] = self._background[0][full]
        self._blue[quarter] = self._background[1][quarter]
        self._red[quarter] = self._background[2][quarter]

    def _text(self, text: str) -> None:
        left = self._place.left + self._place.width + self._place.cell
        top = self._place.top + self._place.cell
        for letter in text:
            glyph = self._glyphs[letter]
            rows, columns = glyph.shape
            if left + columns > self._luma.shape[1] or top + rows > self._luma.shape[0]:
                return  # a small picture shows the beginning; its stamp has it all
            self._luma[top : top + rows, left : left + columns] = glyph
            left += columns


def _to_and_fro(turns: float) -> float:
    """0 → 1 → 0 within each turn."""
    part = turns % 1.0
    return 2 * part if part < 0.5 else 2 - 2 * part


def _render_glyphs(size_px: int) -> dict[str, Plane]:
    font = ImageFont.load_default(size_px)
    width = 1 + max(int(font.getlength(letter)) for letter in _GLYPHS)
    glyphs = {}
    for letter in _GLYPHS:
        image = Image.new("L", (width, size_px + size_px // 4), _BACKGROUND_LUMA)
        left = (width - font.getlength(letter)) / 2
        ImageDraw.Draw(image).text((left, 0), letter, font=font, fill=stamp.WHITE)
        glyphs[letter] = np.asarray(image)
    return glyphs
