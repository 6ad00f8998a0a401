"""What is wrong with a device's link: the cable, the board, or the hub. Pure: figures in, words out.

The figures are those of the links: counters since the port opened, and gauges. What tells the causes apart:
noise on a cable breaks checksums, and a bad contact takes the power; a board that is ill restarts by its
watchdog, sends what has a right checksum and no sense, or does not read; a late hub commits late, so that
readings wait in the outbox though every frame arrives whole and at once.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WINDOW_MS = 300_000
STEP_MS = 5_000
RESTARTS = 20
# So far a clock that jumped is told from a device that was quiet.
_JUMP_MS = 2 * WINDOW_MS

_GAUGES = ("outbox_depth", "rtt_ms", "clock_bound_ms", "clock_drift_ppm")
_DAMAGED_LEAST, _DAMAGED_SHARE = 3, 0.001
_SLOW_MS = 250
_WAITING = 200


class Cause(StrEnum):
    """Where to look."""

    GOOD = "good"
    CABLE = "cable"
    BOARD = "board"
    HUB = "hub"
    UNKNOWN = "unknown"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong: whose it is, what was seen, and what to do."""

    cause: Cause
    text: str
    remedy: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """Where to look first, what was seen in the last `span_ms`, and all findings, the gravest first."""

    cause: Cause
    text: str
    remedy: str
    span_ms: int
    findings: tuple[Finding, ...] = ()


class Restart(msgspec.Struct, frozen=True):
    """A boot of the device, with the cause that it told: power, watchdog, soft…; empty where it told none."""

    time: int
    cause: str


class Trend:
    """A device's figures over the last five minutes, also past a replug, and its last restarts."""

    def __init__(self) -> None:
        self.restarts: deque[Restart] = deque(maxlen=RESTARTS)
        self._last: Mapping[str, float] = {}
        self._totals: dict[str, float] = {}
        self._points: deque[tuple[int, dict[str, float]]] = deque()

    def add(self, figures: Mapping[str, float], now_ms: int) -> None:
        """Take the figures of now. Counters that are lower than before began anew with the port."""
        if self._points and not 0 <= now_ms - self._points[-1][0] <= _JUMP_MS:
            self._points.clear()
        if self._totals:
            reopened = figures.get("frames", 0) < self._last.get("frames", 0)
            for name, value in figures.items():
                before = 0 if reopened else self._last.get(name, 0)
                grown = value - before if value >= before else value
                self._totals[name] = value if name in _GAUGES else self._totals.get(name, 0) + grown
        else:
            self._totals = dict(figures)
        self._last = dict(figures)
        if not self._points or now_ms - self._points[-1][0] >= STEP_MS:
            self._points.append((now_ms, dict(self._totals)))
        while now_ms - self._points[0][0] > WINDOW_MS:
            self._points.popleft()

    def restarted(self, cause: str, now_ms: int) -> None:
        """Note a new boot."""
        self.restarts.append(Restart(now_ms, cause))

    @property
    def told(self) -> bool:
        """Whether the link gave any figures."""
        return bool(self._last)

    def span_ms(self, now_ms: int) -> int:
        """Return how much of the window there is."""
        return max(0, now_ms - self._points[0][0]) if self._points else 0

    def grown(self, name: str) -> float:
        """Return by how much a counter grew in the window."""
        if not self._points:
            return 0
        return self._totals.get(name, 0) - self._points[0][1].get(name, 0)

    def gauge(self, name: str) -> float | None:
        """Return what a gauge shows now; None where the link has none of that name."""
        return self._last.get(name)

    def before(self, name: str) -> float:
        """Return what a gauge showed at the window's start."""
        return self._points[0][1].get(name, 0) if self._points else 0

    def causes(self, now_ms: int) -> list[str]:
        """Return the causes of the restarts in the window."""
        return [restart.cause for restart in self.restarts if 0 <= now_ms - restart.time <= WINDOW_MS]


def judge(
    trend: Trend, *, now_ms: int, offline: str | None = None, hub_trouble: str | None = None
) -> Verdict:
    """Return what is wrong with a link, if anything is.

    `offline` is why the device is not there, None while it is; `hub_trouble` is what keeps the hub from
    storing.
    """
    span_ms = trend.span_ms(now_ms)
    order = (Cause.CABLE, Cause.HUB, Cause.BOARD)
    findings = tuple(sorted(_findings(trend, now_ms, hub_trouble), key=lambda one: order.index(one.cause)))
    if offline is not None:
        why = findings[0] if findings else Finding(
            Cause.UNKNOWN, "", "See whether it has power and its cable is in; its console may tell why."
        )  # fmt: skip
        return Verdict(
            why.cause, f"It is offline: {offline}. {why.text}".strip(), why.remedy, span_ms, findings
        )
    if findings:
        return Verdict(findings[0].cause, findings[0].text, findings[0].remedy, span_ms, findings)
    if not trend.told:
        return Verdict(Cause.UNKNOWN, "Its link reports no figures.", "", span_ms)
    if span_ms < STEP_MS:
        return Verdict(Cause.UNKNOWN, "It has not been looked at for long enough.", "", span_ms)
    return Verdict(Cause.GOOD, _all_is_well(trend), "", span_ms)


def _findings(trend: Trend, now_ms: int, hub_trouble: str | None) -> Iterator[Finding]:
    yield from _of_the_cable(trend, trend.causes(now_ms))
    yield from _of_the_hub(trend, hub_trouble)
    yield from _of_the_board(trend, trend.causes(now_ms))


def _of_the_cable(trend: Trend, causes: Sequence[str]) -> Iterator[Finding]:
    damaged, whole = trend.grown("crc_errors"), trend.grown("frames")
    share = damaged / (damaged + whole) if damaged else 0.0
    if damaged >= _DAMAGED_LEAST and share >= _DAMAGED_SHARE:
        yield Finding(
            Cause.CABLE,
            f"{_count(damaged, 'frame')} of {damaged + whole:,.0f} arrived damaged ({100 * share:.2g} %).",
            "Try another cable and port; keep it short, and away from motors and mains.",
        )
    if causes.count("power") >= 2:
        yield Finding(
            Cause.CABLE,
            f"It lost its power {causes.count('power')} times.",
            "Try another cable, port or supply: a bad contact or a weak supply takes the power.",
        )


def _of_the_hub(trend: Trend, hub_trouble: str | None) -> Iterator[Finding]:
    waiting = trend.gauge("outbox_depth") or 0
    if hub_trouble is not None:
        yield Finding(
            Cause.HUB,
            f"The hub cannot store: {hub_trouble}.",
            "See the hub's health; the board keeps its readings.",
        )
    elif waiting >= _WAITING and waiting >= trend.before("outbox_depth") and not trend.grown("crc_errors"):
        yield Finding(
            Cause.HUB,
            f"{_count(waiting, 'reading')} wait for the hub's commit, though every frame arrives whole.",
            "See the hub's health: its load, its disk, how long a commit takes.",
        )


def _of_the_board(trend: Trend, causes: Sequence[str]) -> Iterator[Finding]:
    ill = [cause for cause in causes if cause != "power"]
    if "watchdog" in ill or len(ill) >= 2:
        told = ", ".join(sorted(set(filter(None, ill)))) or "it told no cause"
        yield Finding(
            Cause.BOARD, f"It restarted {_times(len(ill))} ({told}).", "Its console tells what it did before."
        )
    for name, words, remedy in _COUNTED:
        if grown := trend.grown(name):
            yield Finding(Cause.BOARD, words.format(n=f"{grown:,.0f}"), remedy)
    slow = trend.gauge("rtt_ms") or 0
    if slow >= _SLOW_MS:
        yield Finding(
            Cause.BOARD,
            f"It answers after {slow:,.0f} ms.",
            "It is busy: read its sensors less often, or give slow ones an interval of their own.",
        )


_COUNTED = (
    (
        "bad_messages",
        "It sent {n} messages that arrived whole and make no sense.",
        "Its firmware is another version, or broken: put it on anew with outpost flash.",
    ),
    ("refused", "It sent {n} messages that make no sense.", "See what it publishes, and the hub's log."),
    (
        "flood_drops",
        "It sent {n} frames more than the hub takes from one port.",
        "Read its sensors less often, or in batches.",
    ),
    (
        "outbox_dropped",
        "Its outbox was full, and dropped {n} readings.",
        "The link was away for longer than it can keep: see its history, or read less often.",
    ),
    (
        "tx_dropped_bytes",
        "It does not read: {n} bytes to it were dropped.",
        "It hangs, or another program has its console: restart it.",
    ),
    ("log_dropped", "It prints more than the hub keeps: {n} lines were dropped.", "Print less."),
)


def _all_is_well(trend: Trend) -> str:
    frames, rtt_ms = trend.grown("frames"), trend.gauge("rtt_ms")
    if not frames:
        messages = trend.grown("messages")
        return f"{_count(messages, 'message')} arrived." if messages else "Nothing is wrong."
    damaged = trend.grown("crc_errors")
    sound = f"{damaged:,.0f}" if damaged else "none"
    words = f"{_count(frames, 'frame')} arrived in the last five minutes, {sound} damaged"
    return words + (f"; round trip {rtt_ms:,.0f} ms." if rtt_ms is not None else ".")


def _count(number: float, what: str) -> str:
    return f"{number:,.0f} {what}{'' if number == 1 else 's'}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
