"""A Pi in a folder: sysfs trees, and what stands for hardware that no test machine has.

- `FakeI2cKernel` stands for the kernel below smbus2: the two ioctls of /dev/i2c-N, which it carries to the
  virtual boards' simulated chips. smbus2 itself is the real one, with its structures.
- `FakeChip` stands for `gpiod.Chip` alone: gpio-sim needs a kernel with modules. Settings, enums and events
  are libgpiod's own.
- sysfs is files in a folder; a PWM's folder appears when `export` is written, as in the kernel.
"""

from __future__ import annotations

import ctypes
import errno
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gpiod
import smbus2.smbus2 as smbus2_inside

from hil.virtual.chips import I2cBus, NoAcknowledge
from hub.model import Birth, Born, LogLine, Reading

if TYPE_CHECKING:
    import pytest

    from hub.model import LinkEvent, Value

_READ = 0x0001  # I2C_M_RD
_PLAIN_I2C, _SMBUS_ONLY = 0x0EFF0009, 0x0EFF0008


def write(root: Path, path: str, text: str) -> Path:
    """Write a file of a tree, with its folders."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def iio(root: Path, number: int, name: str, *, at: str = "", **files: str) -> Path:
    """Put an IIO device into sysfs; `at` is its place on the I2C bus."""
    return _device(root, f"bus/iio/devices/iio:device{number}", name, at, files)


def hwmon(root: Path, number: int, name: str, *, at: str = "", **files: str) -> Path:
    """Put a hwmon chip into sysfs."""
    return _device(root, f"class/hwmon/hwmon{number}", name, at, files)


def _device(root: Path, path: str, name: str, at: str, files: dict[str, str]) -> Path:
    for file, text in ({"name": name} | files).items():
        write(root, f"{path}/{file}", text + "\n")
    folder = root / path
    if at:
        bus = root / "bus/i2c"
        bus.mkdir(parents=True, exist_ok=True)
        place = root / "devices/i2c-1" / at
        place.mkdir(parents=True, exist_ok=True)
        if not (place / "subsystem").exists():
            (place / "subsystem").symlink_to(bus)
        (folder / "device").symlink_to(place)
    return folder


class FakeI2cKernel:
    """/dev/i2c-N with simulated chips: `buses[N]`. `transfers` are the messages, (address, read, bytes)."""

    def __init__(self, dev_root: Path, monkeypatch: pytest.MonkeyPatch | None = None) -> None:
        self.dev_root = dev_root
        self.buses: dict[int, I2cBus] = {}
        self.functions = _PLAIN_I2C
        self.transfers: list[tuple[int, bool, bytes]] = []
        self.hang: set[int] = set()
        dev_root.mkdir(parents=True, exist_ok=True)
        if monkeypatch is None:
            smbus2_inside.ioctl = self.ioctl  # type: ignore[attr-defined]  # for a process of its own
        else:
            monkeypatch.setattr(smbus2_inside, "ioctl", self.ioctl)

    def bus(self, number: int) -> dict[int, Any]:
        """Put a bus there and return its chips, by address."""
        (self.dev_root / f"i2c-{number}").touch()
        return self.buses.setdefault(number, I2cBus({})).chips

    def ioctl(self, fd: int, request: int, argument: Any) -> int:
        """Do what the kernel does."""
        number = int(Path(f"/proc/self/fd/{fd}").readlink().name.removeprefix("i2c-"))
        if request == smbus2_inside.I2C_FUNCS:
            argument.value = self.functions
            return 0
        assert request == smbus2_inside.I2C_RDWR
        while number in self.hang:
            time.sleep(0.01)
        if number not in self.buses:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        for index in range(argument.nmsgs):
            self._message(self.buses[number], argument.msgs[index])
        return argument.nmsgs  # type: ignore[no-any-return]  # a field of smbus2's structure

    def _message(self, bus: I2cBus, message: Any) -> None:
        try:
            chip = bus.chip(message.addr)
            if message.flags & _READ:
                data = chip.read(message.len)
                ctypes.memmove(message.buf, data, message.len)
            else:
                data = ctypes.string_at(message.buf, message.len)
                chip.write(data)
        except NoAcknowledge:
            raise OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO)) from None
        self.transfers.append((message.addr, bool(message.flags & _READ), data))


class FakeRequest:
    """Stands for gpiod.LineRequest: one line, its edges in a pipe so that a loop can wait for them."""

    def __init__(self, pins: FakeGpio, offset: int, settings: gpiod.LineSettings) -> None:
        self.settings = settings
        self.released = False
        self._pins = pins
        self._offset = offset
        self._events: list[gpiod.EdgeEvent] = []
        self._number = 0
        self.fd, self._write_fd = os.pipe()
        if settings.direction is gpiod.line.Direction.OUTPUT:
            pins.levels[offset] = settings.output_value.value

    def get_value(self, offset: int) -> gpiod.line.Value:
        self._alive()
        return gpiod.line.Value(self._pins.levels.get(offset, 0))

    def set_value(self, offset: int, value: gpiod.line.Value) -> None:
        self._alive()
        self._pins.levels[offset] = value.value

    def edge(self, rising: bool, at_ns: int, *, dropped: int = 0) -> None:
        """Let the line change; `dropped` edges before it are lost to a full buffer."""
        self._number += 1 + dropped
        kind = gpiod.EdgeEvent.Type.RISING_EDGE if rising else gpiod.EdgeEvent.Type.FALLING_EDGE
        self._events.append(gpiod.EdgeEvent(kind.value, at_ns, self._offset, self._number, self._number))
        os.write(self._write_fd, b"!")

    def read_edge_events(self) -> list[gpiod.EdgeEvent]:
        self._alive()
        os.read(self.fd, 1024)
        taken, self._events = self._events, []
        return taken

    def release(self) -> None:
        self.released = True
        os.close(self.fd)
        os.close(self._write_fd)
        del self._pins.requests[self._offset]

    def _alive(self) -> None:
        if self._pins.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))


class FakeGpio:
    """One GPIO chip at /dev/gpiochip0, in place of `gpiod.Chip`."""

    def __init__(self, dev_root: Path, monkeypatch: pytest.MonkeyPatch, label: str = "pinctrl-rp1") -> None:
        self.label = label
        self.levels: dict[int, int] = {}
        self.requests: dict[int, FakeRequest] = {}
        self.busy: set[int] = set()
        self.gone = False
        dev_root.mkdir(parents=True, exist_ok=True)
        (dev_root / "gpiochip0").touch()
        monkeypatch.setattr(gpiod, "Chip", lambda path: FakeChip(self, path))


class FakeChip:
    """Stands for gpiod.Chip."""

    def __init__(self, pins: FakeGpio, path: str) -> None:
        self._pins = pins
        if pins.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), path)

    def __enter__(self) -> FakeChip:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def get_info(self) -> Any:
        class Info:
            label, num_lines = self._pins.label, 54

        return Info

    def line_offset_from_id(self, name: str) -> int:
        if not name.startswith("GPIO"):
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        return int(name[4:])

    def request_lines(
        self, *, config: dict[int, gpiod.LineSettings], consumer: str, event_buffer_size: int
    ) -> FakeRequest:
        ((offset, settings),) = config.items()
        if offset in self._pins.busy or offset in self._pins.requests:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        self._pins.requests[offset] = FakeRequest(self._pins, offset, settings)
        return self._pins.requests[offset]


class Heard:
    """What a link said, by kind."""

    def __init__(self) -> None:
        self.events: list[LinkEvent] = []

    def __call__(self, event: LinkEvent) -> None:
        self.events.append(event)

    @property
    def birth(self) -> Birth:
        return [event.birth for event in self.events if isinstance(event, Born)][-1]

    @property
    def said(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, LogLine)]

    def readings(self, metric: str) -> list[Reading]:
        return [e for e in self.events if isinstance(e, Reading) and metric in e.metrics]

    def values(self, metric: str) -> list[Value]:
        return [e.values[e.metrics.index(metric)] for e in self.readings(metric)]
