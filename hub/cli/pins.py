"""The Pi's own pins on the command line: the check before a start, and what `outpost doctor` says of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hub.config import ConfigError
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.config import Config
    from hub.links.pins.plan import Plan

_SHOWN = 12


def look(config: Config) -> Iterator[tuple[str, str, str, bool]]:
    """Yield (what, found, remedy, fatal), as `outpost doctor` shows it."""
    yield from _configured(config)
    yield _found(Path(config.host.sysfs))
    yield _buses(Path(config.host.dev))


def check(config: Config, where: str) -> None:
    """Hold `[[sensor]]` against its drivers, before a start. Raises ConfigError that names the file."""
    if config.sensor:
        try:
            _plan(config)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error


def _plan(config: Config) -> Plan:
    from hub.flash.image import firmware_folder  # noqa: PLC0415 - only where a sensor is configured
    from hub.links.pins.plan import plan  # noqa: PLC0415 - as above

    return plan(
        config.sensor,
        drivers=firmware_folder() / "drivers",
        sys_root=Path(config.host.sysfs),
        dev_root=Path(config.host.dev),
        interval_ms=config.host.interval_ms,
    )


def _configured(config: Config) -> Iterator[tuple[str, str, str, bool]]:
    if not config.sensor:
        return
    try:
        wired = _plan(config)
    except OutpostError as error:
        yield "own sensors", str(error), "correct the entry and run this again", True
        return
    names = [metric.name for sensor in wired.sensors for metric in sensor.metrics]
    more = [] if wired.auto_ms is None else ["all that the kernel reads (auto)"]
    yield "own sensors", ", ".join([*names, *more]) or "none", "", False


def _found(sys_root: Path) -> tuple[str, str, str, bool]:
    from hub.links.pins.plan import discover  # noqa: PLC0415 - only where it is asked for

    devices = [
        f"{device.kind} {device.name}{f' ({device.place})' if device.place else ''}: "
        + ", ".join(channel.name for channel in device.channels)
        for device in discover(sys_root)
    ]
    left = f"; and {len(devices) - _SHOWN} more" if len(devices) > _SHOWN else ""
    return "kernel sensors", ("; ".join(devices[:_SHOWN]) or "none") + left, "", False


def _buses(dev_root: Path) -> tuple[str, str, str, bool]:
    paths = sorted([*dev_root.glob("i2c-*"), *dev_root.glob("gpiochip*")])
    closed = [path.name for path in paths if not os.access(path, os.R_OK | os.W_OK)]
    if closed:
        remedy = "sudo usermod -aG i2c,gpio $USER, then log in again; for the service see docs/pi.md"
        return "pins", f"no right to {', '.join(closed)}", remedy, False
    return "pins", ", ".join(path.name for path in paths) or "no I2C bus and no GPIO chip", "", False
