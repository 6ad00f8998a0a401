"""What the hub takes as a command: known device, offered command, fitting parameters, room and pace."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from hub.commands.errors import BadParams, QueueFull, TooFast
from hub.commands.pace import Pace, PaceLimit
from hub.commands.params import ParamChecks, offered
from hub.devices import Registry, UnknownDevice
from hub.model import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_TTL_MS = 10_000
MAX_TTL_MS = 600_000
MAX_JOB_TTL_MS = 3_600_000
QUEUE_LIMIT = 32


class Intake:
    """Checks requests before anything is queued, and counts what waits for each device."""

    def __init__(self, registry: Registry, now_ms: Callable[[], int], pace: PaceLimit | None) -> None:
        self._registry = registry
        self._now_ms = now_ms
        self._pace = Pace(pace or PaceLimit())
        self._checks = ParamChecks()
        self._waiting: dict[str, int] = {}

    def command(
        self,
        device: str,
        command: str,
        params: Mapping[str, Any],
        *,
        ttl_ms: int | None,
        key: str | None,
        caller: str,
        origin: str,
        now_s: float,
        job: bool = False,
    ) -> Command:
        """Make a command of a request. What a `job` takes is for the hub's code to check, not for a birth.

        Raises TooFast, UnknownDevice, UnknownCommand, BadParams, QueueFull.
        """
        wait_ms = self._pace.take(caller, now_s)
        if wait_ms:
            raise TooFast(caller, wait_ms)
        state = self._registry.get(device)
        if state is None:
            raise UnknownDevice(device)
        if not job:
            self._checks.check(device, offered(state, command), params)
        if self._waiting.get(device, 0) >= QUEUE_LIMIT:
            raise QueueFull(f"{device} has {QUEUE_LIMIT} commands waiting; try again when they are answered")
        ttl, most = DEFAULT_TTL_MS if ttl_ms is None else ttl_ms, MAX_JOB_TTL_MS if job else MAX_TTL_MS
        if not 1 <= ttl <= most:
            raise BadParams(f"ttl_ms: {ttl} is not within 1 to {most}")
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

    def begin(self, device: str) -> None:
        """Count a command that waits for a device, or is with it."""
        self._waiting[device] = self._waiting.get(device, 0) + 1

    def end(self, device: str) -> None:
        """Count one less."""
        self._waiting[device] -= 1
