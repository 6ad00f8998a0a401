"""`[retention]`, its rules and `[tags]`: how long what stays, and which samples are stored at all."""

from __future__ import annotations

import math
import re

import msgspec

from hub.config.forms import ConfigError, duration_s

FOREVER = "forever"
NOT_STORED = "none"
_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_LEAST_BYTES = 20 * 10**6
_LONGEST_RULES = 1000
_AGES = ("raw", "10s", "1m", "1h", "1d")


class RetentionRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[retention.rule]]`: which metrics it is about, and what it says of them; None: nothing."""

    device: str = "*"
    metric: str = "*"
    tag: str | None = None
    raw: str | None = None
    seconds: str | None = msgspec.field(name="10s", default=None)
    minutes: str | None = msgspec.field(name="1m", default=None)
    hours: str | None = msgspec.field(name="1h", default=None)
    days: str | None = msgspec.field(name="1d", default=None)
    deadband: float | None = None
    """A sample that differs by no more from the last one stored is not stored; 0: the same again is not."""
    min_interval: str | None = None
    """The least time between samples that are stored."""
    max_interval: str | None = None
    """A value that holds is stored again after so long."""


class RetentionConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[retention]`: how long samples and rollups stay where no rule says otherwise."""

    raw: str = "90d"
    seconds: str = msgspec.field(name="10s", default=NOT_STORED)
    minutes: str = msgspec.field(name="1m", default=FOREVER)
    hours: str = msgspec.field(name="1h", default=FOREVER)
    days: str = msgspec.field(name="1d", default=FOREVER)
    size: str | None = None
    """What the store's file may take; the oldest samples go first."""
    rule: tuple[RetentionRule, ...] = ()


def age_ms(text: str, where: str) -> int | None:
    """`90d` → milliseconds, `forever` → None, `none` → 0. Raises ConfigError."""
    if text == FOREVER:
        return None
    return 0 if text == NOT_STORED else duration_s(text, where) * 1000


def size_bytes(text: str, where: str) -> int:
    """`8GB` → bytes (decimal units), 20 MB and more. Raises ConfigError."""
    found = re.fullmatch(r"([0-9]{1,9})\s*(MB|GB|TB)", text.strip())
    size = int(found[1]) * _UNITS[found[2]] if found is not None else 0
    if size < _LEAST_BYTES:
        raise ConfigError(
            f"{where}: {text!r} is no size of 20MB or more: a whole number and MB, GB or TB, as in 8GB"
        )
    return size


def check_retention(retention: RetentionConfig, tags: dict[str, tuple[str, ...]], where: str) -> None:
    """Refuse what cannot be used, or would do nothing. Raises ConfigError."""
    _check_ages(retention, f"{where}: `retention")
    if retention.size is not None:
        size_bytes(retention.size, f"{where}: `retention.size`")
    if len(retention.rule) > _LONGEST_RULES:
        raise ConfigError(f"{where}: `retention.rule`: more than {_LONGEST_RULES} rules")
    for device, own in tags.items():
        for tag in own:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", tag):
                raise ConfigError(
                    f"{where}: `tags.{device[:60]}`: {tag[:40]!r} must be 1 to 32 of letters, digits, . _ -"
                )
    known = {tag for own in tags.values() for tag in own}
    for index, rule in enumerate(retention.rule):
        _check_rule(rule, known, f"{where}: `retention.rule[{index}]")


def _check_ages(said: RetentionConfig | RetentionRule, key: str) -> None:
    for field in msgspec.structs.fields(type(said)):
        if field.encode_name not in _AGES:
            continue
        text = getattr(said, field.name)
        if text == NOT_STORED and field.encode_name != "10s":
            raise ConfigError(f"{key}.{field.encode_name}`: only `10s` can be {NOT_STORED!r}")
        if text is not None:
            age_ms(text, f"{key}.{field.encode_name}`")


def _check_rule(rule: RetentionRule, known: set[str], key: str) -> None:
    _check_ages(rule, key)
    for name in ("device", "metric"):
        pattern = getattr(rule, name)
        if not pattern or len(pattern) > 200 or not pattern.isprintable():
            raise ConfigError(f"{key}.{name}`: {pattern[:60]!r} is no name or pattern, as in pico-*")
    if rule.tag is not None and rule.tag not in known:
        raise ConfigError(
            f"{key}.tag`: no device has the tag {rule.tag[:40]!r}; "
            f"[tags] knows: {', '.join(sorted(known)) or 'none'}"
        )
    if rule.deadband is not None and not 0 <= rule.deadband < math.inf:
        raise ConfigError(f"{key}.deadband`: {rule.deadband} must be 0 or more")
    spans = {}
    for name in ("min_interval", "max_interval"):
        text = getattr(rule, name)
        if text is not None:
            spans[name] = duration_s(text, f"{key}.{name}`")
    if spans.get("max_interval", math.inf) < spans.get("min_interval", 0):
        raise ConfigError(f"{key}.max_interval`: is shorter than `min_interval`")
    said = [field for field in rule.__struct_fields__[3:] if getattr(rule, field) is not None]
    if not said:
        raise ConfigError(f"{key}`: says nothing; give it raw, 10s, 1m, 1h, 1d, deadband or min_interval")
