"""What is kept of which metric, how long, and what is stored at all: the rules of the configuration. Pure."""

from __future__ import annotations

import hashlib
import re
from fnmatch import translate
from typing import TYPE_CHECKING

import msgspec

from hub.config import RetentionConfig, age_ms, duration_s, size_bytes
from hub.config.retention import FOREVER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.config import RetentionRule

MAX_INTERVAL_MS = 600_000
"""A value that holds is stored again after so long, where a rule does not say otherwise."""
_IN_MEMORY = 20_000
_AGES = ("raw", "seconds", "minutes", "hours", "days")


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How long a metric's samples and rollups stay, in ms by source time; None: for ever."""

    raw: int | None = None
    seconds: int | None = 0
    """By 10 s; 0: not stored."""
    minutes: int | None = None
    hours: int | None = None
    days: int | None = None

    def of(self, name: str) -> int | None:
        """Return the age of `raw`, `seconds`, `minutes`, `hours` or `days`."""
        age: int | None = getattr(self, name)
        return age


class Sieve(msgspec.Struct, frozen=True, kw_only=True):
    """Which samples of a metric are stored."""

    deadband: float | None = None
    min_interval_ms: int = 0
    max_interval_ms: int = MAX_INTERVAL_MS


class _Pattern(msgspec.Struct, frozen=True):
    rule: RetentionRule
    device: re.Pattern[str]
    metric: re.Pattern[str]


class Policy:
    """The rules. Of each key the first rule that fits a metric and names the key decides; else the default.

    Texts must have been checked (`hub.config`).
    """

    def __init__(
        self, retention: RetentionConfig | None = None, tags: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        self.retention = retention or RetentionConfig(raw=FOREVER)
        """As it is written."""
        self.tags = dict(tags or {})
        self.size_bytes = None
        self._default = Keep()
        self._patterns: list[_Pattern] = []
        self._keeps: dict[tuple[str, str], Keep] = {}
        if retention is None:
            return
        if retention.size is not None:
            self.size_bytes = size_bytes(retention.size, "`retention.size`")
        self._default = Keep(**{name: age_ms(getattr(retention, name), name) for name in _AGES})
        self._patterns = [
            _Pattern(rule, re.compile(translate(rule.device)), re.compile(translate(rule.metric)))
            for rule in retention.rule
        ]

    def keep(self, device: str, metric: str) -> Keep:
        """Return how long what of a metric stays."""
        found = self._keeps.get((device, metric))
        if found is None:
            found = self._keep(device, metric)
            if len(self._keeps) >= _IN_MEMORY:
                self._keeps.clear()
            self._keeps[device, metric] = found
        return found

    def sieve(self, device: str, metric: str) -> Sieve | None:
        """Return which samples of a metric are stored; None: all."""
        rules = self._rules(device, metric)
        deadband = next((rule.deadband for rule in rules if rule.deadband is not None), None)
        shortest = next((rule.min_interval for rule in rules if rule.min_interval is not None), None)
        longest = next((rule.max_interval for rule in rules if rule.max_interval is not None), None)
        if deadband is None and shortest is None:
            return None
        least_ms = 0 if shortest is None else duration_s(shortest, "`min_interval`") * 1000
        most_ms = MAX_INTERVAL_MS if longest is None else duration_s(longest, "`max_interval`") * 1000
        return Sieve(deadband=deadband, min_interval_ms=least_ms, max_interval_ms=max(least_ms, most_ms))

    @property
    def sieves(self) -> bool:
        """Tell that there may be samples which are not stored."""
        return any(
            pattern.rule.deadband is not None or pattern.rule.min_interval is not None
            for pattern in self._patterns
        )

    @property
    def expires(self) -> bool:
        """Tell that there may be something to delete."""
        said = [getattr(pattern.rule, name) for pattern in self._patterns for name in _AGES]
        ages = [age_ms(text, "") for text in said if text is not None]
        ages += [self._default.of(name) for name in _AGES]
        return self.size_bytes is not None or any(ages)

    @property
    def stores_seconds(self) -> bool:
        """Tell that there may be metrics whose rollups by 10 s are stored."""
        said = [pattern.rule.seconds for pattern in self._patterns]
        return self._default.seconds != 0 or any(text is not None and age_ms(text, "") != 0 for text in said)

    @property
    def fingerprint(self) -> int:
        """Return a number that changes with what the rules would delete: 62 bits, for the file."""
        rules = [msgspec.to_builtins(pattern.rule) for pattern in self._patterns]
        said = (msgspec.to_builtins(self._default), rules, self.size_bytes, sorted(self.tags.items()))
        digest = hashlib.blake2b(msgspec.json.encode(said), digest_size=8).digest()
        return int.from_bytes(digest, "big") >> 2

    def _keep(self, device: str, metric: str) -> Keep:
        found: dict[str, int | None] = {}
        for rule in self._rules(device, metric):
            for name in _AGES:
                text = getattr(rule, name)
                if text is not None and name not in found:
                    found[name] = age_ms(text, name)
        return msgspec.structs.replace(self._default, **found)

    def _rules(self, device: str, metric: str) -> list[RetentionRule]:
        tags = self.tags.get(device, ())
        return [
            pattern.rule
            for pattern in self._patterns
            if (pattern.rule.tag is None or pattern.rule.tag in tags)
            and pattern.device.match(device)
            and pattern.metric.match(metric)
        ]


def everything(raw_s: int | None) -> Policy:
    """Return a policy of one age for the samples of all metrics; None: for ever."""
    policy = Policy()
    policy._default = Keep(raw=None if raw_s is None else raw_s * 1000)
    return policy
