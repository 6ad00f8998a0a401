"""Who is on the port of a hub: the board, its boot and birth, from hello to the first reading. Sans-I/O."""

from .birth import Birth
from .events import Opened
from .fragments import crc
from .known import Boot, Known
from .message import VERSION, WireError, welcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .events import Event

SEEKING = 0
GREETED = 1
OPEN = 2


class Greeting:
    """How far the hub and the board on its port have come. `last_seq` and `admit` are those of HubSession."""

    def __init__(
        self, known: Known, last_seq: "Callable[[str, str], int]", admit: "Callable[[str], str | None]"
    ) -> None:
        self.state = SEEKING
        self.uid: str | None = None
        self.boot_id: str | None = None
        self.boot: Boot | None = None
        self.birth: Birth | None = None
        self.schema = ""
        self._reset_cause = ""
        self._opened: Birth | None = None  # the birth and boot of the last Opened
        self._opened_boot: str | None = None
        self._known = known
        self._last_seq = last_seq
        self._admit = admit

    @property
    def online(self) -> bool:
        """Whether the board is online, also while it says anew who it is."""
        return self._opened is not None

    def against(self, version: int, uid: str, schema: str) -> "str | None":
        """Return why the board of a hello is not taken, or None."""
        reason = self._admit(uid)
        if version != VERSION:
            reason = f"it speaks version {version} of the protocol, the hub version {VERSION}"
        return reason or self._known.refused.get((uid, schema))

    def begin(self, uid: str, boot_id: str, next_seq: int) -> None:
        """Turn to a new board or a new boot of the same."""
        self.uid = uid
        self.boot_id = boot_id
        self.boot = self._known.boot(uid, boot_id, min(self._last_seq(uid, boot_id) + 1, next_seq))
        self._opened = None

    def greet(self, message: "list[Any]", now_ms: float) -> bool:
        """Take what a hello says of a boot that has begun; return whether the board is to be welcomed."""
        _, _, uid, _, schema, _, ticks, cause = message
        if self.boot is None or self.boot.refused == schema:
            return False
        self.boot.clock.hint(ticks, now_ms)
        self.schema = schema
        self._reset_cause = cause
        self.birth = self._known.births.get((uid, schema))
        self.state = GREETED
        return True

    def welcome(self) -> "list[Any] | None":
        """Return the welcome of the boot that is on, which asks for its birth where none is known."""
        if self.boot is None or self.boot_id is None:
            return None
        return welcome(self.boot_id, self.schema, self.boot.inbox.want, self.birth is None)

    def is_birth(self, text: str) -> bool:
        """Whether a birth is the one that the board's hello announced."""
        return self.uid is not None and f"{crc(text):08x}" == self.schema

    def take_birth(self, uid: str, data: object) -> "str | None":
        """Remember the birth that was waited for; return why it is refused, from now on, or None."""
        try:
            birth = Birth(data)
        except WireError as error:
            reason = f"its birth breaks the protocol: {error}"
            self._known.refuse(uid, self.schema, reason)
            return reason
        self._known.remember(uid, self.schema, birth)
        self.birth = birth
        return None

    def open(self, events: "list[Event]") -> "str | None":
        """Open by the first reading, and tell it in `events`; return why the board is refused, or None."""
        boot, birth = self.boot, self.birth
        if boot is None or birth is None or self.uid is None or self.boot_id is None:
            return None
        if boot.layout is not None and boot.layout != birth.layout():
            boot.refused = self.schema
            return "its metrics changed without a restart"
        boot.layout = birth.layout()
        self.state = OPEN
        if self._opened is not birth:
            restarted = self._opened_boot != self.boot_id
            events.append(Opened(self.uid, self.boot_id, self._reset_cause, birth, restarted))
            self._opened = birth
            self._opened_boot = self.boot_id
        return None

    def leave(self) -> None:
        """Seek a board again; what came out of order is asked for anew."""
        if self.boot is not None:
            self.boot.inbox.forget_held()
        self.state = SEEKING
        self._opened = None
