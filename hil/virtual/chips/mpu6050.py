"""InvenSense MPU-6050, acceleration and rotation (register map RM-MPU-6000A-00, 4.2), with its FIFO."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from hil.virtual.chips.registers import ByteRegisters, clamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SMPLRT_DIV, _CONFIG, _GYRO_CONFIG, _ACCEL_CONFIG, _FIFO_EN = 0x19, 0x1A, 0x1B, 0x1C, 0x23
_INT_STATUS, _ACCEL, _TEMPERATURE, _GYRO = 0x3A, 0x3B, 0x41, 0x43
_USER_CTRL, _PWR_MGMT_1, _FIFO_COUNT, _FIFO, _WHO_AM_I = 0x6A, 0x6B, 0x72, 0x74, 0x75
_SLEEP, _OVERFLOW, _FIFO_ON, _FIFO_RESET = 0x40, 0x10, 0x40, 0x04
FIFO_BYTES = 1024
_PER_G = (16384, 8192, 4096, 2048)
_PER_DEGREE = (131.0, 65.5, 32.8, 16.4)


class Mpu6050(ByteRegisters):
    """The chip at 0x68 or 0x69, `motion(t_s)` giving acceleration in g and rotation in °/s, three axes each.

    Samples come each (1 + SMPLRT_DIV) ms (an eighth without the low-pass filter) on the chip's own clock,
    which runs at `clock` times true time; a full FIFO keeps the newest bytes and says so (register 58).
    """

    def __init__(
        self,
        motion: Callable[[float], tuple[float, ...]],
        now_s: Callable[[], float],
        *,
        temperature_c: Callable[[], float] = lambda: 25.0,
        clock: float = 1.0,
    ) -> None:
        super().__init__()
        self._motion, self._now_s, self._temperature_c, self._clock = motion, now_s, temperature_c, clock
        self._fifo = bytearray()
        self._sampled_s = 0.0
        self.power_on()

    def power_on(self) -> None:
        """Be as after power-on: asleep, all zero but the identity."""
        self.registers[:] = bytes(256)
        self.registers[_PWR_MGMT_1] = _SLEEP
        self.registers[_WHO_AM_I] = 0x68
        self._fifo.clear()
        self._sampled_s = self._now_s()

    def wrote(self, register: int, value: int) -> None:
        """Take a setting."""
        self.refresh()  # what came before was under the old setting
        if register == _PWR_MGMT_1 and value & 0x80:
            self.power_on()
        elif register == _USER_CTRL:
            if value & _FIFO_RESET:
                self._fifo.clear()
            self.registers[register] = value & ~_FIFO_RESET  # the bit clears itself
        elif register not in (_WHO_AM_I, _INT_STATUS):
            self.registers[register] = value

    def read(self, count: int) -> bytes:
        """Return registers; those of the FIFO give it out, and a read of the status clears it."""
        self.refresh()
        if self._pointer == _FIFO:
            data = bytes(self._fifo[:count])
            del self._fifo[:count]
            return data.ljust(count, b"\xff")
        status_read = self._pointer <= _INT_STATUS < self._pointer + count
        data = super().read(count)
        if status_read:
            self.registers[_INT_STATUS] = 0
        return data

    def refresh(self) -> None:
        """Take the samples that were due since."""
        now_s = self._now_s()
        period_s = self._period_s()
        if self.registers[_PWR_MGMT_1] & _SLEEP:
            self._sampled_s = now_s
        unseen = int((now_s - self._sampled_s) / period_s) - FIFO_BYTES
        self._sampled_s += max(0, unseen) * period_s  # nobody will see those: the FIFO holds fewer
        while now_s - self._sampled_s >= period_s - 1e-9:
            self._sampled_s += period_s
            self._sample(self._sampled_s)
        self.registers[_FIFO_COUNT : _FIFO_COUNT + 2] = len(self._fifo).to_bytes(2, "big")

    def _period_s(self) -> float:
        filtered = 0 < self.registers[_CONFIG] & 7 < 7
        return (1 + self.registers[_SMPLRT_DIV]) / (1000 if filtered else 8000) / self._clock

    def _sample(self, t_s: float) -> None:
        motion = self._motion(t_s)
        per_g = _PER_G[self.registers[_ACCEL_CONFIG] >> 3 & 3]
        per_degree = _PER_DEGREE[self.registers[_GYRO_CONFIG] >> 3 & 3]
        acceleration = _words(value * per_g for value in motion[:3])
        rotation = _words(value * per_degree for value in motion[3:])
        temperature = _words([(self._temperature_c() - 36.53) * 340])
        self.put(_ACCEL, acceleration + temperature + rotation)
        if self.registers[_USER_CTRL] & _FIFO_ON:
            # in order of the registers; bit 7 temperature, 6 to 4 the axes of rotation, 3 acceleration
            enabled = self.registers[_FIFO_EN]
            self._fifo += acceleration if enabled & 0x08 else b""
            self._fifo += temperature if enabled & 0x80 else b""
            for axis in range(3):
                self._fifo += rotation[2 * axis : 2 * axis + 2] if enabled & 0x40 >> axis else b""
            if len(self._fifo) > FIFO_BYTES:
                del self._fifo[: len(self._fifo) - FIFO_BYTES]
                self.registers[_INT_STATUS] |= _OVERFLOW


def _words(values: Iterable[float]) -> bytes:
    words = [clamp(value, -0x8000, 0x7FFF) for value in values]
    return struct.pack(f">{len(words)}h", *words)
