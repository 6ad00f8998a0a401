"""What a command reached, told to everybody: the journal, the trail, the bus, health and the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from hub.bus import Bus, Event
from hub.model import Command, CommandResult, CommandState

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.commands.carried import Carried
    from hub.commands.journal import Journal
    from hub.health import Health
    from hub.store.store import Store

log = logging.getLogger(__name__)


class Recorder:
    """Writes and announces states. Loop thread only; nothing waits for a disk."""

    def __init__(
        self, *, store: Store, bus: Bus, health: Health, now_ms: Callable[[], int], journal: Journal | None
    ) -> None:
        self._store = store
        self._bus = bus
        self._health = health
        self._now_ms = now_ms
        self._journal = journal

    def reached(
        self, request: Command, state: CommandState, *, result: Any = None, error: str | None = None
    ) -> CommandResult:
        """Record that a command reached a state now, and return it as a result."""
        outcome = _outcome(request, state, self._now_ms(), result=result, error=error)
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

    def announce(self, carried: Carried) -> None:
        """Tell how far a command is. Progress is live only: the trail keeps states."""
        outcome = _outcome(carried.request, carried.state, carried.since_ms, progress=carried.progress)
        self._bus.publish(Event(kind="command", device=carried.request.device, data=outcome))


def _outcome(request: Command, state: CommandState, time_ms: int, **more: Any) -> CommandResult:
    return CommandResult(
        id=request.id,
        device=request.device,
        command=request.command,
        state=state,
        time=time_ms,
        caller=request.caller,
        origin=request.origin,
        key=request.key,
        **more,
    )
