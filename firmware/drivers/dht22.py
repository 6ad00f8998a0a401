"""Aosong DHT22 (AM2302): temperature and humidity on a pin, each 2 s at most (datasheet AM2302)."""

import errno

from . import metrics
from .options import pin, prefixed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Hardware

REQUIRED = ("pin",)
MIN_INTERVAL_MS = 2000


def options() -> "dict[str, Any]":
    """Return what an entry of `board.json` may say."""
    return prefixed({"pin": pin()}, MIN_INTERVAL_MS)


def decode(frame: "bytes | bytearray") -> "tuple[int, int]":
    """Return temperature and humidity in tenths; of 02 8C 01 5F EE they are 351 and 652 (datasheet, 7).

    Below zero the datasheet has sign and amount; some makers' sensors send two's complement, whose amount no
    thermometer shows. Raises OSError where the sum is wrong, or nothing can be so warm or humid.
    """
    if sum(frame[:4]) & 0xFF != frame[4]:
        raise OSError(errno.EIO, "wrong checksum")
    humidity = frame[0] << 8 | frame[1]
    temperature = (frame[2] & 0x7F) << 8 | frame[3]
    if frame[2] & 0x80:
        temperature = temperature - 0x8000 if temperature >= 0x7000 else -temperature
    if humidity > 1000 or not -400 <= temperature <= 1250:
        raise OSError(errno.EIO, "impossible values")
    return temperature, humidity


class Dht22:
    """Temperature in 0.1 °C, humidity in 0.1 %. Asked again within 2 s it gives the values it has."""

    min_interval_ms = MIN_INTERVAL_MS

    def __init__(self, data: "dict[str, Any]", hardware: "Hardware", entries: "list[dict[str, Any]]") -> None:
        self.metrics = entries
        self._sensor = hardware.dht22(data["pin"])
        self._hardware = hardware
        self._asked: int | None = None
        self._values: tuple[int, int] | None = None

    def begin(self) -> int:
        """Do nothing: the frame is read in one go, some 5 ms in which the board does nothing else."""
        return 0

    def read(self) -> "list[int | None]":
        """Return temperature and humidity. Raises OSError."""
        if self._asked is None or self._hardware.since_ms(self._asked) >= MIN_INTERVAL_MS - 100:
            self._asked = self._hardware.ticks_ms()
            self._values = None
            self._measure()
        if self._values is None:
            raise OSError(errno.EIO, "the sensor did not answer when it was last asked")
        return [self._values[0], self._values[1]]

    def _measure(self) -> None:
        try:
            self._sensor.measure()
        except OSError:
            raise
        except Exception as error:  # MicroPython's dht raises a bare Exception for a wrong sum
            raise OSError(errno.EIO, str(error))  # noqa: B904 - MicroPython has no `from`
        self._values = decode(self._sensor.buf)


def make(data: "dict[str, Any]", hardware: "Hardware") -> Dht22:
    """Return the sensor for an entry of `board.json`."""
    entries = metrics(data, (("temperature", "\u00b0C", 1, "Temperature"), ("humidity", "%", 1, "Humidity")))
    return Dht22(data, hardware, entries)
