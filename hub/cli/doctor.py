"""`outpost doctor`: looks at this machine and says what is well, what is missing and what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli import cameras, pins, starting
from hub.cli.finding import Finding
from hub.cli.options import data_option
from hub.config import Config, load
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command(short_help="Check this machine: what is well, missing, and to do.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also check this configuration.",
)
@data_option
def doctor(data: Path, config_file: Path | None) -> None:
    """Check this machine: configuration, data folder, hub, serial ports, broker, cameras, sensors, clock."""
    bad = False
    for finding in look(data, config_file):
        bad = bad or finding.fatal
        click.echo(finding)
    sys.exit(1 if bad else 0)


def look(data: Path, config_file: Path | None) -> Iterator[Finding]:
    """Yield what was found, one thing at a time."""
    config = Config()
    if config_file is not None:
        try:
            config = load(config_file)
            yield Finding("configuration", f"{config_file} is valid")
        except OutpostError as error:
            yield Finding("configuration", str(error), "correct the file and run this again", fatal=True)
        yield from starting.look(config, config_file)
    yield _python()
    yield _data(data)
    yield asyncio.run(_hub(data))
    yield _serial(config)
    yield asyncio.run(_broker(config))
    yield from cameras.look(config)
    for what, found, remedy, fatal in pins.look(config):
        yield Finding(what, found, remedy, fatal)
    yield _clock()


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    machine = os.uname().machine
    if machine.startswith("armv"):
        return Finding(
            "system", f"Python {version} on {machine}", "a 64-bit OS is needed for video (pylibsrtp)"
        )
    return Finding("system", f"Python {version} on {machine}")


def _data(data: Path) -> Finding:
    folder = data
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        return Finding(
            "data folder", f"{folder} is not a folder", "name a folder for the data with --data", fatal=True
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(
            "data folder",
            f"{data} cannot be written",
            f"give yourself the right to {folder}, or use --data",
            fatal=True,
        )
    free_mb = shutil.disk_usage(folder).free >> 20
    if free_mb < 200:
        return Finding(
            "data folder", f"{data}: {free_mb} MB free", "free some space; the store stops when it is full"
        )
    return Finding("data folder", f"{data}: {free_mb} MB free")


async def _hub(data: Path) -> Finding:
    from hub.cli.client import Failed, NoHub, access, answer, hub  # noqa: PLC0415 - aiohttp only when it is asked for

    try:
        async with hub(data) as session, session.get("/api/v1/hub") as response:
            known = await answer(response)
    except NoHub:
        return Finding("hub", f"none runs on {data}")
    except Failed as error:
        return Finding("hub", str(error))
    if known["health"]["store_degraded"]:
        return Finding("hub", f"answers at {access(data).url}", "its store cannot commit: see its log")
    return Finding("hub", f"{known['name']} {known['version']} answers at {access(data).url}")


def _serial(config: Config) -> Finding:
    from hub.links import ports, usb  # noqa: PLC0415 - pyserial only when it is asked for

    found = ports.present(config.serial.ports)
    others = [port.text for port in usb.others()]
    left = f"; left alone: {', '.join(others)}" if others and ports.AUTO in config.serial.ports else ""
    if drives := usb.bootloaders():
        return Finding(
            "serial ports",
            f"{', '.join(found) or 'none'}; a board waits for MicroPython (the drive {drives[0]})",
            "copy the .uf2 file of https://micropython.org/download/ there, then run `outpost flash`",
        )
    if not found:
        remedy = "name it under `[serial] ports` if it is a board" if left else "plug a board in by USB"
        return Finding("serial ports", f"none{left}", f"{remedy}, or run `outpost run --demo`")
    closed = [port for port in found if not os.access(port, os.R_OK | os.W_OK)]
    if closed:
        return Finding(
            "serial ports",
            f"no right to {', '.join(closed)}",
            "sudo usermod -aG dialout $USER, then log in again",
        )
    texts = [port.text if (port := usb.at(path)) is not None else path for path in found]
    return Finding("serial ports", f"{', '.join(texts)}{left}")


async def _broker(config: Config) -> Finding:
    from hub.links import mqtt  # noqa: PLC0415 - paho only when it is asked for

    where = f"{config.mqtt.host}:{config.mqtt.port}"
    if not config.mqtt.enabled:
        return Finding("MQTT broker", "off by configuration")
    if await mqtt.probe(config.mqtt.host, config.mqtt.port):
        return Finding("MQTT broker", f"answers at {where}")
    return Finding(
        "MQTT broker", f"none at {where}", "sudo apt install mosquitto, or set [mqtt] enabled = false"
    )


def _clock() -> Finding:
    from datetime import UTC, datetime  # noqa: PLC0415 - only here

    now = datetime.now(UTC)
    if now.year < 2025:
        return Finding("clock", f"{now:%Y-%m-%d %H:%M} UTC is in the past", "set the time, or wait for NTP")
    return Finding("clock", f"{now:%Y-%m-%d %H:%M} UTC")
