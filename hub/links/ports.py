"""The link to all boards on serial ports: it finds the ports as they come and go, and runs a link on each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.links.gate import OpenGate
from hub.links.link import NotReachable
from hub.links.loans import LENT, Loans, same
from hub.links.serial import SILENCE_S, SerialLink
from hub.links.session import Shared, monotonic_ms
from hub.links.usb import UsbPort, boards
from hub.model import LinkKind
from hub.wire.hub_session import FRAMES_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hub.config import SerialConfig
    from hub.links.gate import Gate
    from hub.links.link import LastSeq, Sink
    from hub.model import Command

log = logging.getLogger(__name__)

AUTO = "auto"
SCAN_S = 1.0
RESTART_S = 1.0


def present(ports: Iterable[str], find: Callable[[], Sequence[UsbPort]] = boards) -> list[str]:
    """Return those of `[serial] ports` that are there now, each device once; `auto` is what `find` finds."""
    wanted = tuple(ports)
    paths = [path for path in wanted if path != AUTO and Path(path).exists()]
    return list(dict.fromkeys([*paths, *(port.device for port in found(wanted, find))]))


def found(ports: Iterable[str], find: Callable[[], Sequence[UsbPort]] = boards) -> list[UsbPort]:
    """Return the ports that `auto` adds to those of `[serial] ports` that are configured by path."""
    wanted = tuple(ports)
    if AUTO not in wanted:
        return []
    # The same port may be configured by a lasting name, as /dev/serial/by-id has them.
    configured = {os.path.realpath(path) for path in wanted if path != AUTO}
    return [port for port in find() if os.path.realpath(port.device) not in configured]


class SerialPorts:
    """All boards on serial ports, as one link: commands and acks go to the port that the device is on.

    Configured paths are waited for; automatically found ones are served while they are there. `find` returns
    the latter; it runs in a thread each second. A UART bridge among them on which no board speaks for
    `silence_s` is left alone for a while: it may be another program's. A port gives at most `frames_per_s`.
    `release` lends a port to another program.
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
        find: Callable[[], Sequence[UsbPort]] = boards,
        silence_s: float = SILENCE_S,
        frames_per_s: int = FRAMES_PER_S,
        data_of: Callable[[Command], Sequence[bytes]] = lambda _command: (),
        gate: Gate | None = None,
    ) -> None:
        self._ports = config.ports
        self._configured = tuple(dict.fromkeys(path for path in config.ports if path != AUTO))
        self.shared = Shared(
            last_seq=last_seq,
            now_ms=now_ms,
            clock_ms=clock_ms,
            data_of=data_of,
            frames_per_s=frames_per_s,
            gate=gate or OpenGate(),
        )
        """What other links to boards share with this one."""
        self._find = find
        self._silence_s = silence_s
        self._links: dict[str, SerialLink] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._loans = Loans(clock_ms)
        self._look = asyncio.Event()

    async def run(self, sink: Sink) -> None:
        """Yield the events of all ports until cancelled."""
        async with asyncio.TaskGroup() as group:
            try:
                while True:
                    self._look.clear()
                    self._follow(await self._scan(), group, sink)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._look.wait(), SCAN_S)
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

    def cancel(self, command_id: str) -> None:
        """Ask whichever board has the command to give it up."""
        for link in self._links.values():
            link.cancel(command_id)

    def ack(self, device: str, boot_id: str, seq: int, *, again: bool = False) -> None:
        """Tell the board that its readings up to `seq` are committed, and have those after it `again`."""
        link = self._on(device)
        if link is not None:
            link.ack(device, boot_id, seq, again=again)

    def forget(self, _device: str) -> bool:
        """Do nothing: a board is told by its birth, and one that is away has no session."""
        return True

    async def release(self, port: str, seconds: float) -> bool:
        """Close `port` for so long, or until `resume`; return whether the hub had it.

        `port` is any path to the device; a second release prolongs the first.
        """
        served = [path for path in self._links if same(path, port)]
        held = bool(served) or self._loans.lent(port)
        self._loans.lend([port, *served], seconds)
        ending = []
        for path in served:
            log.info("serial: %s is lent to another program for at most %.0f s", path, seconds)
            self._links.pop(path).ending = LENT
            ending.append(self._tasks.pop(path))
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        return held

    def resume(self, port: str) -> None:
        """Take a lent port back."""
        self._loans.end(port)
        self._look.set()

    def _on(self, device: str) -> SerialLink | None:
        return next((link for link in self._links.values() if link.device == device), None)

    async def _scan(self) -> dict[str, bool]:
        """Return the paths to be served, and which of them are UART bridges that were found."""
        wanted = dict.fromkeys(self._configured, False)
        if AUTO in self._ports:
            try:
                ports = await asyncio.to_thread(found, self._ports, self._find)
            except OSError as error:
                # sysfs changes under the reader's hands while a device goes; the next scan sees it whole.
                log.debug("serial: ports could not be listed: %s", error)
                return wanted | dict.fromkeys(self._links, False)
            wanted |= {port.device: port.bridge for port in ports}
        return wanted

    def _follow(self, wanted: dict[str, bool], group: asyncio.TaskGroup, sink: Sink) -> None:
        """Start links on ports that came; end those on found ports that went."""
        for path in sorted(wanted.keys() - self._links.keys()):
            if not self._loans.lent(path):
                log.info("serial: serving %s", path)
                self._start(path, self._silence_s if wanted[path] else None, group, sink)
        for path in self._links.keys() - wanted.keys():
            if not self._links[path].open:
                self._tasks.pop(path).cancel()
                del self._links[path]

    def _start(self, path: str, silence_s: float | None, group: asyncio.TaskGroup, sink: Sink) -> None:
        link = self._links[path] = SerialLink(path, self.shared, silence_s=silence_s)
        self._tasks[path] = group.create_task(_keep(link, sink), name=f"serial {path}")


async def _keep(link: SerialLink, sink: Sink) -> None:
    """Run a link; a defect that ends it costs its port a moment, and no other port anything."""
    while True:
        try:
            await link.run(sink)
        except Exception:
            log.exception("serial: %s broke; it starts again", link.name)
        await asyncio.sleep(RESTART_S)
