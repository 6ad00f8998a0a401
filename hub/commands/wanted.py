"""Desired values as values: what is wanted, what became of it, and how the two stand. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hub.commands.reported import reported
from hub.model import CommandState

if TYPE_CHECKING:
    from hub.devices import DeviceState
    from hub.model import CommandType


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that a device should be, as the command that makes it so."""

    command: str
    params: dict[str, Any] = {}


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the store keeps for a device beside the version."""

    commands: tuple[Wanted, ...] = ()
    by: str = ""
    agreed_time: int | None = None
    """When the device had answered all commands of this version with success."""
    agreed_boot: str | None = None


class Applied(msgspec.Struct, kw_only=True):
    """What became of one command in this session."""

    state: CommandState
    command_id: str
    time: int
    error: str | None
    result: Any


class DesiredItem(msgspec.Struct, frozen=True, kw_only=True):
    """Desired against reported: `state` is agreed, differs, waiting (for the device) or failed."""

    command: str
    params: dict[str, Any]
    state: str
    reported: dict[str, Any] | None
    time: int | None
    command_id: str | None
    error: str | None


class DesiredView(msgspec.Struct, frozen=True, kw_only=True):
    """What a device should be; version 0 where nobody ever said."""

    device: str
    version: int
    updated_time: int | None
    updated_by: str | None
    agreed: bool
    agreed_time: int | None
    items: list[DesiredItem]


def settable(kind: CommandType) -> bool:
    """Tell whether a command sets something that lasts: `set_…`, or `x-desired` in its schema says so."""
    return bool(kind.params.get("x-desired", kind.name.startswith("set_")))


def item_of(state: DeviceState, kept: Kept, wanted: Wanted, applied: Applied | None) -> DesiredItem:
    """Return how one command stands, by what was applied in this boot."""
    now = reported(state, wanted.command, wanted.params, None if applied is None else applied.result)
    agreed_before = kept.agreed_time is not None and kept.agreed_boot == state.birth.boot_id
    if applied is not None and applied.state is not CommandState.SUCCEEDED:
        stands = "failed"
    elif applied is None and not (agreed_before and state.birth.boot_id is not None):
        stands = "waiting"
    else:
        differs = now is not None and any(
            name in wanted.params and wanted.params[name] != value for name, value in now.items()
        )
        stands = "differs" if differs else "agreed"
    return DesiredItem(
        command=wanted.command,
        params=wanted.params,
        state=stands,
        reported=now,
        time=kept.agreed_time if applied is None else applied.time,
        command_id=None if applied is None else applied.command_id or None,
        error=None if applied is None else applied.error,
    )
