"""One lifecycle for every command, whoever sent it: checked, queued, sent, answered, recorded, announced."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from hub.commands.carried import Carried
from hub.commands.errors import AlreadySent, NoSuchCommand
from hub.commands.intake import Intake
from hub.commands.jobs import Job, run
from hub.commands.keys import First, Keys
from hub.commands.record import Recorder
from hub.commands.recovery import NOT_SENT, UNKNOWN, recover
from hub.links.link import Cancelled, NoAnswer
from hub.model import Command, CommandResult, CommandState, OutpostError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from hub.bus import Bus
    from hub.commands.journal import Journal
    from hub.commands.pace import PaceLimit
    from hub.devices import Registry
    from hub.health import Health
    from hub.model import CommandProgress, Progress
    from hub.store.store import Store

log = logging.getLogger(__name__)

Spawn: TypeAlias = "Callable[[Coroutine[Any, Any, CommandResult]], asyncio.Task[CommandResult]]"
"""Starts a task in the group that owns it."""
Deliver: TypeAlias = "Callable[[Command], Awaitable[Any]]"
"""Carries out a command that has its turn, whose `ttl_ms` is what is left; returns its result."""


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
        self._spawn = spawn
        self._journal = journal
        self._recorder = Recorder(store=store, bus=bus, health=health, now_ms=now_ms, journal=journal)
        self._intake = Intake(registry, now_ms, pace)
        self._turns: dict[str, asyncio.Lock] = {}
        self._carried: dict[str, Carried] = {}
        self._keys = Keys()

    async def recover(self) -> int:
        """Bring the trail to an end where a hub ended before: say what is known, and send nothing.

        Returns how many commands were under way. Call it once, before the first command. Raises StoreError.
        """
        return await recover(self._store, self._journal, self._recorder, self._keys)

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
        first = self._keys.find(caller, key, device, command, params)
        if first is not None:
            return await asyncio.shield(first.outcome)
        now_s = asyncio.get_running_loop().time()
        request = self._intake.command(
            device, command, params, ttl_ms=ttl_ms, key=key, caller=caller, origin=origin, now_s=now_s
        )
        return await asyncio.shield(self._start(Carried(request, self._recorder.announce), self._over_link))

    def start_job(
        self,
        job: Job,
        *,
        device: str,
        command: str,
        params: Mapping[str, Any],
        caller: str,
        ttl_ms: int | None = None,
        key: str | None = None,
        origin: str = "job",
    ) -> First:
        """Run hub code as one command of a device: a firmware update, a sweep. Returns it and its future end.

        `job` is called when it is the command's turn, and holds the device's turn until it ends: other
        commands wait, so it talks to the device by its link, never by `send`. It is one entry of the trail
        (`queued → sent → …`), with `ttl_ms` (up to an hour) for waiting and work together, progress by
        `report.progress(percent, text)`, and a result: what it returns (a JSON value).

        Cancelling (`cancel`, by whoever may) raises CancelledError inside the job where it awaits. Let it
        through after cleaning up: the command is `cancelled`. Past its point of no return a job catches it
        and goes its way: then its result counts. OutpostErrors fail the command with their words; NoAnswer,
        and the end of `ttl_ms`, are `timed_out`. When the hub stops, the job is cancelled too and the trail
        says `unknown`. Jobs are not resumed by a restart.

        With a `key` that the caller used before, the first one is returned. Raises UnknownDevice, BadParams
        (key, ttl_ms), QueueFull, TooFast before anything is queued.
        """
        first = self._keys.find(caller, key, device, command, params)
        if first is not None:
            return first
        now_s = asyncio.get_running_loop().time()
        request = self._intake.command(
            device,
            command,
            params,
            ttl_ms=ttl_ms,
            key=key,
            caller=caller,
            origin=origin,
            now_s=now_s,
            job=True,
        )
        carried = Carried(request, self._recorder.announce)
        return First(request, self._start(carried, lambda asked: run(job, carried, asked)))

    async def run_job(self, job: Job, **request: Any) -> CommandResult:
        """Run a job as `start_job` does, and return its final result; who asks may go away meanwhile."""
        return await asyncio.shield(self.start_job(job, **request).outcome)

    def progress(self, event: CommandProgress) -> None:
        """Take in what a device tells of a command that it has. Of others, and of other devices, nothing."""
        carried = self._carried.get(event.command_id)
        if carried is not None and carried.request.device == event.device:
            carried.report(event.percent, event.text)

    def progress_of(self, identity: str) -> Progress | None:
        """Return how far a command under way is, where it told."""
        carried = self._carried.get(identity)
        return None if carried is None else carried.progress

    def device_of(self, identity: str) -> str:
        """Return whose command one under way is. Raises NoSuchCommand."""
        return self._under_way(identity).request.device

    def _under_way(self, identity: str) -> Carried:
        carried = self._carried.get(identity)
        if carried is None:
            raise NoSuchCommand(identity)
        return carried

    def cancel(self, identity: str, caller: str) -> bool:
        """Take a command back: True where it will not be sent.

        False where the device, or a job, has it and is asked to give it up: it is `cancelled` only when that
        is confirmed, else it goes its way. Raises NoSuchCommand; AlreadySent where the link cannot ask.
        """
        carried = self._under_way(identity)
        waits = carried.state is CommandState.QUEUED
        if not waits:
            self._recall(carried)
        if carried.cancelled_by is None:
            carried.cancelled_by = caller
        if waits and carried.wait is not None:
            carried.wait.reschedule(asyncio.get_running_loop().time())
        return waits

    def _recall(self, carried: Carried) -> None:
        """Ask who has the command to give it up. Raises AlreadySent."""
        if carried.work is not None:
            if carried.cancelled_by is None:
                carried.work.cancel()
            return
        device = carried.request.device
        try:
            self._registry.link_of(device).cancel(carried.request.id)
        except OutpostError as error:
            raise AlreadySent(f"{device} has the command already: {error}") from error

    def _start(self, carried: Carried, deliver: Deliver) -> asyncio.Task[CommandResult]:
        request = carried.request
        self._carried[request.id] = carried
        self._intake.begin(request.device)
        task = self._spawn(self._carry(carried, deliver))
        self._keys.remember(request, task)
        return task

    async def _carry(self, carried: Carried, deliver: Deliver) -> CommandResult:
        self._reach(carried, CommandState.QUEUED)
        try:
            return await self._in_turn(carried, deliver)
        except asyncio.CancelledError:
            # The hub stops. The trail is told now what the next start would only find out.
            sent = carried.state is CommandState.SENT
            self._reach(carried, CommandState.FAILED, error=UNKNOWN if sent else NOT_SENT)
            raise
        finally:
            carried.ends()
            del self._carried[carried.request.id]
            self._intake.end(carried.request.device)

    async def _in_turn(self, carried: Carried, deliver: Deliver) -> CommandResult:
        request = carried.request
        turn = self._turns.setdefault(request.device, asyncio.Lock())
        deadline = asyncio.get_running_loop().time() + request.ttl_ms / 1000
        try:
            async with asyncio.timeout_at(deadline) as carried.wait:
                if carried.cancelled_by is not None:
                    carried.wait.reschedule(0)
                await turn.acquire()
        except TimeoutError:
            return self._not_sent(carried)
        try:
            if carried.cancelled_by is not None:
                return self._not_sent(carried)
            return await self._deliver(carried, deliver, deadline)
        finally:
            turn.release()

    def _not_sent(self, carried: Carried) -> CommandResult:
        if carried.cancelled_by is not None:
            why = f"not sent: cancelled by {carried.cancelled_by}"
            return self._reach(carried, CommandState.CANCELLED, error=why)
        request = carried.request
        why = f"not sent: {request.device} was busy with other commands for {request.ttl_ms} ms"
        return self._reach(carried, CommandState.EXPIRED, error=why)

    async def _deliver(self, carried: Carried, deliver: Deliver, deadline: float) -> CommandResult:
        request = carried.request
        left_ms = max(1, int((deadline - asyncio.get_running_loop().time()) * 1000))
        try:
            self._registry.link_of(request.device)
            self._reach(carried, CommandState.SENT)
            result = await deliver(msgspec.structs.replace(request, ttl_ms=left_ms))
        except OutpostError as error:
            return self._failed(carried, error)
        except Exception:
            log.exception(
                "command %s (%s to %s) broke in the hub", request.id, request.command, request.device
            )
            return self._reach(carried, CommandState.FAILED, error="the hub failed; its log says more")
        return self._reach(carried, CommandState.SUCCEEDED, result=result)

    def _failed(self, carried: Carried, error: OutpostError) -> CommandResult:
        if isinstance(error, Cancelled):
            why = f"cancelled by {carried.cancelled_by or 'the device'}: {error}"
            return self._reach(carried, CommandState.CANCELLED, error=why)
        state = CommandState.TIMED_OUT if isinstance(error, NoAnswer) else CommandState.FAILED
        return self._reach(carried, state, error=str(error))

    async def _over_link(self, request: Command) -> Any:
        return await self._registry.link_of(request.device).send(request)

    def _reach(
        self, carried: Carried, state: CommandState, *, result: Any = None, error: str | None = None
    ) -> CommandResult:
        carried.state = state
        outcome = self._recorder.reached(carried.request, state, result=result, error=error)
        carried.since_ms = outcome.time
        return outcome
