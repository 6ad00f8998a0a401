"""Updates of boards: one command in the trail each, however often the board restarts on the way."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from hub.commands import CommandRefused
from hub.devices import UnknownDevice
from hub.links.link import Cancelled, NotReachable
from hub.model import FirmwareOffer, LinkKind
from hub.update.package import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hub.commands import Commands
    from hub.commands.jobs import JobReport
    from hub.devices import DeviceState, Registry
    from hub.model import Command, CommandResult
    from hub.update.package import Package

COMMAND = "update"
FIRST = (0, 2, 0)
"""The first firmware that takes updates over the link."""
TTL_MS = 900_000
# A new firmware that fails is put back after three starts of at most a minute each.
AWAY_S = 240.0
AGAIN_S = 0.5
# A board that had the command for so long was there.
THERE_S = 2.0
# For so long a board may think about a cancel.
GIVE_UP_S = 10.0


class NotPossible(CommandRefused):
    """The device takes no updates from this hub; the message says what to do instead."""


class Packages:
    """The packages on their way to boards, by command: what links ask when a board fetches."""

    def __init__(self) -> None:
        self._packages: dict[str, Package] = {}

    def data_of(self, command: Command) -> Sequence[bytes]:
        """Return the data that comes with a command."""
        package = self._packages.get(command.id)
        return () if package is None else package.parts

    @contextmanager
    def sent_with(self, command: Command, package: Package) -> Iterator[None]:
        """Have `package` go with `command`."""
        self._packages[command.id] = package
        try:
            yield
        finally:
            del self._packages[command.id]


class Updates:
    """What firmware there is, and which boards get it. `load` reads the package, anew for each update."""

    def __init__(
        self, *, registry: Registry, commands: Commands, packages: Packages, load: Callable[[], Package]
    ) -> None:
        self._registry = registry
        self._commands = commands
        self._packages = packages
        self._load = load

    async def offer(self, device: str) -> FirmwareOffer:
        """Return what there is for a device. Raises UnknownDevice, FirmwareMissing."""
        state = self._registry.get(device)
        if state is None:
            raise UnknownDevice(device)
        return _offer(state, await asyncio.to_thread(self._load))

    async def update(
        self, device: str, *, force: bool, key: str | None, caller: str, origin: str
    ) -> CommandResult:
        """Update a device and return how it ended; who asks may go away meanwhile.

        With `force` also to an older version. Raises UnknownDevice, NotPossible, FirmwareMissing, and what
        `Commands.start_job` raises.
        """
        package = await asyncio.to_thread(self._load)
        state = self._registry.get(device)
        if state is None:
            raise UnknownDevice(device)
        offer = _offer(state, package)
        if not offer.possible:
            raise NotPossible(f"{device}: {offer.reason}")
        return await self._commands.run_job(
            lambda report: self._work(report, package, force),
            device=device,
            command=COMMAND,
            params={"version": package.version, "force": force},
            ttl_ms=TTL_MS,
            key=key,
            caller=caller,
            origin=origin,
        )

    async def _work(self, report: JobReport, package: Package, force: bool) -> Any:
        command = msgspec.structs.replace(
            report.command,
            params={"manifest": package.manifest_sha256, "bytes": package.manifest_bytes, "force": force},
        )
        before = self._firmware(command.device)
        with self._packages.sent_with(command, package):
            sending = asyncio.create_task(self._deliver(command, report))
            try:
                await self._end(sending, command)
            finally:
                sending.cancel()
        return {"before": before, "firmware": self._firmware(command.device)}

    async def _end(self, sending: asyncio.Task[Any], command: Command) -> Any:
        """Wait for the end. Cancelled, ask the board: it may be past the point of giving up."""
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            try:
                self._registry.link_of(command.device).cancel(command.id)
                async with asyncio.timeout(GIVE_UP_S):
                    return await sending
            except (Cancelled, NotReachable, TimeoutError):
                pass
            raise

    async def _deliver(self, command: Command, report: JobReport) -> Any:
        """Send the command, and again whenever the board comes back, until it says how the update ended."""
        loop = asyncio.get_running_loop()
        gone_s: float | None = None
        while True:
            begun_s = loop.time()
            try:
                return await self._registry.link_of(command.device).send(command)
            except NotReachable as error:
                now_s = loop.time()
                if gone_s is None or now_s - begun_s > THERE_S:
                    gone_s = now_s
                if now_s - gone_s > AWAY_S:
                    raise NotReachable(
                        f"{command.device} did not come back within {AWAY_S:.0f} s: {error}. It starts with "
                        "the old or the new firmware; update it again when it is there"
                    ) from error
            report.progress(None, "waiting for the board to come back")
            await asyncio.sleep(AGAIN_S)

    def _firmware(self, device: str) -> str:
        state = self._registry.get(device)
        return "" if state is None else state.birth.firmware


def _offer(state: DeviceState, package: Package) -> FirmwareOffer:
    has, there = parsed(state.birth.firmware), parsed(package.version)
    takes = state.link is LinkKind.SERIAL and has is not None and has >= FIRST
    reason = ""
    if state.link is not LinkKind.SERIAL:
        reason = "only boards on a serial port are updated by this hub"
    elif not takes:
        reason = "its firmware takes no updates over the link; run `outpost flash` once"
    return FirmwareOffer(
        device=state.id,
        firmware=state.birth.firmware,
        version=package.version,
        newer=takes and has is not None and there is not None and there > has,
        possible=takes,
        reason=reason,
    )
