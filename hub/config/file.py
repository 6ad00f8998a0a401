"""The configuration file: TOML into typed values, with errors that name file, key and remedy."""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any

import msgspec

from hub.config.checks import check
from hub.config.forms import ConfigError
from hub.config.sections import Config

if TYPE_CHECKING:
    from pathlib import Path


def load(path: Path) -> Config:
    """Read and check a configuration file. Raises ConfigError."""
    try:
        # Editors on Windows start a file with a byte order mark, which TOML does not know.
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: is not UTF-8 text: {error}") from error
    return parse(text, str(path))


def parse(text: str, where: str) -> Config:
    """Check the text of a configuration file; `where` names it in errors. Raises ConfigError."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Beside TOMLDecodeError: Python's own limits, on an integer's digits and on the depth of nesting.
        raise ConfigError(f"{where}: not valid TOML: {error}") from error
    _refuse_unknown(raw, Config, where, "")
    _check_tags(raw.get("tags"), where)
    try:
        config = msgspec.convert(raw, Config, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_readable(str(error))}") from error
    check(config, where)
    return config


# --- unknown keys -------------------------------------------------------------------------------------


def _refuse_unknown(raw: dict[str, Any], section: type[msgspec.Struct], where: str, prefix: str) -> None:
    fields = {field.encode_name: _section_of(field.type) for field in msgspec.structs.fields(section)}
    for key, value in raw.items():
        if key not in fields:
            raise ConfigError(
                f"{where}: unknown key `{prefix}{_shown(key)}`{_hint(key, list(fields), prefix)}"
            )
        inner, repeated = fields[key]
        if inner is None:
            continue
        if isinstance(value, dict) and not repeated:
            _refuse_unknown(value, inner, where, f"{prefix}{key}.")
        elif isinstance(value, list) and repeated:
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    _refuse_unknown(item, inner, where, f"{prefix}{key}[{index}].")


def _section_of(kind: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """Return the Struct that a key holds, if it holds one, and whether it holds many (`[[camera]]`)."""
    many = getattr(kind, "__args__", ())
    inner = many[0] if many else kind
    return (inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None), bool(many)


def _hint(key: str, known: list[str], prefix: str) -> str:
    """Name the nearest key of this section; else the same key of another; else all that are known here."""
    if near := difflib.get_close_matches(key, known, n=1):
        return f"; did you mean `{prefix}{near[0]}`?"
    for field in msgspec.structs.fields(Config):
        inner, repeated = _section_of(field.type)
        if inner is not None and key in inner.__struct_fields__:
            return f"; it belongs under {f'[[{field.name}]]' if repeated else f'[{field.name}]'}"
    return f"; known here: {', '.join(known)}"


def _shown(key: str) -> str:
    """Return a key as an error message may show it: on one line, and not for ever."""
    text = key if key.isprintable() else ascii(key)[1:-1]
    return text if len(text) <= 60 else f"{text[:60]}…"


# --- wrong types --------------------------------------------------------------------------------------


def _check_tags(tags: object, where: str) -> None:
    """Name the device whose tags are no texts: msgspec does not tell a table's keys. Raises ConfigError."""
    for device, words in tags.items() if isinstance(tags, dict) else ():
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ConfigError(
                f'{where}: `tags.{_shown(device)}`: expected a list of texts, as in ["lab", "north"]'
            )


_TOML_WORDS = {
    "Object missing required field": "misses the key",
    "`object`": "a table",
    "`array`": "a list",
    "`str | null`": "a text",
    "`str`": "a text",
    "`int`": "a whole number",
    "`bool`": "true or false",
    "`float`": "a number",
}


def _readable(message: str) -> str:
    """Turn msgspec's `Expected … - at `$.a.b`` into `a.b: expected …`, in TOML's words."""
    found = re.fullmatch(r"(.*) - at `\$\.?(.*)`", message, re.DOTALL)
    reason, key = found.groups() if found is not None else (message, "")
    if key in ("camera", "sensor") and "`object`" in reason:
        return f"`{key}`: each {key} begins with [[{key}]], in two pairs of brackets"
    for theirs, ours in _TOML_WORDS.items():
        reason = reason.replace(theirs, ours)
    reason = reason[0].lower() + reason[1:]
    return f"`{key}`: {reason}" if key else reason
