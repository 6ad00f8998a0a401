"""The link to all boards on serial ports: it finds the ports as they come and go, and runs a link on each."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serial.tools import list_ports

from hub.links.link import NotReachable
from hub.links.serial import SerialLink
from hub.links.serial_session import Shared, monotonic_ms
from hub.model import LinkKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hub.config import SerialConfig
    from hub.links.link import LastSeq, Sink
    from hub.model import Command

log = logging.getLogger(__name__)

AUTO = "auto"
SCAN_S = 1.0
RESTART_S = 1.0


def usb_ports() -> list[str]:
    """Return the device files of the USB serial ports that are plugged in, sorted."""
    return sorted(port.device for port in list_ports.comports() if port.vid is not None)


def present(ports: Iterable[str], find: Callable[[], Sequence[str]] = usb_ports) -> list[str]:
    """Return those of `[serial] ports` that are there now, each device once; `auto` is what `find` finds."""
    wanted = tuple(ports)
    paths = [path for path in wanted if path != AUTO and Path(path).exists()]
    if AUTO in wanted:
        # The same port may be configured by a lasting name, as /dev/serial/by-id has them.
        configured = {os.path.realpath(path) for path in wanted if path != AUTO}
        paths += [path for path in find() if os.path.realpath(path) not in configured]
    return list(dict.fromkeys(paths))


class SerialPorts:
    """All boards on serial ports, as one link: commands and acks go to the port that the device is on.

    Configured paths are waited for; automatically found ones are served while they are there. `find` returns
    the latter; it runs in a thread each second.
    """

    kind = LinkKind.SERIAL
    name = "serial"

    def __init__(
        self,
        config: SerialConfig,
        *,
        last_seq: LastSeq,
        now_ms: Callable[[], int],
        clock_ms: Callable[[], float] = monotonic_ms,
        find: Callable[[], Sequence[str]] = usb_ports,
    ) -> None:
        self._ports = config.ports
        self._shared = Shared(last_seq=last_seq, now_ms=now_ms, clock_ms=clock_ms)
        self._find = find
        self._links: dict[str, SerialLink] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self, sink: Sink) -> None:
        """Yield the events of all ports until cancelled."""
        async with asyncio.TaskGroup() as group:
            try:
                for path in dict.fromkeys(path for path in self._ports if path != AUTO):
                    self._start(path, group, sink)
                while True:
                    if AUTO in self._ports:
                        self._follow(await self._scan(), group, sink)
                    await asyncio.sleep(SCAN_S)
            except BaseException:
                self._links.clear()
                self._tasks.clear()
                raise

    async def send(self, command: Command) -> Any:
        """Deliver `command` to the port that its device is on. Raises NotReachable, Refused, NoAnswer."""
        link = self._on(command.device)
        if link is None:
            raise NotReachable(f"{command.device} is on no serial port now")
        return await link.send(command)

    def ack(self, device: str, boot_id: str, seq: int) -> None:
        """Tell the board that its readings up to `seq` are committed."""
        link = self._on(device)
        if link is not None:
            link.ack(device, boot_id, seq)

    def _on(self, device: str) -> SerialLink | None:
        return next((link for link in self._links.values() if link.device == device), None)

    async def _scan(self) -> set[str]:
        try:
            return set(await asyncio.to_thread(present, self._ports, self._find))
        except OSError as error:
            # sysfs changes under the reader's hands while a device goes; the next scan sees it whole.
            log.debug("serial: ports could not be listed: %s", error)
            return set(self._links)

    def _follow(self, found: set[str], group: asyncio.TaskGroup, sink: Sink) -> None:
        """Start links on ports that came; end those on found ports that went."""
        for path in sorted(found - self._links.keys()):
            log.info("serial: found %s", path)
            self._start(path, group, sink)
        for path in self._links.keys() - found - set(self._ports):
            if not self._links[path].open:
                self._tasks.pop(path).cancel()
                del self._links[path]

    def _start(self, path: str, group: asyncio.TaskGroup, sink: Sink) -> None:
        link = self._links[path] = SerialLink(path, self._shared)
        self._tasks[path] = group.create_task(_keep(link, sink), name=f"serial {path}")


async def _keep(link: SerialLink, sink: Sink) -> None:
    """Run a link; a defect that ends it costs its port a moment, and no other port anything."""
    while True:
        try:
            await link.run(sink)
        except Exception:
            log.exception("serial: %s broke; it starts again", link.name)
        await asyncio.sleep(RESTART_S)
