"""What sensors that may be absent have in common: a set-up when they answer, another when they come back."""

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .contract import Bus, Hardware


class Sensor:
    """A sensor that needs a set-up: a subclass has `setup`, `start` and `fetch`, which may raise OSError.

    After any failure the sensor is taken for gone, and the next `begin` sets it up anew.
    """

    def __init__(self, metrics: "list[dict[str, Any]]") -> None:
        self.metrics = metrics
        self._ready = False
        self._started = False

    def setup(self) -> None:
        """Check the chip's identity and set it up."""

    def start(self) -> int:
        """Start a measurement; return the ms until it can be fetched."""
        return 0

    def fetch(self) -> "list[int | None]":
        """Return the values."""
        raise NotImplementedError

    def begin(self) -> int:
        """Start a measurement, after a set-up where one is due. Raises OSError."""
        self._started = False
        try:
            if not self._ready:
                self.setup()
                self._ready = True
            wait_ms = self.start()
        except OSError:
            self._ready = False
            raise
        self._started = True
        return wait_ms

    def read(self) -> "list[int | None]":
        """Return the values. Raises OSError, also where `begin` did."""
        if not self._started:
            raise OSError(errno.ENODEV, "no measurement was begun")
        try:
            return self.fetch()
        except OSError:
            self._ready = False
            raise


class I2cSensor(Sensor):
    """A sensor on an I2C bus, by the options of `options.i2c`."""

    def __init__(
        self, options: "dict[str, Any]", hardware: "Hardware", metrics: "list[dict[str, Any]]"
    ) -> None:
        super().__init__(metrics)
        self.bus: Bus = hardware.i2c(options["i2c"], options["sda"], options["scl"], options["freq"])
        self.address: int = options["address"]

    def get(self, register: int, count: int) -> bytearray:
        """Return `count` bytes from a register on."""
        data = bytearray(count)
        self.bus.readfrom_mem_into(self.address, register, data)
        return data

    def put(self, register: int, data: bytes) -> None:
        """Write bytes from a register on."""
        self.bus.writeto_mem(self.address, register, data)

    def expect(self, register: int, identity: int, chip: str) -> None:
        """Hold the byte that tells what chip this is. Raises OSError for another."""
        found = self.get(register, 1)[0]
        if found != identity:
            raise OSError(errno.ENODEV, f"this is no {chip}: its id is {found:#04x}, not {identity:#04x}")


def signed(word: int) -> int:
    """Return a 16-bit word as the number it means in two's complement."""
    return word - 0x10000 if word & 0x8000 else word
