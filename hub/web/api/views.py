"""The shapes of the API's answers, from which the OpenAPI document is made."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.model import (  # noqa: TC001 - msgspec resolves the fields' types
    CommandState,
    CommandType,
    KeyState,
    Kind,
    LinkKind,
    LogLine,
    Progress,
    Quality,
    Sample,
    Value,
)
from hub.store.wear import StoreFigures  # noqa: TC001 - msgspec resolves the fields' types


class MetricView(msgspec.Struct, kw_only=True):
    """A metric of a device and its last sample. `options` are there for the kind enum."""

    name: str
    title: str
    unit: str
    kind: Kind
    interval_ms: int | None
    decimals: int | None
    last: Sample | None
    options: list[str] | msgspec.UnsetType = msgspec.UNSET


class DeviceView(msgspec.Struct, kw_only=True):
    """A device: who it is, whether it is online (else `reason` says why not), what it measures and can do."""

    id: str
    name: str
    model: str
    firmware: str
    tags: list[str]
    """Of the configuration, `[tags]`."""
    link: LinkKind
    online: bool
    reason: str | None
    last_seen: int
    boot_id: str | None
    key: KeyState | None
    """Of a board: whether it has proved its key; null where nobody is asked for one."""
    outbox_bytes: int | None
    """How much it keeps for a hub that is away; null where it does not say."""
    notice: str
    """What an operator should know of it now, as that a change was put back; empty: nothing."""
    metrics: list[MetricView]
    commands: list[CommandType]


class DeviceList(msgspec.Struct):
    """A page of devices."""

    items: list[DeviceView]
    next: str | None


class ConsoleView(msgspec.Struct):
    """The last lines of a device's console, oldest first."""

    items: list[LogLine]
    next: str | None


class LatestItem(msgspec.Struct, kw_only=True, frozen=True):
    """The last sample of a metric."""

    device: str
    metric: str
    value: Value
    quality: Quality
    source_time: int
    hub_time: int


class LatestList(msgspec.Struct):
    """The last samples."""

    items: list[LatestItem]
    next: str | None


class SeriesView(msgspec.Struct, kw_only=True):
    """One of several metrics."""

    device: str
    metric: str
    unit: str


class SamplesView(msgspec.Struct, kw_only=True):
    """History: rows in the order of `columns`, or an array for each; `next` is the cursor of the next page.

    Of one metric `device`, `metric` and `unit` say which, of several `series`; then columns are named
    `METRIC.min` and so on, and raw ones `METRIC` and `METRIC.quality`. `width_ms` is that of their buckets.
    `at` is the time of which the last samples are told.
    """

    device: str | msgspec.UnsetType = msgspec.UNSET
    metric: str | msgspec.UnsetType = msgspec.UNSET
    unit: str | msgspec.UnsetType = msgspec.UNSET
    series: list[SeriesView] | msgspec.UnsetType = msgspec.UNSET
    width_ms: int | msgspec.UnsetType = msgspec.UNSET
    at: int | msgspec.UnsetType = msgspec.UNSET
    columns: list[str]
    rows: list[list[Value]] | msgspec.UnsetType = msgspec.UNSET
    arrays: list[list[Value]] | msgspec.UnsetType = msgspec.UNSET
    next: str | None


class CommandRecord(msgspec.Struct, kw_only=True):
    """A command of the audit trail: what was asked, by whom, and how it stands since `time`."""

    id: str
    device: str
    command: str
    params: dict[str, Any]
    ttl_ms: int
    caller: str
    origin: str
    key: str | None
    created_time: int
    state: CommandState
    time: int
    result: Any
    error: str | None
    times: dict[CommandState, int]
    progress: Progress | None
    """How far it is, while it is sent and tells of itself."""


class CommandList(msgspec.Struct):
    """A page of the audit trail, newest first."""

    items: list[CommandRecord]
    next: str | None


class CameraView(msgspec.Struct, kw_only=True):
    """A camera: `state` is idle, starting, live or failed (then `error` says why)."""

    id: str
    name: str
    state: str
    error: str | None
    viewers: int
    encoders: int


class CameraList(msgspec.Struct):
    """The configured cameras."""

    items: list[CameraView]
    next: str | None


class HubHealth(msgspec.Struct, kw_only=True):
    """How the hub is. `store_degraded` says why samples cannot be committed now, null when they can."""

    store_degraded: str | None
    store: StoreFigures
    devices: int
    devices_online: int
    streams: int
    viewers: int


class HubView(msgspec.Struct, kw_only=True):
    """The hub itself. `epoch` changes with each start; `time_zone` is an IANA name.

    `uptime_s` is for how long it runs: told instead of a time since, which a clock set later would move.
    """

    name: str
    version: str
    time: int
    time_zone: str
    epoch: str
    uptime_s: int
    health: HubHealth
