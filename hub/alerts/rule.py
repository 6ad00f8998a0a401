"""What a rule may say: which metrics, which condition, for how long, and what is done then. Pure."""

from __future__ import annotations

import fnmatch
import math
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import msgspec

from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Callable

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
LONGEST_MS = 7 * _UNITS_MS["d"]
_LONGEST_CLIP_S = 3600
_LONGEST_TEXT = 200
MOST_ACTIONS = 8
_DEEPEST = 8
_LONGEST_PAYLOAD = 10_000
_LARGEST = 2**63


class BadRule(OutpostError):
    """A rule cannot be used; `field` names what of it is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"`{field}`: {reason}")
        self.field = field


class Condition(StrEnum):
    """What a rule waits for."""

    ABOVE = "above"
    BELOW = "below"
    RISES = "rises"
    """The value rose by more than `threshold` within `window`."""
    FALLS = "falls"
    SILENT = "silent"
    """No value that could be read came for `hold`."""
    BECOMES = "becomes"
    """The value changed to `value`: an edge, so a value that is so already raises nothing."""


class Severity(StrEnum):
    """How much it matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class WebhookAction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="webhook"):
    """POST the alert as JSON. `secret` names a file of the folder `secrets`: its line is sent as a header."""

    url: str
    secret: str | None = None
    on_clear: bool = True


class MqttAction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="mqtt"):
    """Publish the alert as JSON, or `payload` in its place."""

    topic: str
    payload: str | None = None
    on_clear: bool = True


class ClipAction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="clip"):
    """Record from a camera, its pre-roll first."""

    camera: str
    seconds: float = 30.0


class CommandAction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="command"):
    """Send a command to `device`; left out, to the device that the alert is about."""

    command: str
    params: dict[str, Any] = {}
    device: str | None = None


Action: TypeAlias = WebhookAction | MqttAction | ClipAction | CommandAction


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule. Durations are texts: `500ms`, `30s`, `5m`, `2h`, `1d`."""

    id: str
    title: str = ""
    source: str
    """`DEVICE/METRIC`, each a name or a pattern with * and ?."""
    condition: Condition
    threshold: float | None = None
    hysteresis: float = 0.0
    """It clears only where the value is so far back beyond the threshold."""
    window: str = "1m"
    value: bool | str = True
    hold: str = "0s"
    """For how long the condition holds before an alert is raised; of `silent` the length of the silence."""
    clear_hold: str = "0s"
    """For how long it has to be well again before the alert is cleared."""
    severity: Severity = Severity.WARNING
    enabled: bool = True
    actions: tuple[Action, ...] = ()

    @property
    def name(self) -> str:
        """The title, or the id where there is none."""
        return self.title or self.id


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A checked rule with its durations in milliseconds and its patterns prepared."""

    rule: Rule
    hold_ms: int
    clear_hold_ms: int
    window_ms: int
    takes: Callable[[str, str], bool]


def check(rule: Rule) -> Ready:
    """Check what the types do not. Raises BadRule, naming the field."""
    if not _ID.fullmatch(rule.id):
        raise BadRule("id", f"{rule.id[:70]!r} must be 1 to 63 of a-z, 0-9 and -, as in greenhouse-hot")
    if len(rule.title) > _LONGEST_TEXT or (rule.title and not rule.title.isprintable()):
        raise BadRule("title", f"must be up to {_LONGEST_TEXT} printable characters")
    hold_ms = duration_ms(rule.hold, "hold")
    if rule.condition is Condition.SILENT and hold_ms < 1000:
        raise BadRule("hold", "says how long the silence is; it must be 1s or more")
    _check_numbers(rule)
    if len(rule.actions) > MOST_ACTIONS:
        raise BadRule("actions", f"are more than {MOST_ACTIONS}")
    for index, action in enumerate(rule.actions):
        _check_action(action, f"actions[{index}]")
    return Ready(
        rule=rule,
        hold_ms=hold_ms,
        clear_hold_ms=duration_ms(rule.clear_hold, "clear_hold"),
        window_ms=_window_ms(rule),
        takes=_pattern(rule.source),
    )


def duration_ms(text: str, field: str) -> int:
    """`5m` → 300 000, up to 7 d. Raises BadRule."""
    found = re.fullmatch(r"([0-9]{1,9})\s*(ms|s|m|h|d)", text.strip())
    length = int(found[1]) * _UNITS_MS[found[2]] if found is not None else -1
    if not 0 <= length <= LONGEST_MS:
        raise BadRule(
            field, f"{text[:40]!r} is no duration up to 7d: a whole number and ms, s, m, h or d, as in 5m"
        )
    return length


def _window_ms(rule: Rule) -> int:
    window_ms = duration_ms(rule.window, "window")
    if rule.condition in (Condition.RISES, Condition.FALLS) and window_ms < 100:
        raise BadRule("window", "must be 100ms or more")
    return window_ms


def _check_numbers(rule: Rule) -> None:
    needs = rule.condition not in (Condition.SILENT, Condition.BECOMES)
    if needs and rule.threshold is None:
        raise BadRule("threshold", f"is missing: `{rule.condition}` compares with it")
    if rule.threshold is not None and not math.isfinite(rule.threshold):
        raise BadRule("threshold", "must be a finite number")
    if rule.condition in (Condition.RISES, Condition.FALLS) and (rule.threshold or 0) <= 0:
        raise BadRule("threshold", "is by how much the value changes; it must be above 0")
    if not 0 <= rule.hysteresis < math.inf:
        raise BadRule("hysteresis", "must be 0 or more")


def _check_action(action: Action, field: str) -> None:
    match action:
        case WebhookAction():
            _check_url(action.url, f"{field}.url")
            if action.secret is not None and not _SECRET.fullmatch(action.secret):
                raise BadRule(
                    f"{field}.secret", "names a file of the folder `secrets`: letters, digits, _ and -"
                )
        case MqttAction():
            _check_message(action, field)
        case ClipAction():
            if not 1 <= action.seconds <= _LONGEST_CLIP_S:
                raise BadRule(f"{field}.seconds", f"must be 1 to {_LONGEST_CLIP_S}")
        case CommandAction():
            if not 0 < len(action.command) <= _LONGEST_TEXT:
                raise BadRule(f"{field}.command", "must be the name of a command")
            _check_plain(action.params, f"{field}.params", 0)


def _check_message(action: MqttAction, field: str) -> None:
    topic = action.topic
    if not 0 < len(topic.encode("utf-8", "replace")) <= _LONGEST_TEXT or not topic.isprintable():
        raise BadRule(f"{field}.topic", f"must be 1 to {_LONGEST_TEXT} printable characters")
    if "+" in topic or "#" in topic or topic.startswith("$"):
        raise BadRule(f"{field}.topic", "is published to: no wildcards, and no $ at its beginning")
    if action.payload is not None and len(action.payload) > _LONGEST_PAYLOAD:
        raise BadRule(f"{field}.payload", f"is longer than {_LONGEST_PAYLOAD} characters")


def _check_plain(value: Any, field: str, depth: int) -> None:
    """Refuse what not both JSON and TOML can hold."""
    if depth > _DEEPEST:
        raise BadRule(field, f"is nested deeper than {_DEEPEST}")
    match value:
        case dict():
            for key, inner in value.items():
                _check_plain(inner, f"{field}.{str(key)[:60]}", depth + 1)
        case list():
            for inner in value:
                _check_plain(inner, field, depth + 1)
        case bool() | str():
            return
        case int() | float() if abs(value) < _LARGEST:
            return
        case _:
            raise BadRule(field, "must be a text, a number, true, false, or a list or table of those")


def _check_url(url: str, field: str) -> None:
    try:
        parts = urlsplit(url)
        whole = bool(parts.scheme in ("http", "https") and parts.hostname) and parts.port != 0
    except ValueError:
        raise BadRule(field, f"{url[:60]!r} is no URL") from None
    if not whole or len(url) > 2000 or not url.isprintable() or " " in url:
        raise BadRule(field, "must be http:// or https://, a host, and a path of up to 2000 characters")
    if parts.username is not None or parts.password is not None:
        raise BadRule(
            field, "must hold no password; put it into a file of `secrets` and name that as `secret`"
        )


def _pattern(source: str) -> Callable[[str, str], bool]:
    device, slash, metric = source.partition("/")
    if not (slash and device and metric) or len(source) > _LONGEST_TEXT or not source.isprintable():
        raise BadRule("source", f"{source[:60]!r} is not DEVICE/METRIC, as in pico-1/temperature or */door")
    # fnmatch's translation cannot be made to backtrack without end; its [] are not offered.
    of_device, of_metric = (
        re.compile(fnmatch.translate(part.replace("[", "[[]"))) for part in (device, metric)
    )
    return lambda named, channel: bool(of_device.match(named) and of_metric.match(channel))
