"""The protocol that every link shares, and the errors it may raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from hub.model import LinkEvent, OutpostError
from hub.wire.message import is_id

if TYPE_CHECKING:
    from hub.model import Command, LinkKind

is_device_id = is_id
"""Whether a text may be the id of a board."""

Sink: TypeAlias = Callable[[LinkEvent], None]
"""Where a link puts its events. Never blocks, never raises; called on the event loop's thread."""

LastSeq: TypeAlias = Callable[[str, str], int]
"""`(device, boot_id)` → the highest seq of that boot that is committed, or -1."""


class NotReachable(OutpostError):
    """The device cannot be reached now (unplugged, no session)."""


class Refused(OutpostError):
    """The device answered that it will not or cannot do it."""


class NoAnswer(OutpostError):
    """The device did not answer within the command's time to live."""


class Cancelled(OutpostError):
    """The device confirms that it gave a command up, because it was asked to."""


class Link(Protocol):
    """A way to devices. `run` owns its I/O and ends only when cancelled; it survives every fault."""

    kind: LinkKind
    name: str
    """For logs and health: a port's path, a broker's address, `host`."""

    async def run(self, sink: Sink) -> None:
        """Yield events into `sink` until cancelled."""

    async def send(self, command: Command) -> Any:
        """Deliver `command` and return the device's result (a JSON value).

        Raises NotReachable at once, Refused with the device's words, NoAnswer after `command.ttl_ms`, and
        Cancelled where the device gave it up after `cancel`.
        """

    def cancel(self, command_id: str) -> None:
        """Ask the device to give up a command that it has; `send` still ends with the device's own answer.

        No-op for a command that is not under way here, and where devices cannot give up.
        """

    def ack(self, device: str, boot_id: str, seq: int, *, again: bool = False) -> None:
        """Tell the device that all its readings up to `seq` are committed. No-op where it keeps no outbox.

        With `again`, what it said after them was not taken, and is to come once more.
        """

    def forget(self, device: str) -> bool:
        """Know nothing more of a device that is removed: what it says next is as of one that is new.

        Return False where others may hold messages of it that will say that it is there.
        """
