"""The pure part of alerts: rules are checked, and raise, hold and clear as they say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.conditions import Change
from hub.alerts.engine import Engine, Place, replay
from hub.alerts.rule import BadRule, Rule, check
from hub.alerts.watch import Turn, Watch
from hub.model import Quality, Reading

T0 = 1_781_950_000_000


def rule(**changes: Any) -> Any:
    said = {"id": "hot", "source": "*/temperature", "condition": "above", "threshold": 30.0, **changes}
    return check(msgspec.convert(said, Rule))


def turns(ready: Any, rows: list[tuple[int, Any]]) -> list[tuple[int, str]]:
    """Feed values at seconds; return when it raised and cleared."""
    watch, found = Watch(ready, T0), []
    for second, value in rows:
        at = T0 + second * 1000
        both = (watch.tick(at), None if value is ... else watch.sample(at, value))
        found += [(second, turn.value) for turn in both if turn is not None]
    return found


# --- rules --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "Hot Rule"}, "id"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\nb"}, "title"),
        ({"source": "temperature"}, "source"),
        ({"source": "a/"}, "source"),
        ({"threshold": None}, "threshold"),
        ({"threshold": float("inf")}, "threshold"),
        ({"hysteresis": -1.0}, "hysteresis"),
        ({"hold": "5 minutes"}, "hold"),
        ({"hold": "8d"}, "hold"),
        ({"clear_hold": "x"}, "clear_hold"),
        ({"condition": "rises", "threshold": 0.0}, "threshold"),
        ({"condition": "rises", "window": "1ms"}, "window"),
        ({"condition": "silent"}, "hold"),
        ({"actions": [{"type": "webhook", "url": "ftp://x"}]}, "actions[0].url"),
        ({"actions": [{"type": "webhook", "url": "http://"}]}, "actions[0].url"),
        ({"actions": [{"type": "webhook", "url": "http://[x"}]}, "actions[0].url"),
        ({"actions": [{"type": "webhook", "url": "https://me:pw@host/"}]}, "actions[0].url"),
        ({"actions": [{"type": "webhook", "url": "http://h/", "secret": "../x"}]}, "actions[0].secret"),
        ({"actions": [{"type": "mqtt", "topic": "a/#"}]}, "actions[0].topic"),
        ({"actions": [{"type": "clip", "camera": "c", "seconds": 0}]}, "actions[0].seconds"),
        ({"actions": [{"type": "command", "command": ""}]}, "actions[0].command"),
        ({"actions": [{"type": "clip", "camera": "c"}] * 9}, "actions"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_naming_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRule) as caught:
        rule(**changes)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"`{field}`: ")


@given(st.text(max_size=60), st.text(max_size=20))
def test_no_text_in_a_rule_breaks_its_check(source: str, hold: str) -> None:
    try:
        ready = rule(source=source, hold=hold)
    except BadRule:
        return
    assert 0 <= ready.hold_ms <= 7 * 86_400_000
    ready.takes("pico-1", "temperature")


@pytest.mark.parametrize(
    ("source", "taken"),
    [("*/temperature", True), ("pico-?/temp*", True), ("pico-1/door", False), ("pico/temperature", False)],
)
def test_a_source_takes_devices_and_metrics_by_pattern(source: str, taken: bool) -> None:
    assert rule(source=source).takes("pico-1", "temperature") is taken


# --- conditions ---------------------------------------------------------------------------------------


def test_above_raises_over_the_threshold_and_clears_behind_the_hysteresis() -> None:
    ready = rule(hysteresis=2.0)
    rows = [(0, 30.0), (1, 30.1), (2, 28.5), (3, 31.0), (4, 28.0), (5, 29.0)]
    assert turns(ready, rows) == [(1, "raise"), (4, "clear")]


def test_below_raises_under_the_threshold_and_clears_above_the_hysteresis() -> None:
    ready = rule(condition="below", threshold=5.0, hysteresis=1.0)
    assert turns(ready, [(0, 5.0), (1, 4.9), (2, 5.5), (3, 6.0)]) == [(1, "raise"), (3, "clear")]


def test_a_condition_has_to_hold_without_a_break() -> None:
    ready = rule(hold="10s")
    rows = [(0, 31.0), (5, 31.0), (8, 29.0), (9, 31.0), (18, 31.0), (19, 31.0)]
    assert turns(ready, rows) == [(19, "raise")]


def test_a_value_that_comes_seldom_goes_on_to_hold() -> None:
    assert turns(rule(hold="10s"), [(0, 31.0), (9, ...), (10, ...), (60, ...)]) == [(10, "raise")]


def test_it_is_cleared_only_after_it_was_well_for_long_enough() -> None:
    ready = rule(clear_hold="5s")
    assert turns(ready, [(0, 31.0), (1, 20.0), (3, 31.0), (4, 20.0), (9, 20.0)]) == [
        (0, "raise"),
        (9, "clear"),
    ]


@pytest.mark.parametrize(("condition", "sign"), [("rises", 1), ("falls", -1)])
def test_a_change_counts_within_its_window_alone(condition: str, sign: int) -> None:
    ready = rule(condition=condition, threshold=5.0, window="10s")
    slow = [(second, sign * second * 0.5) for second in range(60)]
    assert turns(ready, slow) == []
    fast = [(0, 0.0), (5, sign * 5.0), (6, sign * 5.1), (30, sign * 5.1)]
    assert turns(ready, fast) == [(6, "raise"), (30, "clear")]


def test_a_silence_is_raised_by_time_and_cleared_by_the_next_value() -> None:
    ready = rule(condition="silent", hold="1m")
    rows = [(0, 1.0), (59, ...), (60, ...), (90, ...), (100, 2.0), (159, ...), (161, ...)]
    assert turns(ready, rows) == [(60, "raise"), (100, "clear"), (161, "raise")]


@pytest.mark.parametrize(("wanted", "other"), [(True, False), (False, True), ("auto", "off")])
def test_an_edge_raises_when_the_value_becomes_so_not_when_it_is_so(wanted: Any, other: Any) -> None:
    ready = rule(condition="becomes", value=wanted)
    rows = [(0, wanted), (1, wanted), (2, other), (3, wanted), (4, wanted), (5, other)]
    assert turns(ready, rows) == [(3, "raise"), (5, "clear")]


def test_a_text_raises_no_number_rule() -> None:
    assert turns(rule(), [(0, "31"), (1, "hot")]) == []


def test_a_late_sample_is_left_out_and_a_clock_set_back_begins_anew() -> None:
    watch = Watch(rule(hold="10s"), T0)
    watch.sample(T0 + 60_000, 20.0)
    assert watch.sample(T0 + 1000, 99.0) is None
    assert watch.value == 20.0
    watch.sample(T0 - 3_600_000, 99.0)
    assert watch.sample(T0 - 3_600_000 + 10_000, 99.0) is Turn.RAISE


def test_what_a_device_kept_while_it_was_away_counts_by_its_own_time() -> None:
    watch, now = Watch(rule(hold="1h"), T0), T0 + 7_200_000
    watch.sample(T0, 99.0, now)
    assert watch.tick(now + 1000) is None
    watch.sample(T0 + 1_800_000, 20.0, now + 2000)
    watch.sample(now + 3000, 99.0, now + 3000)
    assert watch.tick(now + 3_602_000) is None
    assert watch.tick(now + 3_603_000) is Turn.RAISE


def test_values_of_long_ago_end_a_silence_and_begin_none() -> None:
    watch = Watch(rule(condition="silent", hold="1m"), T0, raised=True)
    assert watch.sample(T0 - 7_200_000, 1.0, T0 + 5000) is Turn.CLEAR
    assert watch.tick(T0 + 64_000) is None
    assert watch.tick(T0 + 65_000) is Turn.RAISE


# --- properties ---------------------------------------------------------------------------------------

ROWS = st.lists(st.tuples(st.integers(0, 30_000), st.floats(-50, 50)), max_size=60)
CONDITIONS = st.sampled_from(["above", "below", "rises", "falls"])
SECONDS = st.integers(0, 30).map(lambda seconds: f"{seconds}s")


@given(ROWS, CONDITIONS, SECONDS, SECONDS, st.floats(0, 10))
def test_raises_and_clears_take_turns_beginning_with_a_raise(
    rows: list[tuple[int, float]], condition: str, hold: str, clear_hold: str, hysteresis: float
) -> None:
    ready = rule(condition=condition, threshold=5.0, hold=hold, clear_hold=clear_hold, hysteresis=hysteresis)
    watch, now, found = Watch(ready, T0), T0, []
    for step, value in rows:
        now += step
        found += [turn for turn in (watch.tick(now), watch.sample(now, value)) if turn is not None]
    assert found == [Turn.RAISE, Turn.CLEAR] * (len(found) // 2) + [Turn.RAISE] * (len(found) % 2)
    assert watch.raised is (len(found) % 2 == 1)


@given(st.lists(st.floats(28.1, 30.0), max_size=60))
def test_what_stays_within_the_hysteresis_changes_nothing(values: list[float]) -> None:
    ready = rule(hysteresis=2.0)
    rows = [(second, value) for second, value in enumerate(values, 1)]
    assert turns(ready, rows) == []
    assert turns(ready, [(0, 31.0), *rows]) == [(0, "raise")]


@given(ROWS, st.integers(1, 60))
def test_an_alert_is_raised_only_after_its_hold(rows: list[tuple[int, float]], hold_s: int) -> None:
    watch, now, over_since = Watch(rule(hold=f"{hold_s}s"), T0), T0, None
    for step, value in rows:
        now += step
        for turn in (watch.tick(now), watch.sample(now, value)):
            if turn is Turn.RAISE:
                assert over_since is not None
                assert now - over_since >= hold_s * 1000
        over_since = (over_since if over_since is not None else now) if value > 30.0 else None


@given(ROWS, st.integers(1, 60))
def test_a_rise_is_that_of_the_whole_window_or_of_a_512th_less(
    rows: list[tuple[int, float]], window_s: int
) -> None:
    change, now = Change(rule(condition="rises", threshold=5.0, window=f"{window_s}s"), 1), T0
    seen: list[tuple[int, float]] = []
    for step, value in rows:
        now += step
        seen.append((now, value))
        holds = change.holds(now, value, False)
        whole = [v for at, v in seen if at >= now - window_s * 1000]
        less = [v for at, v in seen if at >= now - window_s * 1000 + window_s * 1000 // 512 + 1]
        assert not holds or value - min(whole) > 5.0
        assert holds or value - min([*less, value]) <= 5.0


# --- the engine ---------------------------------------------------------------------------------------


def reading(second: int, value: Any, device: str = "pico-1", quality: Quality = Quality.GOOD) -> Reading:
    at = T0 + second * 1000
    return Reading(
        device=device, metrics=("temperature", "door"), values=(value, True), source_time_ms=at,
        hub_time_ms=at, quality=quality,
    )  # fmt: skip


def test_a_pattern_watches_each_device_by_itself() -> None:
    engine = Engine([rule()], [], T0)
    assert [t.place.device for t in engine.take(reading(1, 31.0, "a"))] == ["a"]
    assert [t.place.device for t in engine.take(reading(1, 31.0, "b"))] == ["b"]
    assert list(engine.take(reading(2, 32.0, "a"))) == []


@pytest.mark.parametrize("bad", [(None, Quality.GOOD), (99.0, Quality.BAD)])
def test_what_could_not_be_read_raises_nothing(bad: tuple[Any, Quality]) -> None:
    engine = Engine([rule()], [], T0)
    assert list(engine.take(reading(1, bad[0], quality=bad[1]))) == []


def test_an_alert_that_was_open_before_a_restart_is_not_raised_twice() -> None:
    engine = Engine([rule()], [Place("hot", "pico-1", "temperature")], T0)
    assert list(engine.take(reading(1, 31.0))) == []
    (turned,) = engine.take(reading(2, 20.0))
    assert turned.turn is Turn.CLEAR


def test_a_metric_that_is_known_and_never_comes_is_silent() -> None:
    engine = Engine([rule(condition="silent", hold="1m")], [], T0)
    engine.know("pico-1", ["temperature", "door"], T0)
    assert engine.tick(T0 + 59_000) == []
    (turned,) = engine.tick(T0 + 60_000)
    assert turned.place == Place("hot", "pico-1", "temperature")


def test_a_rule_that_is_replaced_begins_anew_and_says_where_it_was_raised() -> None:
    engine = Engine([rule()], [], T0)
    assert len(list(engine.take(reading(1, 31.0)))) == 1
    assert engine.replace(rule(threshold=40.0), "hot", T0 + 2000) == [Place("hot", "pico-1", "temperature")]
    assert list(engine.take(reading(3, 35.0))) == []
    assert [t.turn for t in engine.take(reading(4, 41.0))] == [Turn.RAISE]
    engine.replace(None, "hot", T0 + 5000)
    assert list(engine.take(reading(6, 99.0))) == []


def test_a_rule_that_is_switched_off_watches_nothing() -> None:
    assert list(Engine([rule(enabled=False)], [], T0).take(reading(1, 99.0))) == []


def test_a_replay_counts_what_would_have_been_raised() -> None:
    rows = [(T0 + second * 1000, 31.0 if second % 10 < 3 else 20.0) for second in range(60)]
    assert replay(rule(), rows, T0 + 60_000) == 6
    assert replay(rule(hold="2s"), rows, T0 + 60_000) == 6
    assert replay(rule(hold="5s"), rows, T0 + 60_000) == 0
    assert replay(rule(condition="silent", hold="1m"), rows, T0 + 600_000) == 1
