"""What a link remembers of boards from one session to the next."""

from .clock import Clock
from .inbox import Inbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .birth import Birth

KEPT = 64


class Boot:
    """One boot of one board: its clock, and how far its readings have come."""

    def __init__(self, want: int) -> None:
        self.clock = Clock()
        self.inbox = Inbox(want)
        self.fresh = want == 0
        """Nothing of this boot was seen before."""
        self.committed = want
        self.layout: tuple[Any, ...] | None = None
        self.refused: str | None = None
        """The schema that was refused in this boot, as its metrics were not those before."""


class Known:
    """Births by (uid, schema) and boots by (uid, boot_id), the last 64 of each, for all ports of a link."""

    def __init__(self) -> None:
        self.births: dict[tuple[str, str], Birth] = {}
        self.refused: dict[tuple[str, str], str] = {}
        self._boots: dict[tuple[str, str], Boot] = {}

    def boot(self, uid: str, boot_id: str, want: int) -> Boot:
        """Return the record of a boot, begun with `want` where it is new."""
        boot = self._boots.get((uid, boot_id))
        if boot is None:
            boot = Boot(want)
            _bounded(self._boots)[uid, boot_id] = boot
        return boot

    def again_of(self, uid: str, boot_id: str) -> "Callable[[str | None, int | None], None]":
        """Return what wants readings of this boot once more.

        It is called with `(boot_id, seq)`, the last that stays, or with None for what is not committed.
        """
        record = self._boots.get((uid, boot_id))

        def again(of: "str | None", seq: "int | None") -> None:
            if record is not None:
                after = record.committed if seq is None or of != boot_id else seq + 1
                record.inbox.rewind(max(after, record.committed))

        return again

    def remember(self, uid: str, schema: str, birth: "Birth") -> None:
        """Keep a birth, so that its schema need not be sent again."""
        _bounded(self.births)[uid, schema] = birth

    def refuse(self, uid: str, schema: str, reason: str) -> None:
        """Keep that a birth was refused, so that it is not asked for again."""
        _bounded(self.refused)[uid, schema] = reason


def _bounded(table: "dict[tuple[str, str], Any]") -> "dict[tuple[str, str], Any]":
    if len(table) >= KEPT:
        del table[next(iter(table))]
    return table
