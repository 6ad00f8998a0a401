"""Which metrics a question about history is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub import link_history
from hub.model import Kind, Metric
from hub.web.api.devices import known_device
from hub.web.gate.reach import reach_of
from hub.web.parts import parts_of
from hub.web.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from hub.web.api.sheet import Cells

_CELLS: dict[Kind, Cells] = {Kind.NUMBER: "number", Kind.BOOLEAN: "boolean"}


class Asked(msgspec.Struct, frozen=True):
    """A metric as it was asked for: by its name, or as DEVICE/METRIC."""

    name: str
    device: str
    metric: Metric

    @property
    def key(self) -> tuple[str, str]:
        """The metric as the store names it."""
        return self.device, self.metric.name

    @property
    def cells(self) -> Cells:
        """What a column of its values holds."""
        return _CELLS.get(self.metric.kind, "text")


async def asked_for(request: web.Request, device: str | None, names: Sequence[str]) -> list[Asked]:
    """Return the metrics of those names, each once. Raises Problem 400, 404."""
    return [await _asked(request, device, name) for name in dict.fromkeys(names)]


async def _asked(request: web.Request, device: str | None, name: str) -> Asked:
    owner, own = (device, name) if device is not None else _split(request, name)
    state = known_device(request, owner, "device" if device is not None else "metric")
    metric = link_history.metric(state.birth, own)
    if metric is None and own in await parts_of(request).store.stored_metrics(state.id):
        # Of an earlier firmware, or imported: its samples are there, though no birth names it now.
        metric = Metric(name=own)
    if metric is None:
        known = ", ".join(metric.name for metric in state.birth.metrics[:50]) or "none"
        raise Problem(404, f"{state.id} has no metric {own[:100]!r}; it has: {known}", parameter="metric")
    return Asked(name, state.id, metric)


def _split(request: web.Request, name: str) -> tuple[str, str]:
    """Take DEVICE/METRIC apart; either may have a / in it, so the longest known device counts."""
    registry, reached = parts_of(request).registry, reach_of(request)
    places = [place for place, letter in enumerate(name) if letter == "/"]
    if not places:
        raise Problem(
            400, f"`device` is missing; name it, or ask for metric=DEVICE/{name[:100]}", parameter="device"
        )
    for place in reversed(places):
        if registry.get(name[:place]) is not None and reached.includes(name[:place]):
            return name[:place], name[place + 1 :]
    return name[: places[0]], name[places[0] + 1 :]
