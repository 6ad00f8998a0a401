"""What the API says of a device's link: its figures, and whether cable, board or hub is to blame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.link_verdict import Restart, Verdict, judge
from hub.model import LinkKind  # noqa: TC001 - msgspec resolves the fields' types

if TYPE_CHECKING:
    from hub.devices import DeviceState


class LinkReport(msgspec.Struct, kw_only=True):
    """The counters and gauges of a device's link, what they mean, and when the device restarted."""

    device: str
    link: LinkKind
    link_name: str | None
    figures: dict[str, float]
    verdict: Verdict
    restarts: tuple[Restart, ...]
    """Those that the hub saw since it started, newest last."""


def report(state: DeviceState, *, now_ms: int, hub_trouble: str | None) -> LinkReport:
    """Return the report on a device's link; `hub_trouble` is what keeps the hub from storing."""
    verdict = judge(
        state.trend,
        now_ms=now_ms,
        offline=None if state.online else state.reason or "no session",
        hub_trouble=hub_trouble,
    )
    return LinkReport(
        device=state.id,
        link=state.link,
        link_name=state.link_name,
        figures=dict(state.figures),
        verdict=verdict,
        restarts=tuple(state.trend.restarts),
    )
