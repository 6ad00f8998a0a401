"""What goes when: by metric, by tier, late or not; and by size."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.config import parse
from hub.model import Reading
from hub.store.format import rollrow, tiers
from hub.store.lifetime import shedding
from hub.store.lifetime.expiry import Expiry, Gone
from hub.store.lifetime.policy import Policy
from hub.store.queries.series import Series
from hub.store.schema import connect_reader
from hub.store.writing import daychunk
from hub.store.writing.intake import Batch
from tests.sample_file import DAY, HOUR, START, SampleFile
from tests.soak import times

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

NOW = START + 20 * DAY


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SampleFile]:
    found = SampleFile(tmp_path)
    yield found
    found.committer.close()


def policy(text: str) -> Policy:
    config = parse(text, "outpost.toml")
    return Policy(config.retention, config.tags)


def put_both(file: SampleFile, start_ms: int, hours: int) -> None:
    """Store two metrics that share their readings, four an hour."""
    readings = [
        Reading(
            device="d",
            metrics=("slow", "fast"),
            values=(place, place / 10),
            source_time_ms=at,
            hub_time_ms=at,
        )
        for place in range(4 * hours)
        for at in [start_ms + place * HOUR // 4]
    ]
    written = file.committer.commit(Batch(readings, []), file.recent)
    assert written.hot is not None
    file.recent.append(written.hot, written.shapes)
    file.seal()


def expire(file: SampleFile, rules: Policy, now_ms: int = NOW) -> Gone:
    """Do passes until nothing more is to do; return what they came to."""
    found, expiry = Gone(), Expiry(rules)
    while True:
        gone = file.committer.work(lambda connection: expiry.step(connection, now_ms, 50))
        found.rows += gone.rows
        found.parts += gone.parts
        if not gone.more:
            return found


def count(file: SampleFile, metric: str, from_ms: int = START, to_ms: int = NOW) -> int:
    """Return how many samples are there, rolled up or not."""
    return sum(bucket.count for bucket in file.buckets(from_ms, to_ms, 1, metric=metric))


def chunks(file: SampleFile) -> int:
    number: int = file.committer.work(lambda c: c.execute("SELECT count(*) FROM chunk").fetchone()[0])
    return number


BY_METRIC = '[retention]\nraw = "15d"\n[[retention.rule]]\nmetric = "fast"\nraw = "5d"'


def raw(file: SampleFile, metric: str) -> list[int]:
    """Return the times of the samples themselves."""
    with contextlib.closing(connect_reader(file.file)) as connection:
        series = Series(connection, "d", metric, None)
        return [
            int(at) for _, pieces in series.pieces(0, NOW + DAY) for piece in pieces for at in piece.times
        ]


def test_a_metric_goes_before_others_of_its_chunk(file: SampleFile) -> None:
    put_both(file, NOW - 10 * DAY, 24)
    file.roll(NOW)
    before = chunks(file)
    gone = expire(file, policy(BY_METRIC))
    assert (gone.parts, gone.rows) == (before, 0)
    assert (len(raw(file, "slow")), len(raw(file, "fast"))) == (96, 0)
    assert (count(file, "slow"), count(file, "fast")) == (96, 96), "rollups outlive the samples"


def test_what_was_looked_at_is_not_written_again(file: SampleFile) -> None:
    put_both(file, NOW - 10 * DAY, 24)
    file.roll(NOW)
    expire(file, policy(BY_METRIC))
    assert expire(file, policy(BY_METRIC)).parts == 0


def test_a_late_sample_below_its_age_goes_when_its_span_is_revisited(file: SampleFile) -> None:
    put_both(file, NOW - 10 * DAY, 24)
    file.roll(NOW)
    rules = policy(BY_METRIC)
    expire(file, rules)
    late = NOW - 10 * DAY + 7
    file.put([(late, 1)], metric="fast")
    file.seal()
    file.roll(NOW)
    expire(file, rules)
    assert raw(file, "fast") == [late]
    day = late // DAY * DAY
    file.committer.work(lambda c: Expiry(rules).revisit(c, 1, day, day + DAY, NOW))
    assert (raw(file, "fast"), len(raw(file, "slow"))) == ([], 96)


def test_chunks_go_whole_when_the_last_of_their_metrics_does(file: SampleFile) -> None:
    put_both(file, NOW - 16 * DAY, 12)
    file.roll(NOW)
    expire(file, policy(BY_METRIC))
    assert chunks(file) == 0


def test_a_device_without_a_rule_keeps_what_another_loses(file: SampleFile) -> None:
    file.put([(NOW - 10 * DAY, 1)])
    file.put([(NOW - 10 * DAY, 1)], device="e")
    file.seal()
    file.roll(NOW)
    expire(file, policy('[[retention.rule]]\ndevice = "e"\nraw = "1d"'))
    assert chunks(file) == 1
    assert raw(file, "m") == [NOW - 10 * DAY]


@pytest.mark.parametrize(
    ("tier", "key"), [(tiers.MINUTES, "1m"), (tiers.HOURS, "1h"), (tiers.SECONDS, "10s")]
)
def test_each_tier_has_its_age_by_metric(file: SampleFile, tier: tiers.Tier, key: str) -> None:
    file.seconds = True
    put_both(file, START - START % tier.row_ms, 12)
    now_ms = START + 3 * tier.row_ms + DAY
    file.roll(now_ms)
    text = f'[retention]\n10s = "forever"\n[[retention.rule]]\nmetric = "fast"\n{key} = "1d"'
    expire(file, policy(text), now_ms)

    def metrics() -> set[str]:
        rows = file.committer.work(
            lambda c: c.execute(
                "SELECT data FROM roll WHERE id BETWEEN ? AND ?", (tier.level << 58, (tier.level + 1) << 58)
            ).fetchall()
        )
        return {name for (data,) in rows for name, _, _ in rollrow.outline(data)}

    assert metrics() == {"slow"}


def test_a_rule_that_asks_for_10_s_has_them_made_before_samples_go(file: SampleFile) -> None:
    put_both(file, NOW - 10 * DAY, 24)
    file.roll(NOW)
    file.committer.work(lambda c: c.execute("DELETE FROM roll WHERE id >= ?", (4 << 58,)))
    file.seconds = True
    rules = policy('[retention]\nraw = "2d"\n10s = "30d"')
    for _ in range(10):
        expire(file, rules)
        file.roll(NOW)
    assert chunks(file) == 0
    start = NOW - 10 * DAY
    buckets = file.buckets(start, start + HOUR, 361, metric="fast")
    assert [bucket.time for bucket in buckets] == [start + place * HOUR // 4 for place in range(4)]


def test_for_its_size_the_store_lets_the_oldest_samples_go_first(file: SampleFile) -> None:
    put_both(file, NOW - 10 * DAY, 24)
    file.roll(NOW)
    times = raw(file, "fast")
    rows, size = file.committer.work(lambda c: shedding.shed(c, 1, NOW))
    assert rows == 1
    assert size > 0
    assert raw(file, "fast") == times[1:]


def test_when_no_samples_are_left_the_finest_rollups_go_and_days_stay(file: SampleFile) -> None:
    file.seconds = True
    put_both(file, NOW - 100 * DAY, 24)
    file.roll(NOW)
    order = []
    while True:
        levels = {
            row[0] >> 58 for row in file.committer.work(lambda c: c.execute("SELECT id FROM roll").fetchall())
        }
        order.append((chunks(file) > 0, len(levels)))
        if not file.committer.work(lambda c: shedding.shed(c, 10**9, NOW))[0]:
            break
    assert order == [(True, 4), (False, 4), (False, 3), (False, 2), (False, 1)]
    assert count(file, "fast", NOW - 200 * DAY) == 96


def test_samples_whose_rollups_are_not_made_stay_whatever_the_size(file: SampleFile) -> None:
    put_both(file, NOW - 10 * DAY, 24)
    assert file.committer.work(lambda c: shedding.shed(c, 10**9, NOW)) == (0, 0)


def test_room_that_went_is_free_in_the_file(file: SampleFile) -> None:
    put_both(file, NOW - 10 * DAY, 200)
    file.roll(NOW)
    before = file.committer.work(shedding.room)
    file.committer.work(lambda c: shedding.shed(c, 10**9, NOW, 1000))
    after = file.committer.work(shedding.room)
    assert after.used_bytes < before.used_bytes
    assert after.used_bytes + after.free_bytes == before.used_bytes + before.free_bytes


def test_what_goes_is_not_overwritten_with_zeros_which_wears_the_card(file: SampleFile) -> None:
    assert file.committer.work(lambda c: c.execute("PRAGMA secure_delete").fetchone()) == (0,)


Ages = st.integers(1, 9)
Places = st.lists(st.integers(0, 12 * 24 * 4 - 1), min_size=1, max_size=60)


@pytest.mark.slow
@pytest.mark.timeout(times(120, 1200))
@settings(max_examples=times(20, 500), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    batches=st.lists(st.tuples(st.sampled_from(("slow", "fast", "both")), Places), min_size=1, max_size=4),
    slow_days=Ages,
    fast_days=Ages,
    passes=st.lists(st.booleans(), min_size=4, max_size=4),
    merged=st.booleans(),
)
def test_what_is_young_enough_stays_and_what_is_not_goes(
    batches: list[tuple[str, list[int]]],
    slow_days: int,
    fast_days: int,
    passes: list[bool],
    merged: bool,
) -> None:
    """Two metrics with ages of their own, samples late and in any order, against the times alone."""
    text = f'[retention]\nraw = "{slow_days}d"\n[[retention.rule]]\nmetric = "fast"\nraw = "{fast_days}d"'
    rules, first_ms = policy(text), NOW - 12 * DAY
    known: dict[str, set[int]] = {"slow": set(), "fast": set()}
    with TemporaryDirectory() as name:
        file = SampleFile(Path(name))
        for (metric, places), last in zip(batches, passes, strict=False):
            for one in ("slow", "fast") if metric == "both" else (metric,):
                at = [first_ms + place * HOUR // 4 for place in places]
                file.put([(time, 1) for time in at], metric=one)
                known[one].update(at)
            file.seal()
            if last:
                settle(file, rules, merged=merged)
        settle(file, rules, merged=merged)
        for metric, days in (("slow", slow_days), ("fast", fast_days)):
            left = set(raw(file, metric))
            assert left <= known[metric]
            assert {time for time in known[metric] if time >= NOW - days * DAY} <= left
            late_ms = DAY if merged else HOUR // 4
            assert all(time >= NOW - days * DAY - late_ms for time in left)
        file.committer.close()


def settle(file: SampleFile, rules: Policy, *, merged: bool) -> None:
    """Do what the writer does between commits: rollups, a second look at their spans, passes."""
    expiry = Expiry(rules)
    for job in tiers.JOBS:
        while (done := file.committer.work(partial(file.roll_span, job, NOW))) is not None:
            source, start_ms = done
            file.committer.work(
                partial(
                    expiry.revisit,
                    source=source,
                    begin_ms=start_ms,
                    end_ms=start_ms + job.span_ms,
                    now_ms=NOW,
                )
            )
    while merged and file.committer.work(partial(merge, rules)) is not None:
        pass
    expire(file, rules)


def merge(rules: Policy, connection: sqlite3.Connection) -> tuple[int, int] | None:
    return daychunk.step(connection, NOW, lambda device, metric: rules.keep(device, metric).raw)
