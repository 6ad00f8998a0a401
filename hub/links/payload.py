"""What MQTT topics and payloads mean: bytes of strangers into values, or a refusal that says why. Pure."""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

from hub.iso_time import NoOffset, NoSuchTime, iso_ms
from hub.model import Kind, OutpostError, Quality, Value

PAYLOAD_BYTES = 16 * 1024
TEXT_CHARACTERS = 256
METRICS_A_MESSAGE = 256
# JSON numbers beyond this lose digits in a browser and in a double (RFC 8259, section 6).
LARGEST_INTEGER = 2**53
# A device whose clock was never set says 1970 or 2000; one whose clock is that far ahead is as wrong.
EARLIEST_MS = 1_577_836_800_000  # 2020-01-01
FUTURE_MS = 24 * 3600 * 1000

# Names stand in URLs, file names and query strings: one safe alphabet, no leading dot or dash.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}")
_PLAIN_NUMBER = re.compile(r"[+-]?(\d{1,40}\.?\d{0,40}|\.\d{1,40})([eE][+-]?\d{1,4})?")
_NOT_FINITE = frozenset({"nan", "inf", "infinity"})
_FOR_THE_READING = frozenset({"time", "quality"})


class BadMessage(OutpostError):
    """A message that is refused; `reason` is one of few fixed words, for counting."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class Address(msgspec.Struct, frozen=True):
    """What a topic names: a device, and one metric of it or (None) the device as a whole."""

    device: str
    metric: str | None


class Field(msgspec.Struct, frozen=True, gc=False):
    """One metric's value in a message; `unit` is None where the message does not say."""

    metric: str
    value: Value
    unit: str | None = None


class Message(msgspec.Struct, frozen=True):
    """A message taken apart: at least one field; the device's own time (UTC ms) where it gave one."""

    fields: tuple[Field, ...]
    refused: tuple[BadMessage, ...] = ()
    time_ms: int | None = None
    quality: Quality = Quality.GOOD


def address(topic: str, prefix: str) -> Address:
    """`<prefix>/<device>[/<metric>]` → Address. Raises BadMessage."""
    levels = topic.removeprefix(f"{prefix}/").split("/")
    if not topic.startswith(f"{prefix}/") or len(levels) > 2:
        raise BadMessage("topic", f"{topic[:80]!r} is not {prefix}/DEVICE or {prefix}/DEVICE/METRIC")
    for level in levels:
        _check_name(level)
    return Address(levels[0], levels[1] if len(levels) == 2 else None)


def parse(payload: bytes, metric: str | None) -> Message:
    """Take a payload apart. Raises BadMessage where nothing of it can be used.

    For one metric: a JSON scalar, a plain number, bare text, or an object with `value` and optionally `unit`,
    `time` (ms since 1970 UTC, or RFC 3339) and `quality`. For a whole device (`metric` is None): an object
    whose members are metrics, each a scalar or an object with `value` and `unit`; `time` and `quality` hold
    for all. Other members beside a `value` are passed over: many devices add their own.
    """
    if len(payload) > PAYLOAD_BYTES:
        raise BadMessage("too long", f"a payload of {len(payload)} bytes; at most {PAYLOAD_BYTES} are read")
    try:
        text = payload.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise BadMessage("not UTF-8", str(error)) from error
    if not text:
        raise BadMessage("empty", "a payload without a value")
    content = _content(text)
    if metric is None:
        if not isinstance(content, dict):
            raise BadMessage("not an object", "a device's own topic takes a JSON object of its metrics")
        return _whole_device(content)
    return _one_metric(content, metric)


def _one_metric(content: Any, metric: str) -> Message:
    if not isinstance(content, dict):
        return Message(fields=(Field(metric, _value(content)),))
    if "value" not in content:
        raise BadMessage("no value", "an object under a metric's topic needs `value`")
    return Message(
        fields=(Field(metric, _value(content["value"]), _unit(content)),),
        time_ms=_time_ms(content.get("time")),
        quality=_quality(content.get("quality")),
    )


def _whole_device(content: dict[str, Any]) -> Message:
    members = {name: member for name, member in content.items() if name not in _FOR_THE_READING}
    if len(members) > METRICS_A_MESSAGE:
        raise BadMessage(
            "too many metrics", f"{len(members)} in one message; at most {METRICS_A_MESSAGE} are taken"
        )
    time_ms, quality = _time_ms(content.get("time")), _quality(content.get("quality"))
    fields: list[Field] = []
    refused: list[BadMessage] = []
    for name, member in members.items():
        try:
            fields.append(_member(name, member))
        except BadMessage as error:
            refused.append(error)
    if not fields:
        raise refused[0] if refused else BadMessage("no value", "an object without metrics")
    return Message(fields=tuple(fields), refused=tuple(refused), time_ms=time_ms, quality=quality)


def _member(name: str, member: Any) -> Field:
    _check_name(name)
    if not isinstance(member, dict):
        return Field(name, _value(member))
    if "value" not in member:
        raise BadMessage("no value", f"{name} is an object without `value`")
    return Field(name, _value(member["value"]), _unit(member))


def _content(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.ValidationError as error:
        raise BadMessage("not finite", f"a number that no double holds: {text[:40]!r}") from error
    except RecursionError as error:
        raise BadMessage("not JSON", "nested deeper than any reading") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        if text[0] in '{["':
            raise BadMessage("not JSON", f"{error}: {text[:40]!r}") from error
    return float(text) if _PLAIN_NUMBER.fullmatch(text) else text


def _value(content: Any) -> Value:
    """Return a JSON scalar as a value. Raises BadMessage."""
    if content is None or isinstance(content, bool):
        return content
    if isinstance(content, str):
        return _text(content)
    if isinstance(content, int):
        if abs(content) > LARGEST_INTEGER:
            raise BadMessage("too big", "an integer beyond 2^53 loses digits; send it as text")
        return content
    if isinstance(content, float):
        if not math.isfinite(content):
            raise BadMessage("not finite", f"{content} is no measurement; send null for what cannot be read")
        return content
    raise BadMessage("not a scalar", "a value is a number, a boolean, text or null")


def _text(text: str) -> str:
    if text.strip().lstrip("+-").lower() in _NOT_FINITE:
        raise BadMessage("not finite", f"{text[:20]!r} is no measurement; send null for what cannot be read")
    if len(text) > TEXT_CHARACTERS:
        raise BadMessage("too long", f"{len(text)} characters of text; at most {TEXT_CHARACTERS} are kept")
    if any(not c.isprintable() and c not in "\n\t" for c in text):
        raise BadMessage("control characters", f"in text: {text[:40]!r}")
    return text


def _unit(content: dict[str, Any]) -> str | None:
    unit = content.get("unit")
    if unit is None:
        return None
    if not isinstance(unit, str) or len(unit) > 16 or not unit.isprintable():
        raise BadMessage("bad unit", f"{str(unit)[:40]!r} is not up to 16 printable characters")
    return unit


def _quality(content: Any) -> Quality:
    if content is None:
        return Quality.GOOD
    try:
        return Quality(content)
    except ValueError as error:
        raise BadMessage("bad quality", f"{str(content)[:40]!r} is not good, uncertain or bad") from error


def _time_ms(content: Any) -> int | None:
    """Return UTC ms of a JSON number (ms) or of RFC 3339 text with an offset. Raises BadMessage."""
    if content is None:
        return None
    if isinstance(content, str):
        try:
            return iso_ms(content, None)
        except (NoOffset, NoSuchTime) as error:
            raise BadMessage("bad time", f"{content[:40]!r}: {error}") from error
        except ValueError as error:
            raise BadMessage("bad time", f"{content[:40]!r} is not RFC 3339") from error
    if isinstance(content, bool) or not isinstance(content, int | float) or not abs(content) < 2**53:
        raise BadMessage("bad time", f"{str(content)[:40]!r} is neither milliseconds nor RFC 3339")
    return round(content)


def plausible(time_ms: int, now_ms: int) -> bool:
    """Return whether a device's own time can be believed."""
    return EARLIEST_MS <= time_ms <= now_ms + FUTURE_MS


def kind_of(value: Value) -> Kind | None:
    """Return the kind of metric that has such values; None where null does not tell."""
    if value is None:
        return None
    if isinstance(value, bool):
        return Kind.BOOLEAN
    return Kind.TEXT if isinstance(value, str) else Kind.NUMBER


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadMessage("name", f"{name[:40]!r} is not 1 to 64 of A-Z, a-z, 0-9, _ . : - (not first)")
