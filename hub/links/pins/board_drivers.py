"""The boards' driver files (firmware/drivers) in the hub's process, under a name of their own.

The files import nothing of a port: what a driver wants of a board it asks of the `hardware` it is handed
(firmware/drivers/contract.pyi), here hub.links.pins.hardware. So no module of MicroPython is imitated, and
none of its names comes into the hub's `sys.modules`.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from hub.model import OutpostError

if TYPE_CHECKING:
    from pathlib import Path

    from firmware.drivers.contract import Driver, Hardware

# What a board has and the Pi has not, with what does it here.
_ELSEWHERE = {
    "adc": "the Pi has no analog inputs; an ADC chip with a kernel driver is read by `iio`",
    "dht22": "the kernel reads it: dtoverlay=dht11,gpiopin=… in config.txt, then `iio` with device dht11",
    "internal": "the Pi tells of itself without being asked",
}
_PINS_OF_A_BUS = ("sda", "scl", "freq")


class DriversMissing(OutpostError):
    """The boards' driver files are not where an installation has them."""


class BoardDrivers:
    """The driver files in `folder`. Raises DriversMissing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._package = _load(folder)

    def names(self) -> list[str]:
        """Return the drivers that work on the Pi."""
        found = sorted(path.stem for path in self._folder.glob("*.py") if not path.stem.startswith("_"))
        return [name for name in found if name not in _ELSEWHERE and self._module(name) is not None]

    def check(self, entry: dict[str, Any]) -> dict[str, Any] | None:
        """Return an entry with its defaults; None where there is no such driver. Raises ValueError.

        On the Pi an I2C chip has no pins to name (the kernel's bus has), and its bus is 1 by default.
        """
        name = entry["driver"]
        if name in _ELSEWHERE:
            raise ValueError(f"{name}: {_ELSEWHERE[name]}")
        module = self._module(name)
        if module is None:
            return None
        rules = module.options()
        if "i2c" in rules:
            rules["i2c"] = rules["i2c"] | {"maximum": 255, "default": 1}
            for pin in _PINS_OF_A_BUS:
                del rules[pin]
        try:
            options: dict[str, Any] = self._rules().checked(entry, rules, module.REQUIRED)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        return options

    def make(self, options: dict[str, Any], hardware: Hardware) -> Driver:
        """Return the driver for an entry that `check` returned; no hardware is touched. Raises ValueError."""
        full = options | ({"sda": 0, "scl": 0, "freq": 100_000} if "i2c" in options else {})
        made: Driver = self._module(options["driver"]).make(full, hardware)
        return made

    def metric(
        self, options: dict[str, Any], name: str, unit: str, decimals: int, title: str
    ) -> dict[str, Any]:
        """Return a birth's entry for a number of which `options` say prefix and title, as boards name it."""
        made: dict[str, Any] = self._package.metrics(options, ((name, unit, decimals, title),))[0]
        return made

    def _module(self, name: str) -> Any:
        try:
            return self._package.load(name)
        except ValueError:
            return None

    def _rules(self) -> Any:
        return importlib.import_module(f"{self._package.__name__}.options")


def _load(folder: Path) -> Any:
    """Return the package of the driver files, imported once for each folder."""
    name = f"outpost_board_drivers_{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise DriversMissing(f"{folder}: holds no drivers; is the installation complete?")
    package = importlib.util.module_from_spec(spec)
    # Relative imports look here; the name is one that nothing else has.
    sys.modules[name] = package
    try:
        spec.loader.exec_module(package)
    except OSError as error:
        del sys.modules[name]
        raise DriversMissing(f"{folder}: holds no drivers; is the installation complete?") from error
    return package
