"""Retention rules: which of them decides what of a metric stays, and how long."""

from __future__ import annotations

import pytest

from hub.config import parse
from hub.store.lifetime.policy import Keep, Policy, Sieve, everything

DAY = 86_400_000

RULES = """
[retention]
raw = "90d"
1m = "2y"
[[retention.rule]]
device = "pico-?"
metric = "vibration.*"
raw = "7d"
10s = "30d"
[[retention.rule]]
tag = "lab"
raw = "1d"
deadband = 0.5
[[retention.rule]]
metric = "door"
deadband = 0.0
min_interval = "5s"
max_interval = "1h"
[tags]
pico-1 = ["lab"]
mill = ["lab", "loud"]
"""


def policy(text: str = RULES) -> Policy:
    config = parse(text, "outpost.toml")
    return Policy(config.retention, config.tags)


def test_the_default_stands_where_no_rule_fits() -> None:
    assert policy().keep("host", "cpu") == Keep(raw=90 * DAY, minutes=2 * 365 * DAY + DAY // 2)


def test_of_each_key_the_first_rule_that_fits_and_names_it_decides() -> None:
    kept = policy().keep("pico-1", "vibration.x")
    assert (kept.raw, kept.seconds) == (7 * DAY, 30 * DAY)
    assert policy().keep("pico-1", "temperature").raw == DAY
    assert policy().keep("pico-22", "vibration.x").raw == 90 * DAY


@pytest.mark.parametrize(
    ("device", "metric", "sieve"),
    [
        ("host", "cpu", None),
        ("mill", "rpm", Sieve(deadband=0.5)),
        ("mill", "door", Sieve(deadband=0.5, min_interval_ms=5000, max_interval_ms=3_600_000)),
        ("host", "door", Sieve(deadband=0.0, min_interval_ms=5000, max_interval_ms=3_600_000)),
    ],
)
def test_a_sieve_gathers_its_keys_from_the_rules(device: str, metric: str, sieve: Sieve | None) -> None:
    assert policy().sieve(device, metric) == sieve


def test_forever_in_a_rule_lifts_an_age() -> None:
    rules = policy('[[retention.rule]]\nmetric = "rain"\nraw = "forever"')
    assert rules.keep("a", "rain").raw is None
    assert rules.keep("a", "wind").raw == 90 * DAY


def test_a_size_is_read_in_decimal_units() -> None:
    assert policy('[retention]\nsize = "8GB"').size_bytes == 8 * 10**9


def test_the_fingerprint_tells_rules_apart_and_is_the_same_for_the_same() -> None:
    assert policy().fingerprint == policy().fingerprint
    assert policy().fingerprint != policy(RULES.replace('"7d"', '"8d"')).fingerprint
    assert policy().fingerprint != policy(RULES.replace('mill = ["lab", "loud"]', "")).fingerprint
    assert 0 <= policy().fingerprint < 2**62


def test_a_policy_knows_whether_it_deletes_at_all() -> None:
    assert not everything(None).expires
    assert everything(60).expires
    assert policy('[retention]\nraw = "forever"\nsize = "1GB"').expires
    assert not policy('[retention]\nraw = "forever"\n10s = "none"').expires
