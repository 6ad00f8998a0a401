"""A clock that machines read back from pixels: UTC milliseconds as a grid of black and white cells.

Layout: 4 rows of 16 square cells, most significant bit first, white is 1: 48 bits of milliseconds, then the
CRC-16/XMODEM of those six bytes. A cell is `width // 64` pixels wide, rounded down to an even number, at
least 2; the grid's upper left corner is one cell from the picture's left and upper edge (at widths below 68:
no margin). Large cells and the checksum make the grid readable after a lossy codec.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Luma = NDArray[np.uint8]

ROWS = 4
COLUMNS = 16
BLACK = 16
WHITE = 235
_MIDDLE = (BLACK + WHITE) // 2


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the grid is, in pixels of the luma plane."""

    left: int
    top: int
    cell: int

    @property
    def width(self) -> int:
        """Width of the grid in pixels."""
        return COLUMNS * self.cell

    @property
    def height(self) -> int:
        """Height of the grid in pixels."""
        return ROWS * self.cell


def layout(width: int) -> Layout:
    """Place the grid in a picture of this width (pixels, at least 64)."""
    cell = max(2, width // 64 // 2 * 2)
    margin = cell if COLUMNS * cell + 2 * cell <= width else 0
    return Layout(left=margin, top=margin, cell=cell)


def write(luma: Luma, time_ms: int) -> None:
    """Draw the time into a luma plane (rows, columns, limited range)."""
    place = layout(luma.shape[1])
    data = time_ms.to_bytes(6, "big")
    data += binascii.crc_hqx(data, 0).to_bytes(2, "big")
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).reshape(ROWS, COLUMNS)
    cells = np.where(bits, np.uint8(WHITE), np.uint8(BLACK))
    luma[place.top : place.top + place.height, place.left : place.left + place.width] = cells.repeat(
        place.cell, axis=0
    ).repeat(place.cell, axis=1)


def read(luma: NDArray[Any]) -> int | None:
    """Read the time (UTC ms) back from a luma or grey plane; None where no whole stamp is to be seen."""
    place = layout(luma.shape[1])
    grid = luma[place.top : place.top + place.height, place.left : place.left + place.width]
    if grid.shape != (place.height, place.width):
        return None
    cells = grid.reshape(ROWS, place.cell, COLUMNS, place.cell).mean(axis=(1, 3))
    data = np.packbits((cells > _MIDDLE).reshape(-1)).tobytes()
    if binascii.crc_hqx(data[:6], 0).to_bytes(2, "big") != data[6:] or data == bytes(8):
        return None
    return int.from_bytes(data[:6], "big")
