"""One lifecycle for every command, whoever sent it: checked, queued, sent, answered, recorded, announced."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from hub.bus import Bus, Event
from hub.devices import DeviceState, Registry, UnknownDevice
from hub.links.link import NoAnswer, NotReachable, Refused
from hub.model import Command, CommandResult, CommandState, CommandType, OutpostError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from hub.health import Health
    from hub.store.store import Store

log = logging.getLogger(__name__)

Spawn: TypeAlias = "Callable[[Coroutine[Any, Any, CommandResult]], asyncio.Task[CommandResult]]"
"""Starts a task in the group that owns it."""

DEFAULT_TTL_MS = 10_000
MAX_TTL_MS = 600_000
QUEUE_LIMIT = 32
REMEMBERED_KEYS = 1000


class CommandRefused(OutpostError):
    """The hub did not accept a command: nothing was queued."""


class UnknownCommand(CommandRefused):
    """The device offers no command of that name."""


class BadParams(CommandRefused):
    """The parameters do not fit the command's schema; the message names the field."""


class QueueFull(CommandRefused):
    """The device has too many commands waiting."""


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
    ) -> None:
        self._registry = registry
        self._store = store
        self._bus = bus
        self._health = health
        self._now_ms = now_ms
        self._spawn = spawn
        self._turns: dict[str, asyncio.Lock] = {}
        self._waiting: dict[str, int] = {}
        self._by_key: OrderedDict[tuple[str, str], asyncio.Task[CommandResult]] = OrderedDict()

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
        does not undo what it asked for. Raises UnknownDevice, UnknownCommand, BadParams, QueueFull before
        anything is queued.
        """
        if key is not None and (first := self._by_key.get((caller, key))) is not None:
            return await asyncio.shield(first)
        request = self._accept(device, command, params, ttl_ms, key, caller, origin)
        task = self._spawn(self._carry(request))
        if key is not None:
            self._remember((caller, key), task)
        return await asyncio.shield(task)

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
        state = self._registry.get(device)
        if state is None:
            raise UnknownDevice(device)
        offered = _offered(state, command)
        check_params(offered, params)
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

    async def _carry(self, request: Command) -> CommandResult:
        self._waiting[request.device] = self._waiting.get(request.device, 0) + 1
        self._announce(request, CommandState.QUEUED)
        turn = self._turns.setdefault(request.device, asyncio.Lock())
        deadline = asyncio.get_running_loop().time() + request.ttl_ms / 1000
        try:
            try:
                async with asyncio.timeout_at(deadline):
                    await turn.acquire()
            except TimeoutError:
                return self._announce(
                    request,
                    CommandState.EXPIRED,
                    error=f"not sent: {request.device} was busy with other commands for {request.ttl_ms} ms",
                )
            try:
                return await self._deliver(request, deadline)
            finally:
                turn.release()
        finally:
            self._waiting[request.device] -= 1

    async def _deliver(self, request: Command, deadline: float) -> CommandResult:
        left_ms = max(1, int((deadline - asyncio.get_running_loop().time()) * 1000))
        try:
            link = self._registry.link_of(request.device)
            self._announce(request, CommandState.SENT)
            result = await link.send(msgspec.structs.replace(request, ttl_ms=left_ms))
        except (NotReachable, Refused) as error:
            return self._announce(request, CommandState.FAILED, error=str(error))
        except NoAnswer as error:
            return self._announce(request, CommandState.TIMED_OUT, error=str(error))
        except Exception:
            log.exception(
                "command %s (%s to %s) broke in the hub", request.id, request.command, request.device
            )
            return self._announce(request, CommandState.FAILED, error="the hub failed; its log says more")
        return self._announce(request, CommandState.SUCCEEDED, result=result)

    def _announce(
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
        )
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

    def _remember(self, key: tuple[str, str], task: asyncio.Task[CommandResult]) -> None:
        self._by_key[key] = task
        while len(self._by_key) > REMEMBERED_KEYS:
            self._by_key.popitem(last=False)


def _offered(state: DeviceState, command: str) -> CommandType:
    for offered in state.birth.commands:
        if offered.name == command:
            return offered
    names = ", ".join(offered.name for offered in state.birth.commands) or "none"
    raise UnknownCommand(f"{state.id} offers no command {command!r}; it offers: {names}")


def check_params(offered: CommandType, params: Mapping[str, Any]) -> None:
    """Check parameters against the command's JSON Schema. Raises BadParams, naming the field."""
    schema = {"type": "object", "additionalProperties": False, **offered.params}
    try:
        Draft202012Validator(schema).validate(dict(params))
    except ValidationError as error:
        field = ".".join(str(part) for part in error.absolute_path)
        raise BadParams(f"{field or 'params'}: {error.message}") from error
    except SchemaError as error:
        raise BadParams(f"the device's own schema of {offered.name!r} is broken: {error.message}") from error
