"""What devices should be: commands that are sent again when a device comes back without what they set.

They are commands as any other, through the router and into the trail, sent when a session opens; nothing is
retained at a broker or replayed by a link.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from hub.commands.errors import BadParams, CommandRefused
from hub.commands.params import ParamChecks, offered
from hub.commands.wanted import Applied, DesiredView, Kept, Wanted, item_of, settable
from hub.devices import DeviceState, Registry, UnknownDevice
from hub.model import CommandState, OutpostError
from hub.store import alerts as table
from hub.store.alerts import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from hub.bus import Batch, Bus
    from hub.commands.router import Commands
    from hub.store.store import Store

log = logging.getLogger(__name__)

KIND = "desired"
ORIGIN = "desired"
MOST = 32
TTL_MS = 10_000

Spawn: TypeAlias = "Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]"


class DesiredChanged(OutpostError):
    """The desired values are not at the version that the caller has seen."""


class Desired:
    """The desired values of every device, and the sending of what is due. Loop thread only."""

    def __init__(
        self,
        *,
        commands: Commands,
        registry: Registry,
        store: Store,
        bus: Bus,
        now_ms: Callable[[], int],
        spawn: Spawn = asyncio.create_task,
    ) -> None:
        self._commands = commands
        self._registry = registry
        self._store = store
        self._now_ms = now_ms
        self._spawn = spawn
        self._checks = ParamChecks()
        self._documents: dict[str, tuple[Document, Kept]] = {}
        self._applied: dict[str, dict[int, Applied]] = {}
        self._sessions: dict[str, tuple[str | None, int]] = {}
        """Of which boot and version `_applied` is."""
        self._busy: dict[str, asyncio.Task[None]] = {}
        bus.subscribe(self._deliver)

    async def load(self) -> None:
        """Take up what the store has. Raises StoreError."""
        for document in await self._store.ask(lambda connection: table.documents(connection, KIND)):
            try:
                self._documents[document.id] = (document, msgspec.convert(document.body, Kept))
            except msgspec.ValidationError as error:
                log.error("the desired values of %s cannot be read: %s", document.id, error)

    def view(self, device: str) -> DesiredView:
        """Return desired against reported. Raises UnknownDevice."""
        state = self._known(device)
        if device not in self._documents:
            return DesiredView(
                device=device, version=0, updated_time=None, updated_by=None,
                agreed=True, agreed_time=None, items=[],
            )  # fmt: skip
        document, kept = self._documents[device]
        applied = self._applied_now(state)
        items = [
            item_of(state, kept, wanted, applied.get(place)) for place, wanted in enumerate(kept.commands)
        ]
        return DesiredView(
            device=device,
            version=document.version,
            updated_time=document.updated_time,
            updated_by=kept.by,
            agreed=all(item.state == "agreed" for item in items),
            agreed_time=kept.agreed_time,
            items=items,
        )

    def put(self, device: str, commands: Sequence[Wanted], *, version: int | None, by: str) -> DesiredView:
        """Set what a device should be, in place of all before; send it when the device is there.

        Raises UnknownDevice, DesiredChanged, and CommandRefused that names the command by its place.
        """
        state = self._known(device)
        at = self._documents[device][0].version if device in self._documents else 0
        if version is not None and version != at:
            raise DesiredChanged(
                f"they are at version {at}, not {version}: somebody changed them; look again"
            )
        if len(commands) > MOST:
            raise BadParams(f"commands: more than {MOST}")
        for place, wanted in enumerate(commands):
            self._check(state, wanted, f"commands[{place}]")
        self._keep(device, at + 1, Kept(commands=tuple(commands), by=by))
        self._due(device)
        return self.view(device)

    def forget(self, device: str) -> None:
        """Want nothing more of a device that is removed."""
        if self._documents.pop(device, None) is not None:
            self._sessions.pop(device, None)
            self._applied.pop(device, None)
            self._store.record(f"desired {device}", table.drop_document(KIND, device))

    # --- sending ---

    def _deliver(self, batch: Batch) -> None:
        for event in batch.events:
            if event.kind == "device" and event.device in self._documents:
                self._due(event.device)

    def _due(self, device: str) -> None:
        """Have what is due sent, where the device is there and nobody is at it."""
        state = self._registry.get(device)
        if state is None:
            return
        if not state.online:
            # What it answered was of the session that ended; a boot that is not told may be another one.
            if state.birth.boot_id is None:
                self._sessions.pop(device, None)
            return
        if device not in self._busy and self._left(state):
            task = self._busy[device] = self._spawn(self._apply(device))
            task.add_done_callback(lambda _: self._ended(device))

    def _ended(self, device: str) -> None:
        del self._busy[device]

    async def _apply(self, device: str) -> None:
        while True:
            state = self._registry.get(device)
            left = self._left(state) if state is not None and state.online else None
            if state is None or not left:
                return
            place, wanted = left[0]
            session = self._session(state)
            applied = await self._send(device, wanted)
            if applied is None:
                return  # it went away: it gets the rest when it comes back
            if self._registry.get(device) is not state:
                continue  # it was removed meanwhile, and may have come back as one that is new
            if self._session(state) == session:
                self._applied_now(state)[place] = applied
                self._agree(state)

    async def _send(self, device: str, wanted: Wanted) -> Applied | None:
        try:
            result = await self._commands.send(
                device=device, command=wanted.command, params=wanted.params, ttl_ms=TTL_MS,
                caller="hub", origin=ORIGIN,
            )  # fmt: skip
        except CommandRefused as error:
            # Its birth offers this no more, or with other parameters: only a new version or boot can help.
            return Applied(
                state=CommandState.FAILED, command_id="", time=self._now_ms(), error=str(error), result=None
            )
        state = self._registry.get(device)
        if result.state is not CommandState.SUCCEEDED and (state is None or not state.online):
            return None
        return Applied(
            state=result.state,
            command_id=result.id,
            time=result.time,
            error=result.error,
            result=result.result,
        )

    def _left(self, state: DeviceState) -> list[tuple[int, Wanted]]:
        """Return what was not sent in this boot yet."""
        if state.id not in self._documents:
            return []
        _, kept = self._documents[state.id]
        boot = state.birth.boot_id
        if kept.agreed_time is not None and boot is not None and kept.agreed_boot == boot:
            return []
        applied = self._applied_now(state)
        return [(place, wanted) for place, wanted in enumerate(kept.commands) if place not in applied]

    def _agree(self, state: DeviceState) -> None:
        document, kept = self._documents[state.id]
        applied = self._applied_now(state)
        done = [one for one in applied.values() if one.state is CommandState.SUCCEEDED]
        if len(done) == len(kept.commands):
            agreed = msgspec.structs.replace(
                kept, agreed_time=self._now_ms(), agreed_boot=state.birth.boot_id
            )
            self._keep(state.id, document.version, agreed)

    # --- what is known ---

    def _known(self, device: str) -> DeviceState:
        state = self._registry.get(device)
        if state is None:
            raise UnknownDevice(device)
        return state

    def _session(self, state: DeviceState) -> tuple[str | None, int]:
        return state.birth.boot_id, self._documents[state.id][0].version

    def _applied_now(self, state: DeviceState) -> dict[int, Applied]:
        """Return what was applied of this version in this boot; what was before is forgotten."""
        session = self._session(state)
        if self._sessions.get(state.id) != session:
            self._sessions[state.id], self._applied[state.id] = session, {}
        return self._applied[state.id]

    def _check(self, state: DeviceState, wanted: Wanted, field: str) -> None:
        try:
            kind = offered(state, wanted.command)
            self._checks.check(state.id, kind, wanted.params)
        except CommandRefused as error:
            raise type(error)(f"{field}: {error}") from error
        if not settable(kind):
            raise BadParams(f"{field}.command: {wanted.command!r} sets nothing that lasts; set_… commands do")

    def _keep(self, device: str, version: int, kept: Kept) -> None:
        before = self._documents.get(device)
        same = before is not None and before[0].version == version
        updated_time = before[0].updated_time if before is not None and same else self._now_ms()
        document = Document(
            id=device, version=version, updated_time=updated_time, body=msgspec.to_builtins(kept)
        )
        self._documents[device] = document, kept
        self._store.record(f"desired {device}", table.put_document(KIND, document))
