"""InvenSense MPU-6050: acceleration and rotation over I2C (register map RM-MPU-6000A-00, 4.2).

The chip samples on its own clock into its FIFO (1024 bytes: 1.7 s of 50 Hz), and the board fetches a batch at
a time: one that is busy for a moment loses nothing, and samples are as even as the chip takes them.
"""

import errno
import struct

from . import metrics
from .options import flag, i2c, one_of, whole
from .sensor import I2cSensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Hardware

REQUIRED = ()
_SMPLRT_DIV, _FIFO_EN, _INT_STATUS, _SAMPLE = 0x19, 0x23, 0x3A, 0x3B
_USER_CTRL, _PWR_MGMT_1, _FIFO_COUNT, _FIFO, _WHO_AM_I = 0x6A, 0x6B, 0x72, 0x74, 0x75
_IDENTITY = 0x68
_CLOCK_OF_GYRO = 1  # steadier than the chip's own oscillator (register 107)
_OVERFLOW = 0x10
_ACCELERATION, _ROTATION = 0x08, 0x70  # in the FIFO
_FIFO_BYTES = 1024
_WAKE_MS = 100

_DEGREES = (250, 500, 1000, 2000)
_PER_DEGREE = (1310, 655, 328, 164)  # in tenths, as the datasheet rounds them (register 27)


def options() -> "dict[str, Any]":
    """Return what an entry of `board.json` may say."""
    own = {
        "interval_ms": whole(10, 200, 20, "ms"),
        "batch_ms": whole(50, 1000, 200, "ms"),
        "gyro": flag(True),
        "range_g": one_of((2, 4, 8, 16), 2),
        "range_dps": one_of(_DEGREES, 250),
    }
    entries = i2c({}, (0x68, 0x69))
    entries.update(own)
    return entries


def low_pass(interval_ms: int) -> int:
    """Return the filter (register 26) whose bandwidth is below half the rate: 44, 21, 10 or 5 Hz."""
    for code, hertz in ((3, 44), (4, 21), (5, 10)):
        if hertz * 2 * interval_ms < 1000:
            return code
    return 6


class Mpu6050(I2cSensor):
    """Acceleration in 0.0001 g, rotation in 0.01 °/s, a batch at a time."""

    def __init__(self, data: "dict[str, Any]", hardware: "Hardware", entries: "list[dict[str, Any]]") -> None:
        super().__init__(data, hardware, entries)
        self.interval_ms: int = data["interval_ms"]
        self.batch_ms: int = max(data["batch_ms"], self.interval_ms)
        self._gyro: bool = data["gyro"]
        g, degrees = (2, 4, 8, 16).index(data["range_g"]), _DEGREES.index(data["range_dps"])
        # sample rate divider, filter, gyroscope's and accelerometer's range: registers 25 to 28
        self._settings = bytes((self.interval_ms - 1, low_pass(self.interval_ms), degrees << 3, g << 3))
        self._g = 2 << g
        self._per_degree = _PER_DEGREE[degrees]
        self._size = 12 if self._gyro else 6
        self._most = 2 * self.batch_ms // self.interval_ms  # at a time: more there is after a pause only
        self._left = 0
        self._last_ms: int | None = None
        self._waking = True
        longest_ms = _FIFO_BYTES * 2 // 3 // self._size * self.interval_ms
        if self.batch_ms > longest_ms:
            raise ValueError(f"batch_ms must be at most {longest_ms} at this rate: the FIFO is no longer")

    def setup(self) -> None:
        """Check the identity, reset, and start sampling into the FIFO. Raises OSError."""
        self.expect(_WHO_AM_I, _IDENTITY, "MPU-6050")
        self.put(_PWR_MGMT_1, bytes((_CLOCK_OF_GYRO,)))
        self.put(_SMPLRT_DIV, self._settings)
        self.put(_FIFO_EN, bytes((_ACCELERATION | (_ROTATION if self._gyro else 0),)))
        self._waking = True

    def start(self) -> int:
        """Give a chip that wakes the time until its first samples mean something; else sampling goes on."""
        return _WAKE_MS if self._waking else 0

    def fetch(self) -> "list[int | None]":
        """Return the newest sample, which the FIFO keeps, too. Raises OSError."""
        data = self.get(_SAMPLE, 14)  # acceleration, temperature, rotation
        return self._scaled(bytes(data[:6] + data[8 : 2 + self._size]))

    def read_batch(self, now_ms: int) -> "list[tuple[int, list[int | None]]]":
        """Return (when, values) of the samples since the last batch, oldest first; none while the chip wakes.

        Raises OSError where the chip does not answer, lost its settings, or its FIFO ran over.
        """
        if not self._started:
            raise OSError(errno.ENODEV, "no measurement was begun")
        try:
            samples = self._fetch_samples()
        except OSError:
            self._ready = False
            raise
        if not samples:
            return []
        times = self._times(len(samples), now_ms - self._left * self.interval_ms)
        return [(times[index], self._scaled(sample)) for index, sample in enumerate(samples)]

    def _fetch_samples(self) -> "list[bytes]":
        if self.get(_SMPLRT_DIV, 4) != self._settings:
            raise OSError(errno.EIO, "the chip lost its settings")
        if self._waking:
            self._empty()
            return []
        if self.get(_INT_STATUS, 1)[0] & _OVERFLOW:
            raise OSError(errno.EIO, "the FIFO ran over: samples are lost")
        waiting = self.get(_FIFO_COUNT, 2)
        there = (waiting[0] << 8 | waiting[1]) // self._size
        count = min(there, self._most)
        self._left = there - count
        data = self.get(_FIFO, count * self._size) if count else b""
        return [bytes(data[at : at + self._size]) for at in range(0, len(data), self._size)]

    def _empty(self) -> None:
        self.put(_USER_CTRL, b"\x04")  # the FIFO must be off to be emptied
        self.put(_USER_CTRL, b"\x40")
        self.get(_INT_STATUS, 1)  # forgets an overflow of before
        self._last_ms = None
        self._waking = False

    def _times(self, count: int, now_ms: int) -> "list[int]":
        """Return the time of each sample: even steps, the last within one interval of `now_ms`.

        The chip's clock may be off by some percent, and says nothing of when a sample was taken.
        """
        before = self._last_ms
        if before is None or abs(now_ms - before - count * self.interval_ms) > 2 * self.batch_ms:
            before = now_ms - count * self.interval_ms
        last = min(max(before + count * self.interval_ms, now_ms - self.interval_ms), now_ms)
        self._last_ms = last
        return [before + (last - before) * (index + 1) // count for index in range(count)]

    def _scaled(self, sample: bytes) -> "list[int | None]":
        words = struct.unpack(">6h" if self._gyro else ">3h", sample)
        values: list[int | None] = [(word * self._g * 10_000 + 16384) >> 15 for word in words[:3]]
        half = self._per_degree >> 1
        values.extend([(word * 1000 + half) // self._per_degree for word in words[3:]])
        return values


def make(data: "dict[str, Any]", hardware: "Hardware") -> Mpu6050:
    """Return the sensor for an entry of `board.json`."""
    entries = [
        ("acceleration_x", "g", 4, "Acceleration x"),
        ("acceleration_y", "g", 4, "Acceleration y"),
        ("acceleration_z", "g", 4, "Acceleration z"),
    ]
    if data["gyro"]:
        entries += [
            ("rotation_x", "\u00b0/s", 2, "Rotation x"),
            ("rotation_y", "\u00b0/s", 2, "Rotation y"),
            ("rotation_z", "\u00b0/s", 2, "Rotation z"),
        ]
    return Mpu6050(data, hardware, metrics(data, tuple(entries)))
