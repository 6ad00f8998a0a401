"""The words of Outpost as values: what links yield, rooms pass on, and the API shows.

Every time is UTC milliseconds (int). Nothing here knows a wire format, a table or a socket.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec resolves the fields' types when it decodes
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

Value: TypeAlias = float | int | bool | str | None
"""One value of a metric; None where the device could not read it (its quality is then BAD)."""


class OutpostError(Exception):
    """Base of every error whose message is written for people: what, where, and what to do."""


class Quality(StrEnum):
    """How far a sample can be trusted (after OPC UA's status classes)."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


class Kind(StrEnum):
    """The type of a metric's values."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    ENUM = "enum"


class LinkKind(StrEnum):
    """The ways by which the hub reaches devices."""

    SERIAL = "serial"
    MQTT = "mqtt"
    HOST = "host"
    IMPORT = "import"
    """None: history from elsewhere. The first link that brings the device has it."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A named, typed channel of a device."""

    name: str
    unit: str = ""
    kind: Kind = Kind.NUMBER
    title: str = ""
    options: tuple[str, ...] = ()
    """Of an enum: its values, in the order of their indices."""
    interval_ms: int | None = None
    """How often a sample is expected; a screen shows a value older than three of these as stale."""
    decimals: int | None = None
    """Digits after the point that the device really sends."""


class CommandType(msgspec.Struct, frozen=True, kw_only=True):
    """A command that a device offers."""

    name: str
    title: str = ""
    params: Mapping[str, Any] = {}
    """JSON Schema (draft 2020-12, type object) of the parameters."""


class Birth(msgspec.Struct, frozen=True, kw_only=True):
    """The first message of a session: who the device is, its metrics and commands."""

    device: str
    name: str
    model: str = ""
    firmware: str = ""
    boot_id: str | None = None
    reset_cause: str = ""
    """Why it booted, in its own words (`power`, `watchdog`); empty where it does not say."""
    outbox_bytes: int | None = None
    """How much the device keeps for a hub that is away; None where it does not say."""
    notice: str = ""
    """What an operator should know of it now: a change on trial, one that was put back. Empty: nothing."""
    metrics: tuple[Metric, ...] = ()
    commands: tuple[CommandType, ...] = ()


class Reading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The samples that a device took at one moment: they share time, quality and identity.

    `metrics` and `values` go in step. `(device, boot_id, seq)` is the identity where the device keeps an
    outbox; elsewhere both are None and `(device, metric, source_time_ms)` is.
    """

    device: str
    metrics: tuple[str, ...]
    values: tuple[Value, ...]
    source_time_ms: int
    hub_time_ms: int
    quality: Quality = Quality.GOOD
    boot_id: str | None = None
    seq: int | None = None

    def quality_of(self, value: Value) -> Quality:
        """Return the quality of one of the values: what could not be read is BAD, whatever the others are."""
        return Quality.BAD if value is None else self.quality


class Sample(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One value of a metric with its quality and its two times."""

    value: Value
    quality: Quality
    source_time: int
    hub_time: int


# --- what a link yields -------------------------------------------------------------------------------


class KeyState(StrEnum):
    """Whether a board has shown that it is the one that was accepted."""

    PROVEN = "proven"
    NONE = "none"
    """It has no key: any other that says the same id is taken for it."""


class Born(msgspec.Struct, frozen=True):
    """A session opened: the device is online, and this is what it offers."""

    birth: Birth
    link: LinkKind
    key: KeyState | None = None
    """None: nobody is asked for a key."""


class Keyed(msgspec.Struct, frozen=True):
    """A device that is online has proved its key."""

    device: str
    key: KeyState


class Gone(msgspec.Struct, frozen=True):
    """A session ended; `reason` is for people."""

    device: str
    reason: str


class LogLine(msgspec.Struct, frozen=True):
    """A line that a device printed on its console, or that the hub says about its link."""

    device: str
    time_ms: int
    text: str
    level: str = "info"


class LinkHealth(msgspec.Struct, frozen=True):
    """Counters and gauges of one device's link since it came up, by name (`crc_errors`, `rtt_ms`, …)."""

    device: str
    figures: Mapping[str, float]


class CommandProgress(msgspec.Struct, frozen=True):
    """How far a device has come with a command that it has: in percent where it can say, and in its words."""

    device: str
    command_id: str
    percent: int | None
    text: str


LinkEvent: TypeAlias = Born | Gone | Keyed | Reading | LogLine | LinkHealth | CommandProgress


# --- commands -----------------------------------------------------------------------------------------


class CommandState(StrEnum):
    """Where a command stands: queued → sent → one of the final five. A job is `sent` while it runs."""

    QUEUED = "queued"
    SENT = "sent"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Tell that nothing more will happen to the command."""
        return self not in (CommandState.QUEUED, CommandState.SENT)


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a device, as the hub accepted it."""

    id: str
    device: str
    command: str
    params: Mapping[str, Any]
    ttl_ms: int
    caller: str
    """Who asked: `user:NAME`, `token:NAME`."""
    origin: str
    """By which way: `websocket`, `http`, `cli`, `rig`; of the hub itself: `desired`, `alert`, `job`."""
    created_time: int
    key: str | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a command that was sent is: `percent` 0 to 100, None where unknown; for people `text`."""

    percent: int | None = None
    text: str = ""


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a command and, once final, its answer."""

    id: str
    device: str
    command: str
    state: CommandState
    time: int
    """When this state was reached."""
    result: Any = None
    error: str | None = None
    caller: str = ""
    origin: str = ""
    key: str | None = None
    progress: Progress | None = None
    """Of a command that was sent and tells of itself."""


class FirmwareOffer(msgspec.Struct, frozen=True, kw_only=True):
    """What firmware the hub has for a device, beside what the device says it runs."""

    device: str
    firmware: str
    version: str
    newer: bool
    """Whether the hub's is newer than the device's."""
    possible: bool
    """Whether the device takes updates over its link."""
    reason: str = ""
    """Why it does not, and what to do instead."""


# --- rights -------------------------------------------------------------------------------------------


class Role(StrEnum):
    """What a caller may do; each role includes those before it. A device reads what is about itself."""

    DEVICE = "device"
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Tell whether this role may do all that `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The devices that a token is for: ids, or patterns with * and ?, and tags. Without either: every one."""

    devices: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it leaves nothing out."""
        return not (self.devices or self.tags)


class Identity(msgspec.Struct, frozen=True):
    """A known caller: `user:NAME` or `token:NAME`, the role that holds for the request, and where."""

    name: str
    role: Role
    scope: Scope = Scope()
