"""How boards stand, as the API and the live stream show it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from hub.model import Value  # noqa: TC001 - msgspec resolves the fields' types

if TYPE_CHECKING:
    from hub.enrolment.impostors import Impostor
    from hub.enrolment.waiting import Waiting
    from hub.store.identity.enrolments import Enrolled


class BoardStanding(StrEnum):
    """How a board stands."""

    PENDING = "pending"
    """It waits to be accepted."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REFUSED = "refused"
    """A board says this id and does not prove its key; the one that is accepted is another."""
    UNKNOWN = "unknown"
    """It was forgotten, or what waited gave way."""


class KeyStanding(StrEnum):
    """What the hub has of a board's key."""

    NONE = "none"
    OFFERED = "offered"
    """The board gets it when it is on a cable, with firmware that can keep it."""
    KEPT = "kept"
    """The board has it, and must prove it at each session."""


class EnrolmentView(msgspec.Struct, frozen=True, kw_only=True):
    """One board, or what says that it is one."""

    device: str
    state: BoardStanding
    key: KeyStanding = KeyStanding.NONE
    online: bool = False
    """Of what waits or is refused: whether it is there now."""
    place: str | None = None
    """Where it is, or was last: a port's path, the broker."""
    reason: str | None = None
    since: int | None = None
    """When it came first, or was decided upon; UTC ms."""
    by: str | None = None
    """Who decided."""
    name: str = ""
    model: str = ""
    firmware: str = ""
    metrics: tuple[str, ...] = ()
    latest: dict[str, Value] = {}
    """Of what waits: the last value of each metric."""
    readings_kept: int = 0
    """Of what waits: readings that become history when it is accepted."""
    readings_left: int = 0
    """Readings that found no room here; the board has them, as far as its outbox goes."""


def of_waiting(waiting: Waiting) -> EnrolmentView:
    """Return a board that waits."""
    birth, aside = waiting.born.birth, waiting.aside
    return EnrolmentView(
        device=birth.device,
        state=BoardStanding.PENDING,
        online=waiting.guest is not None,
        place=waiting.place,
        since=waiting.since,
        name=birth.name,
        model=birth.model,
        firmware=birth.firmware,
        metrics=tuple(metric.name for metric in birth.metrics),
        latest=dict(aside.latest),
        readings_kept=aside.kept,
        readings_left=aside.left_out,
    )


def of_impostor(device: str, impostor: Impostor, enrolled: Enrolled | None, *, online: bool) -> EnrolmentView:
    """Return what is refused under a board's id."""
    return EnrolmentView(
        device=device,
        state=BoardStanding.REFUSED,
        key=key_of(enrolled),
        online=online,
        place=impostor.place,
        reason=impostor.why,
        since=impostor.since,
    )


def of_enrolled(enrolled: Enrolled) -> EnrolmentView:
    """Return a board that was decided upon."""
    return EnrolmentView(
        device=enrolled.device,
        state=BoardStanding.ACCEPTED if enrolled.accepted else BoardStanding.REJECTED,
        key=key_of(enrolled),
        since=enrolled.time,
        by=enrolled.by,
    )


def key_of(enrolled: Enrolled | None) -> KeyStanding:
    """Return what there is of a board's key."""
    if enrolled is None:
        return KeyStanding.NONE
    if enrolled.key is not None:
        return KeyStanding.KEPT
    return KeyStanding.NONE if enrolled.next_key is None else KeyStanding.OFFERED
