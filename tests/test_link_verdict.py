"""The verdict on a link: each fault is told from the others by what only it does to the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.link_verdict import WINDOW_MS, Cause, Trend, Verdict, judge
from tests.lossy import Rig

if TYPE_CHECKING:
    from collections.abc import Mapping

QUIET = {"frames": 0, "crc_errors": 0, "bad_messages": 0, "outbox_depth": 3, "outbox_dropped": 0, "rtt_ms": 4}
MINUTE_MS = 60_000


def trend(*steps: Mapping[str, float], every_ms: int = MINUTE_MS) -> tuple[Trend, int]:
    """A trend of figures that came one after the other, and the time of the last."""
    made, now_ms = Trend(), 1_800_000_000_000
    for step in steps:
        now_ms += every_ms
        made.add({**QUIET, **step}, now_ms)
    return made, now_ms


def verdict(*steps: Mapping[str, float], **more: Any) -> Verdict:
    made, now_ms = trend(*steps)
    return judge(made, now_ms=now_ms, **more)


def test_a_link_on_which_all_arrives_is_good() -> None:
    found = verdict({"frames": 100}, {"frames": 1300})
    said = "1,200 frames arrived in the last five minutes, none damaged; round trip 4 ms."
    assert (found.cause, found.text) == (Cause.GOOD, said)


def test_damaged_frames_are_the_cables() -> None:
    found = verdict({"frames": 100}, {"frames": 1088, "crc_errors": 12})
    assert found.cause is Cause.CABLE
    assert found.text == "12 frames of 1,000 arrived damaged (1.2 %)."
    assert "another cable" in found.remedy


def test_a_damaged_frame_now_and_then_is_no_verdict() -> None:
    assert verdict({"frames": 0}, {"frames": 5000, "crc_errors": 2}).cause is Cause.GOOD


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        ("bad_messages", "make no sense"),
        ("flood_drops", "more than the hub takes"),
        ("outbox_dropped", "Its outbox was full"),
        ("tx_dropped_bytes", "It does not read"),
        ("log_dropped", "It prints more"),
        ("refused", "make no sense"),
    ],
)
def test_what_arrives_whole_and_is_wrong_is_the_boards(figure: str, words: str) -> None:
    found = verdict({"frames": 100, figure: 0}, {"frames": 900, figure: 7})
    assert found.cause is Cause.BOARD
    assert words in found.text


def test_a_board_that_answers_late_is_busy() -> None:
    found = verdict({"frames": 1}, {"frames": 900, "rtt_ms": 800})
    assert (found.cause, found.text) == (Cause.BOARD, "It answers after 800 ms.")


def test_readings_that_wait_while_every_frame_arrives_are_the_hubs() -> None:
    found = verdict({"frames": 0, "outbox_depth": 10}, {"frames": 900, "outbox_depth": 400})
    assert found.cause is Cause.HUB
    assert found.text.startswith("400 readings wait for the hub's commit")


def test_an_outbox_that_is_being_emptied_after_an_outage_is_no_fault() -> None:
    assert verdict({"outbox_depth": 900}, {"frames": 500, "outbox_depth": 400}).cause is Cause.GOOD


def test_a_store_that_cannot_write_is_the_hubs_whatever_the_board_then_drops() -> None:
    found = verdict({"frames": 0}, {"frames": 900, "outbox_dropped": 50}, hub_trouble="no space is left")
    assert found.cause is Cause.HUB
    assert "no space is left" in found.text
    assert [one.cause for one in found.findings] == [Cause.HUB, Cause.BOARD]


def test_noise_is_named_before_what_follows_from_it() -> None:
    found = verdict({"frames": 0}, {"frames": 900, "crc_errors": 90, "rtt_ms": 400})
    assert [one.cause for one in found.findings] == [Cause.CABLE, Cause.BOARD]


@pytest.mark.parametrize(
    ("causes", "cause"),
    [
        (["watchdog"], Cause.BOARD),
        (["soft", "soft"], Cause.BOARD),
        (["power", "power"], Cause.CABLE),
        (["soft"], Cause.GOOD),
        (["power"], Cause.GOOD),
        (["", ""], Cause.BOARD),
    ],
)
def test_restarts_are_told_apart_by_what_the_board_says_of_them(causes: list[str], cause: Cause) -> None:
    made, now_ms = trend({"frames": 0}, {"frames": 900})
    for told in causes:
        made.restarted(told, now_ms - 1000)
    assert judge(made, now_ms=now_ms).cause is cause


def test_a_restart_of_long_ago_weighs_no_more() -> None:
    made, now_ms = trend({"frames": 0}, {"frames": 900})
    made.restarted("watchdog", now_ms - WINDOW_MS - 1)
    assert judge(made, now_ms=now_ms).cause is Cause.GOOD


def test_a_fault_that_is_over_leaves_the_verdict_with_the_window() -> None:
    bad = [{"frames": 0}, {"frames": 900, "crc_errors": 90}]
    assert verdict(*bad).cause is Cause.CABLE
    after = [{"frames": 1800 + 900 * n, "crc_errors": 90} for n in range(6)]
    assert verdict(*bad, *after).cause is Cause.GOOD


def test_counters_that_began_anew_with_a_replug_go_on() -> None:
    found = verdict({"frames": 5000, "crc_errors": 4}, {"frames": 100, "crc_errors": 20})
    assert found.text == "20 frames of 120 arrived damaged (17 %)."


def test_a_device_that_is_away_is_told_with_its_reason_and_what_went_before() -> None:
    found = verdict({"frames": 0}, {"frames": 900}, offline="unplugged")
    assert (found.cause, found.text) == (Cause.UNKNOWN, "It is offline: unplugged.")
    found = verdict({"frames": 0}, {"frames": 900, "crc_errors": 90}, offline="it is silent")
    assert found.cause is Cause.CABLE
    assert found.text.startswith("It is offline: it is silent. 90 frames")


def test_without_figures_there_is_no_verdict() -> None:
    found = judge(Trend(), now_ms=0)
    assert (found.cause, found.text) == (Cause.UNKNOWN, "Its link reports no figures.")


def test_a_clock_that_jumps_begins_the_window_anew() -> None:
    made, now_ms = trend({"frames": 0}, {"frames": 900, "crc_errors": 90})
    made.add({**QUIET, "frames": 1000, "crc_errors": 90}, now_ms - 3_600_000)
    assert made.span_ms(now_ms - 3_600_000) == 0
    assert judge(made, now_ms=now_ms - 3_600_000).cause is Cause.UNKNOWN


# --- real sessions on a line that is ill ----------------------------------------------------------------


def watched(rig: Rig, seconds: int, *, every_ms: int = 100) -> Verdict:
    """Let a hub's and a board's session run on a line in virtual time, and judge by the figures they gave."""
    made = Trend()
    for _ in range(seconds):
        rig.run(1000, every_ms)
        made.add(rig.hub.figures(), rig.now_ms)
    return judge(made, now_ms=rig.now_ms)


def test_sessions_on_a_clean_line_are_good() -> None:
    assert watched(Rig(fault=0), 20).cause is Cause.GOOD


def test_sessions_on_a_line_that_damages_frames_point_at_the_cable() -> None:
    found = watched(Rig(fault=0.1), 60)
    assert (found.cause, "damaged" in found.text) == (Cause.CABLE, True)


def test_sessions_with_a_hub_that_does_not_commit_point_at_the_hub() -> None:
    rig = Rig(fault=0)
    rig.run(2000, 100)
    rig.commits = False
    found = watched(rig, 20, every_ms=20)
    assert (found.cause, "wait for the hub's commit" in found.text) == (Cause.HUB, True)


def test_sessions_over_a_replug_stay_good() -> None:
    rig, made = Rig(fault=0), Trend()
    for second in range(20):
        if second == 10:
            rig.replug()
        rig.run(1000, 100)
        made.add(rig.hub.figures(), rig.now_ms)
    assert judge(made, now_ms=rig.now_ms).cause is Cause.GOOD


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a machine with other work
@given(
    st.lists(
        st.tuples(
            st.integers(-10_000_000, 10_000_000),
            st.dictionaries(
                st.sampled_from([*QUIET, "flood_drops", "tx_dropped_bytes"]), st.floats(0, 1e12), max_size=5
            ),
        ),
        max_size=30,
    )
)
def test_any_figures_at_any_times_get_a_verdict_in_words(steps: list[tuple[int, dict[str, float]]]) -> None:
    made, now_ms = Trend(), 1_800_000_000_000
    for step_ms, figures in steps:
        now_ms += step_ms
        made.add(figures, now_ms)
        found = judge(made, now_ms=now_ms)
        assert found.text
        assert 0 <= found.span_ms <= WINDOW_MS
        assert all(made.grown(name) >= 0 for name in ("frames", "crc_errors"))
