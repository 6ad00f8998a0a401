"""MicroPython's `machine.I2C` on a bus of the kernel, by smbus2: what the boards' drivers talk to on the Pi.

Each call is one I2C_RDWR transfer (kernel: Documentation/i2c/dev-interface); reading a register is a write
and a read with a repeated start, as on boards.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_GONE = (errno.ENODEV, errno.EBADF, errno.ENOENT, errno.ESHUTDOWN)
_SILENT = (errno.EREMOTEIO, errno.ENXIO)
# 0x00 to 0x07 and 0x78 to 0x7F are reserved (UM10204, table 4).
_ADDRESSES = range(0x08, 0x78)


class I2cBus:
    """The bus `number`, opened at the first call and again after its adapter was pulled.

    Every call blocks, and raises OSError in words where the bus or the chip does not answer, or a driver of
    the kernel has the chip.
    """

    def __init__(self, number: int, *, sys_root: Path, dev_root: Path) -> None:
        self.path = dev_root / f"i2c-{number}"
        self._number = number
        self._devices = sys_root / "bus/i2c/devices"
        self._bus: Any = None

    def writeto(self, addr: int, buf: bytes, /) -> int:
        """Write bytes."""
        self._transfer(addr, bytes(buf))
        return len(buf)

    def readfrom_into(self, addr: int, buf: bytearray, /) -> None:
        """Read as many bytes as the buffer takes."""
        buf[:] = self._transfer(addr, count=len(buf))

    def readfrom(self, addr: int, nbytes: int, /) -> bytes:
        """Read bytes."""
        return self._transfer(addr, count=nbytes)

    def writeto_mem(self, addr: int, memaddr: int, buf: bytes, /) -> None:
        """Write a register number of one byte, then bytes."""
        self._transfer(addr, bytes((memaddr,)) + bytes(buf))

    def readfrom_mem_into(self, addr: int, memaddr: int, buf: bytearray, /) -> None:
        """Write a register number of one byte, then read as many bytes as the buffer takes."""
        buf[:] = self._transfer(addr, bytes((memaddr,)), len(buf))

    def readfrom_mem(self, addr: int, memaddr: int, nbytes: int, /) -> bytes:
        """Write a register number of one byte, then read bytes."""
        return self._transfer(addr, bytes((memaddr,)), nbytes)

    def scan(self) -> list[int]:
        """Return the addresses that acknowledge a read of one byte; those the kernel has are left out."""
        found = []
        for address in _ADDRESSES:
            try:
                self._transfer(address, count=1)
            except OSError as error:
                if error.errno not in (*_SILENT, errno.EBUSY):
                    raise
            else:
                found.append(address)
        return found

    def ensure(self) -> None:
        """Open the bus where it is not open. Raises OSError."""
        if self._bus is not None:
            return
        from smbus2 import I2cFunc, SMBus  # noqa: PLC0415 - only where a sensor is wired to the Pi

        try:
            bus = SMBus(str(self.path))
        except FileNotFoundError:
            raise OSError(
                errno.ENOENT, f"{self.path} is not there: switch I2C on (raspi-config, or dtparam=i2c_arm=on)"
            ) from None
        except PermissionError:
            raise OSError(errno.EACCES, f"no right to {self.path}: it wants the group i2c") from None
        if not bus.funcs & I2cFunc.I2C:
            bus.close()
            raise OSError(errno.EOPNOTSUPP, f"{self.path} speaks SMBus alone, and the drivers need plain I2C")
        self._bus = bus

    def close(self) -> None:
        """Close the bus; the next call opens it again."""
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.close()

    def _transfer(self, address: int, data: bytes | None = None, count: int = 0) -> bytes:
        from smbus2 import i2c_msg  # noqa: PLC0415 - see above

        # I2C_RDWR goes past the lock that a driver of the kernel has on its chip.
        if (self._devices / f"{self._number}-{address:04x}" / "driver").exists():
            raise OSError(
                errno.EBUSY, f"a driver of the kernel has the chip at {address:#04x}: read it by iio or hwmon"
            )
        self.ensure()
        messages = []
        if data is not None:
            messages.append(i2c_msg.write(address, data))
        if count:
            messages.append(i2c_msg.read(address, count))
        try:
            self._bus.i2c_rdwr(*messages)
        except OSError as error:
            raise self._in_words(error, address) from error
        return bytes(messages[-1]) if count else b""

    def _in_words(self, error: OSError, address: int) -> OSError:
        if error.errno in _SILENT:
            return OSError(error.errno, f"no chip answers at {address:#04x} of {self.path}")
        if error.errno in _GONE:
            self.close()
            return OSError(error.errno, f"{self.path} is gone")
        return OSError(error.errno, f"{self.path}: {error.strerror or error}")
