"""One lifecycle for every command, whoever sent it: checked, queued, sent, answered, recorded, announced."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from hub.bus import Bus, Event
from hub.commands.errors import AlreadySent, BadParams, NoSuchCommand, QueueFull, TooFast
from hub.commands.keys import REMEMBERED_KEYS, Keys, done
from hub.commands.pace import Pace, PaceLimit
from hub.commands.params import ParamChecks, offered
from hub.devices import Registry, UnknownDevice
from hub.links.link import NoAnswer, NotReachable, Refused
from hub.model import Command, CommandResult, CommandState
from hub.store.audit import CommandFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from hub.commands.journal import Journal
    from hub.health import Health
    from hub.store.audit import AuditEntry
    from hub.store.store import Store

log = logging.getLogger(__name__)

Spawn: TypeAlias = "Callable[[Coroutine[Any, Any, CommandResult]], asyncio.Task[CommandResult]]"
"""Starts a task in the group that owns it."""

DEFAULT_TTL_MS = 10_000
MAX_TTL_MS = 600_000
QUEUE_LIMIT = 32

NOT_SENT = "not sent: the hub ended before it was its turn"
UNKNOWN = (
    "unknown: the hub ended while the device had it; it may have been done, and is not sent again by itself"
)


class Carried:
    """A command under way: where it stands, and how its wait is ended."""

    def __init__(self, request: Command) -> None:
        self.request = request
        self.state = CommandState.QUEUED
        self.cancelled_by: str | None = None
        self.wait: asyncio.Timeout | None = None


class Commands:
    """Sends commands to devices, in order per device, and keeps the audit trail."""

    def __init__(
        self,
        *,
        registry: Registry,
        store: Store,
        bus: Bus,
        health: Health,
        now_ms: Callable[[], int],
        spawn: Spawn = asyncio.create_task,
        journal: Journal | None = None,
        pace: PaceLimit | None = None,
    ) -> None:
        self._registry = registry
        self._store = store
        self._bus = bus
        self._health = health
        self._now_ms = now_ms
        self._spawn = spawn
        self._journal = journal
        self._pace = Pace(pace or PaceLimit())
        self._checks = ParamChecks()
        self._turns: dict[str, asyncio.Lock] = {}
        self._waiting: dict[str, int] = {}
        self._carried: dict[str, Carried] = {}
        self._keys = Keys()

    async def recover(self) -> int:
        """Bring the trail to an end where a hub ended before: say what is known, and send nothing.

        Returns how many commands were under way. Call it once, before the first command. Raises StoreError.
        """
        for request, outcome in self._journal.read() if self._journal is not None else ():
            self._store.put_command(request, outcome)
        open_ = 0
        for state, error in ((CommandState.QUEUED, NOT_SENT), (CommandState.SENT, UNKNOWN)):
            entries = await self._all(CommandFilter(state=state))
            for entry in entries:
                self._record(_request(entry), CommandState.FAILED, error=error)
            open_ += len(entries)
        keyed, _ = await self._store.commands(CommandFilter(keyed=True), limit=REMEMBERED_KEYS)
        for entry in reversed(keyed):
            if entry.key is not None and entry.state.final:
                of = (entry.device, entry.command, entry.params)
                self._keys.remember(entry.caller, entry.key, *of, done(_result(entry)))
        if self._journal is not None and self._store.degraded is None:
            self._journal.clear()
        if open_:
            log.warning("%d commands were under way when the hub ended: they count as failed", open_)
        return open_

    async def send(
        self,
        *,
        device: str,
        command: str,
        params: Mapping[str, Any],
        ttl_ms: int | None = None,
        key: str | None = None,
        caller: str,
        origin: str,
    ) -> CommandResult:
        """Carry a command to its end and return the final result.

        `key` makes a retry safe: the same caller's same key returns the first result. A caller that goes away
        does not undo what it asked for. Raises UnknownDevice, UnknownCommand, BadParams, QueueFull, TooFast
        before anything is queued.
        """
        if key is not None:
            first = self._keys.find(caller, key, device, command, params)
            if first is not None:
                return await asyncio.shield(first)
        request = self._accept(device, command, params, ttl_ms, key, caller, origin)
        carried = self._carried[request.id] = Carried(request)
        self._waiting[device] = self._waiting.get(device, 0) + 1
        task = self._spawn(self._carry(carried))
        if key is not None:
            self._keys.remember(caller, key, device, command, params, task)
        return await asyncio.shield(task)

    def cancel(self, identity: str, caller: str) -> None:
        """Take back a command that waits for its turn. Raises NoSuchCommand, AlreadySent."""
        carried = self._carried.get(identity)
        if carried is None:
            raise NoSuchCommand(f"no command {identity[:40]!r} is under way")
        if carried.state is not CommandState.QUEUED:
            raise AlreadySent(f"{carried.request.device} has the command already: it cannot be taken back")
        if carried.cancelled_by is None:
            carried.cancelled_by = caller
            if carried.wait is not None:
                carried.wait.reschedule(asyncio.get_running_loop().time())

    def _accept(
        self,
        device: str,
        command: str,
        params: Mapping[str, Any],
        ttl_ms: int | None,
        key: str | None,
        caller: str,
        origin: str,
    ) -> Command:
        wait_ms = self._pace.take(caller, asyncio.get_running_loop().time())
        if wait_ms:
            raise TooFast(caller, wait_ms)
        state = self._registry.get(device)
        if state is None:
            raise UnknownDevice(device)
        self._checks.check(device, offered(state, command), params)
        if self._waiting.get(device, 0) >= QUEUE_LIMIT:
            raise QueueFull(f"{device} has {QUEUE_LIMIT} commands waiting; try again when they are answered")
        ttl = DEFAULT_TTL_MS if ttl_ms is None else ttl_ms
        if not 1 <= ttl <= MAX_TTL_MS:
            raise BadParams(f"ttl_ms: {ttl} is not within 1 to {MAX_TTL_MS}")
        return Command(
            id=secrets.token_hex(8),
            device=device,
            command=command,
            params=dict(params),
            ttl_ms=ttl,
            caller=caller,
            origin=origin,
            created_time=self._now_ms(),
            key=key,
        )

    async def _carry(self, carried: Carried) -> CommandResult:
        request = carried.request
        self._reach(carried, CommandState.QUEUED)
        try:
            return await self._in_turn(carried)
        except asyncio.CancelledError:
            # The hub stops. The trail is told now what the next start would only find out.
            sent = carried.state is CommandState.SENT
            self._reach(carried, CommandState.FAILED, error=UNKNOWN if sent else NOT_SENT)
            raise
        finally:
            del self._carried[request.id]
            self._waiting[request.device] -= 1

    async def _in_turn(self, carried: Carried) -> CommandResult:
        request = carried.request
        turn = self._turns.setdefault(request.device, asyncio.Lock())
        deadline = asyncio.get_running_loop().time() + request.ttl_ms / 1000
        try:
            async with asyncio.timeout_at(deadline) as carried.wait:
                if carried.cancelled_by is not None:
                    carried.wait.reschedule(0)
                await turn.acquire()
        except TimeoutError:
            if carried.cancelled_by is not None:
                why = f"not sent: cancelled by {carried.cancelled_by}"
                return self._reach(carried, CommandState.CANCELLED, error=why)
            why = f"not sent: {request.device} was busy with other commands for {request.ttl_ms} ms"
            return self._reach(carried, CommandState.EXPIRED, error=why)
        try:
            return await self._deliver(carried, deadline)
        finally:
            turn.release()

    async def _deliver(self, carried: Carried, deadline: float) -> CommandResult:
        request = carried.request
        left_ms = max(1, int((deadline - asyncio.get_running_loop().time()) * 1000))
        try:
            link = self._registry.link_of(request.device)
            self._reach(carried, CommandState.SENT)
            result = await link.send(msgspec.structs.replace(request, ttl_ms=left_ms))
        except (NotReachable, Refused) as error:
            return self._reach(carried, CommandState.FAILED, error=str(error))
        except NoAnswer as error:
            return self._reach(carried, CommandState.TIMED_OUT, error=str(error))
        except Exception:
            log.exception(
                "command %s (%s to %s) broke in the hub", request.id, request.command, request.device
            )
            return self._reach(carried, CommandState.FAILED, error="the hub failed; its log says more")
        return self._reach(carried, CommandState.SUCCEEDED, result=result)

    def _reach(
        self, carried: Carried, state: CommandState, *, result: Any = None, error: str | None = None
    ) -> CommandResult:
        carried.state = state
        return self._record(carried.request, state, result=result, error=error)

    def _record(
        self, request: Command, state: CommandState, *, result: Any = None, error: str | None = None
    ) -> CommandResult:
        outcome = CommandResult(
            id=request.id,
            device=request.device,
            command=request.command,
            state=state,
            time=self._now_ms(),
            result=result,
            error=error,
            caller=request.caller,
            origin=request.origin,
        )
        if self._journal is not None:
            self._journal.put(outcome, request if state is CommandState.QUEUED else None)
        self._store.put_command(request, outcome)
        self._bus.publish(Event(kind="command", device=request.device, data=outcome))
        if state.final:
            self._health.commands.labels(state).inc()
            log.info(
                "command %s: %s to %s by %s %s%s",
                request.id,
                request.command,
                request.device,
                request.caller,
                state,
                f": {error}" if error else "",
            )
        return outcome

    async def _all(self, wanted: CommandFilter) -> list[AuditEntry]:
        entries: list[AuditEntry] = []
        cursor = None
        while True:
            page, cursor = await self._store.commands(wanted, limit=1000, before=cursor)
            entries += page
            if cursor is None:
                return entries


def _request(entry: AuditEntry) -> Command:
    return Command(
        id=entry.id,
        device=entry.device,
        command=entry.command,
        params=entry.params,
        ttl_ms=entry.ttl_ms,
        caller=entry.caller,
        origin=entry.origin,
        created_time=entry.created_time,
        key=entry.key,
    )


def _result(entry: AuditEntry) -> CommandResult:
    return CommandResult(
        id=entry.id,
        device=entry.device,
        command=entry.command,
        state=entry.state,
        time=entry.times.get(entry.state, entry.created_time),
        result=entry.result,
        error=entry.error,
        caller=entry.caller,
        origin=entry.origin,
    )
