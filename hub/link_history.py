"""A device's link in history: its figures once a minute, as metrics `link.…` of the device. Pure.

They are the hub's words about the device, so they stand in no birth and on no live stream; history knows them
by name, and when a link was bad can be looked up beside what the device sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.model import Kind, Metric, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.model import Birth

PREFIX = "link."
EVERY_MS = 60_000
FIGURES = {
    "frames": "",
    "crc_errors": "",
    "resyncs": "",
    "bad_messages": "",
    "flood_drops": "",
    "gaps": "",
    "resends": "",
    "duplicates": "",
    "resets": "",
    "outbox_depth": "",
    "outbox_dropped": "",
    "log_dropped": "",
    "tx_dropped_bytes": "B",
    "rtt_ms": "ms",
    "clock_bound_ms": "ms",
    "messages": "",
    "refused": "",
}
"""What of a link is kept, and in which unit. Counters begin anew with each opening of a port."""


RESET_CAUSE = "reset_cause"
"""Of each restart that the hub sees, the cause that the device told, as text."""


class LinkHistory:
    """Says when the figures of a device's link are due to be kept."""

    def __init__(self) -> None:
        self._kept_ms: dict[str, int] = {}

    def due(self, birth: Birth, figures: Mapping[str, float], now_ms: int) -> Reading | None:
        """Return the reading to store, or None while the last one is younger than a minute."""
        last_ms = self._kept_ms.get(birth.device)
        # The host's clock may jump back, which must not end the history for as long.
        if last_ms is not None and abs(now_ms - last_ms) < EVERY_MS:
            return None
        names = [name for name in FIGURES if name in figures and not _of_device(birth, PREFIX + name)]
        if not names:
            return None
        self._kept_ms[birth.device] = now_ms
        return Reading(
            device=birth.device,
            metrics=tuple(PREFIX + name for name in names),
            values=tuple(figures[name] for name in names),
            source_time_ms=now_ms,
            hub_time_ms=now_ms,
        )


def restart(birth: Birth, now_ms: int) -> Reading:
    """Return the reading to store of a boot that is new."""
    return Reading(
        device=birth.device,
        metrics=(PREFIX + RESET_CAUSE,),
        values=(birth.reset_cause or "unknown",),
        source_time_ms=now_ms,
        hub_time_ms=now_ms,
    )


def metric(birth: Birth, name: str) -> Metric | None:
    """Return the metric of that name: the device's own, or one of its link; None where there is neither."""
    for own in birth.metrics:
        if own.name == name:
            return own
    if name == PREFIX + RESET_CAUSE:
        return Metric(name=name, kind=Kind.TEXT)
    figure = name.removeprefix(PREFIX)
    if figure == name or figure not in FIGURES:
        return None
    return Metric(name=name, unit=FIGURES[figure])


def _of_device(birth: Birth, name: str) -> bool:
    return any(own.name == name for own in birth.metrics)
