"""Messages: what frames mean. One constructor for each, and the check of those that come in.

A message is a JSON array: a tag, then fields in a fixed order. A reading, by far the commonest, has no tag:
it begins with its sequence number. docs/protocol.md gives each with an example.
"""

import json

from .frame import MAX_PAYLOAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

VERSION = 1
"""Of the protocol; a hello carries it."""
MAX_INT = 1 << 53
"""Whole numbers on the wire stay below this, so that every JSON reader has them exactly."""


class WireError(ValueError):
    """What came in is no message of this protocol, or breaks one of its limits."""


def dumps(value: "Any") -> str:
    """Return compact ASCII JSON. Raises TypeError or ValueError for what JSON cannot say."""
    text = json.dumps(value, separators=(",", ":"))
    return text if len(text) == len(text.encode()) else "".join(_escape(c) for c in text)


def _escape(c: str) -> str:
    code = ord(c)
    if code < 128:
        return c
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def text_of(data: bytes) -> str:
    """Return a payload as text. Raises WireError where it is not ASCII."""
    try:
        return data.decode("ascii")
    except ValueError:
        raise WireError("not ASCII")  # noqa: B904 - MicroPython has no `from`


def payload(message: "list[Any]") -> bytes:
    """Return the payload of a message (MicroPython's json leaves characters beyond ASCII as they are)."""
    return dumps(message).encode()


# --- board to hub -------------------------------------------------------------------------------------


def hello(uid: str, boot_id: str, schema: str, next_seq: int, ticks: int, reset_cause: str) -> "list[Any]":
    """I am here: who, which boot, the crc32 of my birth, the seq of my next reading, my ticks (ms)."""
    return ["hello", VERSION, uid, boot_id, schema, next_seq, ticks, reset_cause]


def reading(seq: int, ticks: int, group: int, values: "Sequence[int | str | None]") -> "list[Any]":
    """Carry the values of one group, taken at `ticks`; numbers are scaled to ints as the birth says."""
    message: list[Any] = [seq, ticks, group]
    message.extend(values)
    return message


def keepalive(sent_seq: int, first_seq: int, next_seq: int, dropped: int) -> "list[Any]":
    """I live; I sent every reading before `sent_seq`.

    The outbox holds those from `first_seq` to before `next_seq`; `dropped` counts what it lost since boot.
    """
    return ["k", sent_seq, first_seq, next_seq, dropped]


def pong(number: int, ticks: int) -> "list[Any]":
    """Answer ping `number`."""
    return ["q", number, ticks]


def result(command_id: str, ok: bool, value: "Any") -> "list[Any]":
    """Answer a command: its result, or where it failed the words of the error."""
    return ["r", command_id, 1 if ok else 0, value]


def progress(command_id: str, percent: "int | None", text: str) -> "list[Any]":
    """I am so far with a command: percent where I can say, and in words."""
    return ["y", command_id, percent, text]


def wanted(command_id: str, part: int, offset: int) -> "list[Any]":
    """Give me data that belongs to a command: of which part, from which byte on."""
    return ["g", command_id, part, offset]


# --- hub to board -------------------------------------------------------------------------------------


def hi() -> "list[Any]":
    """Anybody there? Answered by a hello; ends the board's session."""
    return ["hi"]


def welcome(boot_id: str, schema: str, next_seq: int, want_birth: bool) -> "list[Any]":
    """Send your birth first; or: the session is open, send the readings from `next_seq` on."""
    return ["w", boot_id, schema, next_seq, 1 if want_birth else 0]


def ack(boot_id: str, next_seq: int) -> "list[Any]":
    """All readings of that boot before `next_seq` are committed: forget them."""
    return ["a", boot_id, next_seq]


def nak(start: int, end: int) -> "list[Any]":
    """Send the readings from `start` to before `end` again."""
    return ["n", start, end]


def ping(number: int) -> "list[Any]":
    """Tell me your ticks."""
    return ["p", number]


def command(command_id: str, ttl_ms: int, name: str, params: "dict[str, Any]") -> "list[Any]":
    """Do it once within `ttl_ms`, however often this comes, and answer each time."""
    return ["c", command_id, ttl_ms, name, params]


def data(command_id: str, part: int, offset: int, text: str) -> "list[Any]":
    """Carry data of a command, in base64: what was wanted."""
    return ["d", command_id, part, offset, text]


def cancel(command_id: str) -> "list[Any]":
    """Give up a command, if you can; answer it as always."""
    return ["x", command_id]


# --- the check of what comes in -----------------------------------------------------------------------


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_INT


def _is_percent(value: object) -> bool:
    return value is None or (_is_int(value) and isinstance(value, int) and value <= 100)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_PAYLOAD


def _is_hex8(value: object) -> bool:
    return isinstance(value, str) and len(value) == 8 and _only(value, "0123456789abcdef")


def is_id(value: object) -> bool:
    """Whether it is a name that is safe in paths, topics and addresses: 1 to 64 of a-z 0-9 _ - and ."""
    return (
        isinstance(value, str)
        and 1 <= len(value) <= 64
        and value[0] not in "-."
        and _only(value, "abcdefghijklmnopqrstuvwxyz0123456789_-.")
    )


def _only(text: str, allowed: str) -> bool:
    for c in text:  # noqa: SIM110 - a generator costs a board an allocation
        if c not in allowed:
            return False
    return True


def _is_dict(value: object) -> bool:
    return isinstance(value, dict)


def _is_any(value: object) -> bool:
    return True


if TYPE_CHECKING:
    Shapes = dict[str, tuple[Callable[[object], bool], ...]]

FROM_BOARD: "Shapes" = {
    "hello": (_is_int, is_id, _is_hex8, _is_hex8, _is_int, _is_int, _is_text),
    "k": (_is_int, _is_int, _is_int, _is_int),
    "q": (_is_int, _is_int),
    "r": (is_id, _is_int, _is_any),
    "y": (is_id, _is_percent, _is_text),
    "g": (is_id, _is_int, _is_int),
    "f": (_is_int, _is_int, _is_int, _is_text),
    "birth": (_is_dict,),
}
FROM_HUB: "Shapes" = {
    "hi": (),
    "w": (_is_hex8, _is_hex8, _is_int, _is_int),
    "a": (_is_hex8, _is_int),
    "n": (_is_int, _is_int),
    "p": (_is_int,),
    "c": (is_id, _is_int, is_id, _is_dict),
    "x": (is_id,),
    "d": (is_id, _is_int, _is_int, _is_text),
    "f": (_is_int, _is_int, _is_int, _is_text),
}


def parse(text: str, shapes: "Shapes") -> "list[Any]":
    """Read a message and check its tag, its count of fields and their types. Raises WireError.

    A reading passes when its first three items are whole numbers; its values are checked against the birth.
    """
    try:
        message = json.loads(text)
    except (ValueError, RuntimeError) as error:  # RuntimeError: nested too deep
        raise WireError(f"not JSON: {error}")  # noqa: B904 - MicroPython has no `from`
    if not isinstance(message, list) or not message:
        raise WireError("not a JSON array with a tag")
    tag = message[0]
    if not isinstance(tag, str):
        if len(message) > 3 and _is_int(tag) and _is_int(message[1]) and _is_int(message[2]):
            return message
        raise WireError("neither a tag nor a reading's seq, ticks and group")
    shape = shapes.get(tag)
    if shape is None:
        raise WireError(f"unknown message {dumps(tag[:16])}")
    if len(message) != len(shape) + 1:
        raise WireError(f"{tag} has {len(message) - 1} fields, not {len(shape)}")
    for index, check in enumerate(shape):
        if not check(message[index + 1]):
            raise WireError(f"{tag}: field {index + 1} is not as it must be")
    return message
