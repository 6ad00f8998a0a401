"""What a board's session says, in the hub's words; and the rule that a board is on one port only. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from hub.model import (
    Birth,
    Born,
    CommandProgress,
    CommandType,
    Gone,
    Kind,
    LinkKind,
    LogLine,
    Metric,
    Quality,
    Reading,
)
from hub.wire.clock import utc_ms
from hub.wire.events import Closed, Lost, Opened, Printed, Progressed, Taken, Trouble

if TYPE_CHECKING:
    from hub.model import LinkEvent
    from hub.wire.events import Event

# A time that may be further off than this is uncertain.
GOOD_BOUND_MS = 50.0
# What a board printed before its birth, as a traceback at its start, is kept for its page: so many lines.
EARLY_LINES = 50
# Ids of devices that are no boards; a board must not take their place.
RESERVED = frozenset({"host"})
# Of what a board says of a command's progress.
MAX_WORDS = 80
# A claim that does not become a session lapses; each hello (one a second) renews it.
CLAIM_MS = 3000


class Claims:
    """Which port a board's identity is on: one object, shared by all links to boards of a hub."""

    def __init__(self) -> None:
        self._ports: dict[str, str] = {}
        self._by_name: set[str] = set()  # ids whose holder only claims them by name
        self._since: dict[str, float] = {}  # of claims that are not yet sessions

    def claim(self, uid: str, port: str, now_ms: float, *, by_name: bool = False) -> str | None:
        """Claim `uid` for the board on `port`; return why it cannot be, or None.

        What is on a cable takes the id from what only claims it `by_name`, as over a broker.
        """
        if uid in RESERVED:
            return f"the id {uid!r} is the hub's own"
        holder = self._ports.get(uid)
        since = self._since.get(uid)
        stays = since is None or now_ms - since < CLAIM_MS
        if holder not in (None, port) and stays and (by_name or uid not in self._by_name):
            return f"a board with this id is on {holder}; two boards cannot share one identity"
        if holder != port or since is not None:
            self._ports[uid] = port
            self._since[uid] = now_ms
            self._by_name.discard(uid)
            if by_name:
                self._by_name.add(uid)
        return None

    def holder(self, uid: str) -> str | None:
        """Return the port that holds `uid`, or None."""
        return self._ports.get(uid)

    def opened(self, uid: str) -> None:
        """Note that the claim became a session: it holds until that ends."""
        self._since.pop(uid, None)

    def ended(self, port: str, now_ms: float) -> None:
        """Note that the session on `port` ended: its board has a moment to open the next one there."""
        for uid in self._on(port):
            self._since[uid] = now_ms

    def release(self, port: str) -> None:
        """Give up what `port` holds: it is closed."""
        for uid in self._on(port):
            del self._ports[uid]
            self._since.pop(uid, None)
            self._by_name.discard(uid)

    def _on(self, port: str) -> list[str]:
        return [uid for uid, holder in self._ports.items() if holder == port]


class BoardEvents:
    """Turns the events of one session into link events; `kind` is the link's."""

    def __init__(self, kind: LinkKind = LinkKind.SERIAL) -> None:
        self._kind = kind
        self.device: str | None = None
        """The board that is online, or None."""
        self._boot_id: str | None = None
        self._last: str | None = None  # whose console it is: the board's that is or was online on this port
        self._early: deque[LogLine] = deque(maxlen=EARLY_LINES)
        self._noticed: tuple[str, str] | None = None

    def translate(
        self, event: Event, *, monotonic_ms: float, now_ms: int, about: str | None = None
    ) -> list[LinkEvent]:
        """Return the link events of `event`; answers to commands have none.

        `monotonic_ms` and `now_ms` are the two clocks now; `about` is the board that a trouble is about where
        none is online.
        """
        match event:
            case Taken():
                return [self._reading(event, monotonic_ms, now_ms)] if self.device is not None else []
            case Opened():
                return self._open(event, now_ms)
            case Closed():
                device, self.device = self.device, None
                return [] if device is None else [Gone(device, event.reason)]
            case Printed():
                return self._line(event.text, now_ms)
            case Progressed():
                return [] if self.device is None else [_progress(self.device, event)]
            case Lost():
                text = f"{event.count} readings are lost: the board's outbox was full"
                return self._line(text, now_ms, "warning")
            case Trouble():
                device = self.device or about
                return [] if device is None else [LogLine(device, now_ms, event.text, "error")]
        return []

    def _open(self, event: Opened, now_ms: int) -> list[LinkEvent]:
        self.device = self._last = event.uid
        self._boot_id = event.boot_id
        events: list[LinkEvent] = [Born(birth_of(event), self._kind)]
        if event.restarted:
            events.append(LogLine(event.uid, now_ms, f"started ({event.reset_cause})", "info"))
        notice = (event.uid, event.birth.notice)
        if event.birth.notice and notice != self._noticed:  # each session's birth says it again
            events.append(LogLine(event.uid, now_ms, event.birth.notice, "warning"))
        self._noticed = notice
        events += [LogLine(event.uid, line.time_ms, line.text, line.level) for line in self._early]
        self._early.clear()
        return events

    def _line(self, text: str, now_ms: int, level: str = "info") -> list[LinkEvent]:
        if self._last is None:
            self._early.append(LogLine("", now_ms, text, level))
            return []
        return [LogLine(self._last, now_ms, text, level)]

    def _reading(self, taken: Taken, monotonic_ms: float, now_ms: int) -> Reading:
        assert self.device is not None  # noqa: S101 - the caller asked
        source_time_ms = utc_ms(taken.monotonic_ms, monotonic_ms, now_ms)
        # A host that does not know the time yet counts from 1970; what was taken before that is kept, too.
        uncertain = taken.mapped_back or taken.bound_ms > GOOD_BOUND_MS or source_time_ms < 0
        return Reading(
            device=self.device,
            metrics=taken.group.names,
            values=taken.values,
            source_time_ms=max(0, source_time_ms),
            hub_time_ms=now_ms,
            quality=Quality.UNCERTAIN if uncertain else Quality.GOOD,
            boot_id=self._boot_id,
            seq=taken.seq,
        )


def _progress(device: str, event: Progressed) -> CommandProgress:
    return CommandProgress(device, event.command_id, event.percent, event.text[:MAX_WORDS])


def birth_of(opened: Opened) -> Birth:
    """Return a board's checked birth in the hub's words."""
    birth = opened.birth
    return Birth(
        device=opened.uid,
        name=birth.name or opened.uid,
        model=birth.model,
        firmware=birth.firmware,
        boot_id=opened.boot_id,
        reset_cause=opened.reset_cause,
        outbox_bytes=birth.outbox_bytes or None,
        notice=birth.notice,
        metrics=tuple(
            Metric(
                name=metric.name,
                unit=metric.unit,
                kind=Kind(metric.kind),
                title=metric.title,
                options=metric.options,
                interval_ms=group.interval_ms,
                decimals=metric.decimals if metric.kind == "number" else None,
            )
            for group in birth.groups
            for metric in group.metrics
        ),
        commands=tuple(
            CommandType(name=command.name, title=command.title, params=command.params)
            for command in birth.commands
        ),
    )
