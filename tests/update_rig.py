"""A hub's rooms and a virtual board with our firmware, for updates over the link."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from hil.virtual import image
from hil.virtual.board import VirtualBoard
from hil.virtual.bridge import PWRON_RESET
from hil.virtual.files import FileCalls
from hil.virtual.flash import PICO_BYTES, Flash
from hil.virtual.wasi import VmEnded
from hub.bus import Bus
from hub.commands import Commands
from hub.config import SerialConfig
from hub.devices import Registry
from hub.flash.image import BoardFile, firmware
from hub.health import Health
from hub.ingest import Ingest
from hub.links.ports import SerialPorts
from hub.model import LinkKind
from hub.store.audit import CommandFilter
from hub.store.settings import StoreSettings
from hub.update.package import Package, make
from hub.update.updates import Packages, Updates
from tests.fresh_store import open_fresh
from tests.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from hub.model import CommandResult, LinkEvent
    from hub.store.store import Store

UID = "e6614103e7452b2f"
SETTINGS: dict[str, Any] = {"name": "bench", "interval_ms": 200, "watchdog": False}
QUICK = StoreSettings(ack_interval_s=0.05, idle_interval_s=0.05)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def original() -> dict[str, bytes]:
    """The firmware by path; a change on trial holds after one second here, not after twenty."""
    files = {file.path: file.data for file in firmware()}
    twenty, one = b"CONFIRM_MS = const(20000)", b"CONFIRM_MS = const(1000)"
    assert twenty in files["/guard.py"]
    files["/guard.py"] = files["/guard.py"].replace(twenty, one)
    return files


def version_file(version: str) -> BoardFile:
    source = original()["/version.py"]
    own = f'VERSION = "{version}"'.encode()
    return BoardFile("/version.py", re.sub(rb'VERSION = "[^"]+"', own, source))


def changed(number: int, *paths: str) -> list[BoardFile]:
    """Files of the firmware that do the same, and differ."""
    files = original()
    return [BoardFile(path, files[path] + f"# number {number}\n".encode()) for path in paths]


def release(version: str, *files: BoardFile, **about: Any) -> Package:
    """A release `version` in which only `files` changed: what it does not name stays."""
    return make([*files, version_file(version)], version, **about)


def put(folder: Path, files: list[BoardFile]) -> None:
    """Put a firmware on a board's flash by hand."""
    for file in files:
        image.put(folder, file.path, file.data)


def runs(folder: Path, package: Package) -> bool:
    """Whether all of a package's files are in their places."""
    paths = [line.split()[2][1:] for line in package.parts[0].decode().splitlines()[1:]]
    return all(
        (folder / path).read_bytes() == data for path, data in zip(paths, package.parts[1:], strict=True)
    )


def left_over(folder: Path) -> list[str]:
    """What of an update waits on the flash."""
    names = [path.name for path in folder.rglob("*") if path.name.endswith(".new")]
    return names + [name for name in ("manifest", "trial.json") if (folder / name).exists()]


class Fuse:
    """Cuts a board's power when so much was written: each byte counts, and each change of an entry."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.spent = 0

    def burn(self, count: int) -> int:
        """Return how much of `count` still passes; then the power is gone."""
        passes = count if self.left is None else min(count, self.left)
        self.spent += passes
        if self.left is not None:
            self.left -= passes
        return passes

    def blow(self) -> None:
        """The power goes, and comes again."""
        self.left = None
        raise VmEnded(PWRON_RESET)


@contextlib.contextmanager
def fused(board: VirtualBoard) -> Iterator[Fuse]:
    """Put a fuse into a board's power, as far as it writes to its flash."""
    fuse = Fuse()
    write, change = FileCalls.write, Flash.for_change

    def cut_write(calls: FileCalls, fd: int, data: bytes) -> Any:
        if calls._flash is not board.flash:
            return write(calls, fd, data)
        passes = fuse.burn(len(data))
        result = write(calls, fd, data[:passes])
        if passes < len(data):
            fuse.blow()
        return result

    def cut_change(flash: Flash, path: str) -> Any:
        if flash is board.flash and fuse.burn(1) == 0:
            fuse.blow()
        return change(flash, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileCalls, "write", cut_write)
        patch.setattr(Flash, "for_change", cut_change)
        yield fuse


class UpdateHub:
    """The rooms between a board's port and the trail, and the work of updates."""

    def __init__(self, store: Store, port: Path) -> None:
        self.store = store
        self.packages = Packages()
        self.package = release("0.2.0")
        self.link = SerialPorts(
            SerialConfig(ports=(str(port),)),
            last_seq=store.last_seq,
            now_ms=now_ms,
            data_of=self.packages.data_of,
        )
        self.registry = Registry()
        bus, health = Bus(epoch="0badcafe", now_ms=now_ms), Health()
        self.commands = Commands(registry=self.registry, store=store, bus=bus, health=health, now_ms=now_ms)
        ingest = Ingest(registry=self.registry, store=store, bus=bus, health=health, now_ms=now_ms)
        ingest.on_progress(self.commands.progress)
        self.registry.attach(self.link)
        self.watch = Watch()
        self._sink = ingest.sink_for(LinkKind.SERIAL)
        self.updates = Updates(
            registry=self.registry,
            commands=self.commands,
            packages=self.packages,
            load=lambda: self.package,
        )

    def sink(self, event: LinkEvent) -> None:
        self._sink(event)
        self.watch(event)

    async def update(self, *, force: bool = False) -> CommandResult:
        return await self.updates.update(UID, force=force, key=None, caller="test", origin="test")

    async def online(self) -> str:
        """Wait until the board is there; return its firmware."""
        return str(await self.until(self.firmware))

    def firmware(self) -> str:
        """What the board runs, while it is online."""
        state = self.registry.get(UID)
        return state.birth.firmware.split(" ")[0] if state is not None and state.online else ""

    async def until(self, met: Callable[[], Any]) -> Any:
        async with asyncio.timeout(60):
            while not (found := met()):
                await asyncio.sleep(0.02)
            return found

    async def trail(self) -> list[tuple[str, str]]:
        """The commands of the trail, oldest first: what, and how it ended."""
        entries, _ = await self.store.commands(CommandFilter(), limit=1000)
        return [(entry.command, entry.state) for entry in reversed(entries)]


@contextlib.asynccontextmanager
async def hub_on(folder: Path, port: Path) -> AsyncIterator[UpdateHub]:
    """Run the rooms on a port."""
    store = open_fresh(folder, health=Health(), now_ms=now_ms, settings=QUICK)
    await store.start()
    hub = UpdateHub(store, port)
    task = asyncio.create_task(hub.link.run(hub.sink))
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.close()


@contextlib.contextmanager
def board_with(
    tmp_path: Path, version: str = "0.2.0", flash_bytes: int = PICO_BYTES
) -> Iterator[VirtualBoard]:
    """A board whose firmware is `version`; its flash is the folder `flash`, its port the link `tty`."""
    folder = tmp_path / "flash"
    put(folder, [BoardFile(path, data) for path, data in original().items()])
    put(folder, [version_file(version)])
    image.put(folder, "board.json", msgspec.json.encode(SETTINGS))
    board = VirtualBoard(folder, uid=UID, link=tmp_path / "tty", flash_bytes=flash_bytes)
    board.start()
    try:
        yield board
    finally:
        board.stop()
    assert board.crashes == []
