"""What a hub's session tells its link."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .birth import Birth, Group


class Opened:
    """A session is open: the board is online. Not `restarted` where only its birth changed or it was away."""

    def __init__(self, uid: str, boot_id: str, reset_cause: str, birth: "Birth", restarted: bool) -> None:
        self.uid = uid
        self.boot_id = boot_id
        self.reset_cause = reset_cause
        self.birth = birth
        self.restarted = restarted


class Taken:
    """A reading, each once and in the order of `seq`.

    `monotonic_ms` is when it was taken, on the hub's monotonic clock (`clock.utc_ms` makes it UTC), known to
    within `bound_ms`; `mapped_back`: from before the hub watched this boot's clock.
    """

    def __init__(
        self,
        seq: int,
        ticks: int,
        group: "Group",
        values: "tuple[float | int | bool | str | None, ...]",
        monotonic_ms: float,
        bound_ms: float,
        mapped_back: bool,
    ) -> None:
        self.seq = seq
        self.ticks = ticks
        self.group = group
        self.values = values
        self.monotonic_ms = monotonic_ms
        self.bound_ms = bound_ms
        self.mapped_back = mapped_back


class Lost:
    """`count` readings are gone for good: the board's outbox was full."""

    def __init__(self, count: int) -> None:
        self.count = count


class Answered:
    """A command's answer: its result, or where not `ok` the board's words."""

    def __init__(self, command_id: str, ok: bool, value: "Any") -> None:
        self.command_id = command_id
        self.ok = ok
        self.value = value


class Progressed:
    """A board says how far it is with a command that it has: in percent where it can, and in words."""

    def __init__(self, command_id: str, percent: "int | None", text: str) -> None:
        self.command_id = command_id
        self.percent = percent
        self.text = text


class Unanswered:
    """A command will get no answer: `reason` says why; `expired` where its time ran out."""

    def __init__(self, command_id: str, reason: str, expired: bool) -> None:
        self.command_id = command_id
        self.reason = reason
        self.expired = expired


class Printed:
    """A line of the board's console."""

    def __init__(self, text: str) -> None:
        self.text = text


class Trouble:
    """Something an operator should read: a refused birth, a doubled identity, readings that made no sense."""

    def __init__(self, text: str) -> None:
        self.text = text


class Closed:
    """The session ended: the board is offline."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


if TYPE_CHECKING:
    Event = Opened | Taken | Lost | Answered | Progressed | Unanswered | Printed | Trouble | Closed
