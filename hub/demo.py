"""The demo: what `make run` brings up where no hardware is attached, all of it real software.

Virtual boards (the real firmware on a real MicroPython VM behind a pty), a test-pattern camera, and a
Mosquitto where no broker answers. Each is a child process that ends with the hub.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib.util
import logging
import shutil
import signal
import sys
from typing import TYPE_CHECKING

import msgspec

from hub.config import CameraConfig, Config, MqttConfig
from hub.links import mqtt, ports
from hub.model import OutpostError

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

_BOARDS = (("greenhouse", "e66141d0c0ffee01"), ("workshop", "e66141d0c0ffee02"))
_PR_SET_PDEATHSIG = 1
_MOSQUITTO = """\
# The demo's broker: this machine only, nothing kept, no log. Started by root it would become another user,
# which frees it from ending with the hub (prctl(2)).
user root
listener {port} localhost
allow_anonymous true
persistence false
log_dest none
"""


class DemoError(OutpostError):
    """The demo cannot be brought up here."""


class Demo:
    """Owns the demo's child processes and the configuration that goes with them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: list[asyncio.subprocess.Process] = []
        self.notes: list[str] = []
        """What was brought up, for people, a line each."""
        self.boards: list[str] = []
        """The ids of the boards that were brought up."""

    async def start(self, config: Config) -> Config:
        """Bring up what is missing and return the configuration that reaches it. Raises DemoError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        config = await self._boards(config)
        config = await self._broker(config)
        if not config.camera:
            config = msgspec.structs.replace(
                config, camera=(CameraConfig(id="front", name="Test pattern", source="test"),)
            )
            self.notes.append("camera: a test pattern, as none is configured")
        return config

    async def watch(self) -> None:
        """Say so when a child ends on its own; its own last words are on the console."""

        async def one(child: asyncio.subprocess.Process) -> None:
            code = await child.wait()
            log.error("demo: process %d ended with code %d", child.pid, code)

        async with asyncio.TaskGroup() as tasks:
            for child in self._children:
                tasks.create_task(one(child))

    async def stop(self) -> None:
        """End the children and wait until they are gone."""
        for child in self._children:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        for child in self._children:
            try:
                await asyncio.wait_for(child.wait(), 5)
            except TimeoutError:
                child.kill()
                await child.wait()

    async def _boards(self, config: Config) -> Config:
        found = ports.present(config.serial.ports)
        if found:
            self.notes.append(f"boards: {len(found)} serial port(s) found: {', '.join(found)}")
            return config
        if importlib.util.find_spec("hil") is None or importlib.util.find_spec("wasmtime") is None:
            raise DemoError(
                "virtual boards need the packages of outpost-hub[virtual]; in a checkout, run `make run`"
            )
        links = []
        for name, uid in _BOARDS:
            link = self._folder / f"tty-{name}"
            link.unlink(missing_ok=True)
            await self._spawn(
                sys.executable,
                *("-m", "hil.virtual", "--link", str(link), "--uid", uid, "--name", name.capitalize()),
                *("--flash", str(self._folder / f"flash-{name}")),
            )
            links.append(str(link))
            self.boards.append(uid)
        self.notes.append(
            "boards: none plugged in, so two virtual boards run (our firmware on a MicroPython VM)"
        )
        serial = msgspec.structs.replace(config.serial, ports=(*config.serial.ports, *links))
        return msgspec.structs.replace(config, serial=serial)

    async def _broker(self, config: Config) -> Config:
        if not config.mqtt.enabled or await mqtt.probe(config.mqtt.host, config.mqtt.port):
            return config
        if config.mqtt != MqttConfig():
            # A broker that somebody configured is theirs to start.
            return config
        mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if mosquitto is None:
            self.notes.append("MQTT: no broker answers and Mosquitto is not installed")
            return config
        settings = self._folder / "mosquitto.conf"
        settings.write_text(_MOSQUITTO.format(port=config.mqtt.port))
        await self._spawn(mosquitto, "-c", str(settings))
        self.notes.append(f"MQTT: a Mosquitto of the demo's own on localhost:{config.mqtt.port}")
        return config

    async def _spawn(self, *command: str) -> None:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            preexec_fn=_end_with_parent,
        )
        self._children.append(child)
        log.info("demo: started %s (pid %d)", " ".join(command), child.pid)


def _end_with_parent() -> None:
    """Have the kernel end this child when the hub dies, even by SIGKILL (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
