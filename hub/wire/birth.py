"""A birth's check: what a board says about itself is untrusted, and bounded in every direction.

The shape, as JSON (docs/protocol.md):
{"name", "model", "firmware", "outbox_bytes", "notice", "groups": [{"interval_ms", "metrics": [{"name",
"unit", "kind", "title", "options", "decimals"}]}], "commands": [{"name", "title", "params"}]}
"""

from .message import MAX_INT, WireError, is_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_BYTES = 65536
MAX_METRICS = 256
MAX_GROUPS = 64
MAX_COMMANDS = 64
MAX_OPTIONS = 64
KINDS = ("number", "boolean", "text", "enum")
_BIRTH_KEYS = ("name", "model", "firmware", "outbox_bytes", "notice", "groups", "commands")
MIN_INTERVAL_MS = 5
MAX_INTERVAL_MS = 86_400_000
_PARAM_TYPES = ("integer", "number", "string", "boolean", "object")
_PARAM_KEYS = (
    "type", "title", "description", "enum", "default", "minimum", "maximum", "minLength", "maxLength", "unit",
)  # fmt: skip
_MAX_TEXT_VALUE = 160


class Metric:
    """A metric as a board declares it."""

    def __init__(self, data: "dict[str, Any]", where: str) -> None:
        _keys(data, ("name", "unit", "kind", "title", "options", "decimals"), where)
        self.name = _id(data, "name", where)
        self.unit = _text(data, "unit", 16, where)
        self.title = _text(data, "title", 64, where)
        self.kind = data.get("kind", "number")
        if self.kind not in KINDS:
            raise WireError("{}.kind: must be one of {}".format(where, ", ".join(KINDS)))
        self.decimals = _int(data, "decimals", 0, 9, where, 0)
        self._scale = 10**self.decimals
        self.options = tuple(_texts(data.get("options", []), MAX_OPTIONS, where + ".options"))
        if (self.kind == "enum") != bool(self.options):
            raise WireError(f"{where}.options: an enum names its options, nothing else does")

    def value(self, raw: object) -> "float | int | bool | str | None":
        """Return the value of one item of a reading; None where it could not be read. Raises WireError."""
        if raw is None:
            return None
        if self.kind == "text":
            if isinstance(raw, str) and _is_clean(raw, _MAX_TEXT_VALUE):
                return raw
        elif isinstance(raw, int) and not isinstance(raw, bool):
            if self.kind == "number":
                if -MAX_INT < raw < MAX_INT:
                    return raw / self._scale if self.decimals else raw
            elif self.kind == "boolean":
                if 0 <= raw <= 1:
                    return raw == 1
            elif 0 <= raw < len(self.options):
                return self.options[raw]
        raise WireError(f"{self.name}: the value is no {self.kind}")


class Group:
    """Metrics that are read together: they share a reading, and so its time."""

    def __init__(self, data: object, where: str) -> None:
        group = _dict(data, where)
        _keys(group, ("interval_ms", "metrics"), where)
        self.interval_ms = _int(group, "interval_ms", MIN_INTERVAL_MS, MAX_INTERVAL_MS, where, 1000)
        items = _list(group, "metrics", MAX_METRICS, where)
        self.metrics = tuple(
            [
                Metric(_dict(item, f"{where}.metrics[{i}]"), f"{where}.metrics[{i}]")
                for i, item in enumerate(items)
            ]
        )
        self.names = tuple([metric.name for metric in self.metrics])
        if not self.names:
            raise WireError(where + ".metrics: a group has at least one")

    def values(self, raw: "list[Any]") -> "tuple[float | int | bool | str | None, ...]":
        """Return the values of a reading of this group. Raises WireError."""
        if len(raw) != len(self.metrics):
            raise WireError(f"a reading of {len(raw)} values, not {len(self.metrics)}")
        return tuple([metric.value(raw[i]) for i, metric in enumerate(self.metrics)])

    def layout(self) -> "tuple[Any, ...]":
        """Return what must stay the same within a boot for its readings to be understood."""
        return tuple([(m.name, m.kind, m.decimals, m.options) for m in self.metrics])


class Command:
    """A command as a board declares it; `params` is the checked JSON Schema."""

    def __init__(self, data: object, where: str) -> None:
        command = _dict(data, where)
        _keys(command, ("name", "title", "params"), where)
        self.name = _id(command, "name", where)
        self.title = _text(command, "title", 64, where)
        self.params = _schema(command.get("params", {"type": "object"}), where + ".params")


class Birth:
    """A whole birth. Raises WireError with the place and the limit where `data` breaks one."""

    def __init__(self, data: object) -> None:
        birth = _dict(data, "birth")
        _keys(birth, _BIRTH_KEYS, "birth")
        self.name = _text(birth, "name", 64, "birth")
        self.model = _text(birth, "model", 64, "birth")
        self.firmware = _text(birth, "firmware", 64, "birth")
        self.outbox_bytes = _int(birth, "outbox_bytes", 0, MAX_INT - 1, "birth", 0)
        self.notice = _text(birth, "notice", 160, "birth")
        groups = _list(birth, "groups", MAX_GROUPS, "birth")
        declared = sum([len(group.get("metrics") or ()) for group in groups if _sized(group)])
        if declared > MAX_METRICS:
            raise WireError(f"birth.groups: {declared} metrics are over {MAX_METRICS}")
        self.groups = tuple([Group(item, f"birth.groups[{i}]") for i, item in enumerate(groups)])
        commands = _list(birth, "commands", MAX_COMMANDS, "birth")
        self.commands = tuple([Command(item, f"birth.commands[{i}]") for i, item in enumerate(commands)])
        _unique([name for group in self.groups for name in group.names], "birth.groups: metric")
        _unique([command.name for command in self.commands], "birth.commands: command")

    def group(self, index: int) -> Group:
        """Return a group by the index that its readings carry. Raises WireError."""
        if index >= len(self.groups):
            raise WireError(f"there is no group {index}")
        return self.groups[index]

    def layout(self) -> "tuple[Any, ...]":
        """Return what must stay the same within a boot."""
        return tuple([group.layout() for group in self.groups])


def _sized(group: object) -> bool:
    return isinstance(group, dict) and isinstance(group.get("metrics"), list)


def _schema(data: object, where: str) -> "dict[str, Any]":
    """Check the JSON Schema subset that a form can show and a board can hold to."""
    schema = _dict(data, where)
    _keys(schema, ("type", "properties", "required", "additionalProperties"), where)
    if schema.get("type") != "object":
        raise WireError(where + '.type: must be "object"')
    if not isinstance(schema.get("additionalProperties", False), bool):
        raise WireError(where + ".additionalProperties: must be true or false")
    properties = _dict(schema.get("properties", {}), where + ".properties")
    if len(properties) > 32:
        raise WireError(where + ".properties: over 32")
    for name, value in properties.items():
        if not is_id(name):
            raise WireError(where + ".properties: a name must be 1 to 64 of a-z 0-9 _ - .")
        _param(_dict(value, where + "." + name), where + "." + name)
    required = schema.get("required", [])
    if not isinstance(required, list) or [r for r in required if not is_id(r) or r not in properties]:
        raise WireError(where + ".required: must list names of properties")
    return schema


def _param(data: "dict[str, Any]", where: str) -> None:
    _keys(data, _PARAM_KEYS, where)
    if data.get("type") not in _PARAM_TYPES:
        raise WireError("{}.type: must be one of {}".format(where, ", ".join(_PARAM_TYPES)))
    _text(data, "title", 64, where)
    _text(data, "unit", 16, where)
    _text(data, "description", 256, where)
    for key in ("minimum", "maximum", "minLength", "maxLength"):
        if key in data and not _is_number(data[key]):
            raise WireError(f"{where}.{key}: must be a number")
    if data["type"] == "object" and ("default" in data or "enum" in data):
        raise WireError(where + ": an object has neither enum nor default")
    if "default" in data and not _is_scalar(data["default"]):
        raise WireError(where + ".default: must be a number, a boolean or a text")
    if "enum" in data:
        options = _list(data, "enum", MAX_METRICS, where)
        if not options or [item for item in options if not _is_scalar(item)]:
            raise WireError(where + ".enum: must list numbers or texts of at most 64 characters")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -1e18 < value < 1e18


def _is_scalar(value: object) -> bool:
    return isinstance(value, bool) or _is_number(value) or (isinstance(value, str) and _is_clean(value, 64))


def _dict(data: object, where: str) -> "dict[str, Any]":
    if not isinstance(data, dict):
        raise WireError(where + ": must be an object")
    return data


def _list(data: "dict[str, Any]", key: str, most: int, where: str) -> "list[Any]":
    items = data.get(key, [])
    if not isinstance(items, list):
        raise WireError(f"{where}.{key}: must be an array")
    if len(items) > most:
        raise WireError(f"{where}.{key}: {len(items)} are over {most}")
    return items


def _keys(data: "dict[str, Any]", known: "tuple[str, ...]", where: str) -> None:
    for key in data:
        if key not in known:
            raise WireError("{}: unknown key {!r}; known: {}".format(where, key[:32], ", ".join(known)))


def _is_clean(text: str, most: int) -> bool:
    """Whether a text is short and without control, format or lone surrogate characters."""
    return len(text) <= most and text.isprintable()


def _text(data: "dict[str, Any]", key: str, most: int, where: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str) or not _is_clean(value, most):
        raise WireError(f"{where}.{key}: must be a printable text of at most {most} characters")
    return value


def _texts(items: object, most: int, where: str) -> "list[str]":
    if not isinstance(items, list) or len(items) > most:
        raise WireError(f"{where}: must be an array of at most {most}")
    for item in items:
        if not isinstance(item, str) or not item or not _is_clean(item, 64):
            raise WireError(f"{where}: must hold printable texts of 1 to 64 characters")
    _unique(items, where + ":")
    return items


def _int(data: "dict[str, Any]", key: str, low: int, high: int, where: str, absent: int) -> int:
    value = data.get(key, absent)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise WireError(f"{where}.{key}: must be a whole number from {low} to {high}")
    return value


def _id(data: "dict[str, Any]", key: str, where: str) -> str:
    value = data.get(key)
    if not is_id(value):
        raise WireError(f"{where}.{key}: must be 1 to 64 of a-z 0-9 _ - . and begin with a letter or digit")
    assert isinstance(value, str)  # noqa: S101 - is_id says so, mypy cannot see it
    return value


def _unique(names: "list[str]", where: str) -> None:
    if len(set(names)) != len(names):
        twice = [name for name in names if names.count(name) > 1]
        raise WireError(f"{where} {twice[0]} is there twice")
