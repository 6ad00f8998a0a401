"""What a hub's session has to write: messages as frames, in fragments where they are too long for one."""

from .fragments import fragments
from .frame import MAX_PAYLOAD, encode
from .message import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Outgoing:
    """Frames that wait to be written."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []

    def send(self, message: "list[Any]") -> None:
        """Add a message."""
        text = dumps(message)
        if len(text) <= MAX_PAYLOAD:
            self._frames.append(encode(text.encode()))
        else:
            self._frames.extend([encode(dumps(part).encode()) for part in fragments(text)])

    def take(self) -> bytes:
        """Return the bytes to write now."""
        data = b"".join(self._frames)
        self._frames.clear()
        return data
