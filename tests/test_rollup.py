"""Rollups say what the samples say, whatever came late, and outlive them."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.model import Birth, LinkKind, Metric
from hub.store import births
from hub.store.format import rollrow, summary, tiers
from hub.store.format.summary import ALWAYS_MS
from hub.store.format.tiers import DAYS, HOURS, MINUTES
from hub.store.lifetime.expiry import Expiry
from hub.store.lifetime.policy import everything
from hub.store.queries import history, weighed
from hub.store.queries.series import Series
from hub.store.schema import connect_reader
from hub.store.writing.intake import Batch
from tests.sample_file import DAY, HOUR, START, SampleFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.model import Value
    from hub.store.queries.history import Bucket


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SampleFile]:
    found = SampleFile(tmp_path)
    yield found
    found.committer.close()


def _is_number(value: Value) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def check(got: list[Bucket], samples: dict[int, Value], from_ms: int, to_ms: int, points: int) -> None:
    """Compare buckets with a recomputation from the samples."""
    origin, width = (
        (from_ms, to_ms - from_ms) if points == 1 else (0, history.bucket_width_ms(from_ms, to_ms, points))
    )
    wanted: dict[int, list[float]] = {}
    for time, value in sorted(samples.items()):
        if from_ms <= time < to_ms and _is_number(value):
            wanted.setdefault(origin + (time - origin) // width * width, []).append(float(value))
    assert [(b.time, b.min, b.max, b.count) for b in got] == [
        (start, min(numbers), max(numbers), len(numbers)) for start, numbers in wanted.items()
    ]
    for bucket in got:
        numbers = wanted[bucket.time]
        assert math.isclose(
            bucket.mean,
            math.fsum(numbers) / len(numbers),
            rel_tol=1e-12,
            abs_tol=max(map(abs, numbers)) * 1e-12,
        )


def check_means(
    file: SampleFile,
    samples: dict[int, Value],
    from_ms: int,
    to_ms: int,
    points: int,
    hold_ms: int = ALWAYS_MS,
) -> None:
    """Compare means by time with a walk along the samples, each of which holds until the next."""
    origin, width = history.grid_of(from_ms, to_ms, points)
    numbers = [
        (time, float(value))
        for time, value in sorted(samples.items())
        if _is_number(value) and from_ms <= time < to_ms
    ]
    weights: dict[int, list[tuple[int, float]]] = {}
    for place, (time, value) in enumerate(numbers):
        following = numbers[place + 1][0] if place + 1 < len(numbers) else to_ms
        at, end = time, min(following, time + hold_ms)
        while at < end:
            bucket = origin + (at - origin) // width * width
            weights.setdefault(bucket, []).append((min(end, bucket + width) - at, value))
            at = bucket + width
    sampled = {origin + (time - origin) // width * width for time, _ in numbers}
    wanted = [
        math.fsum(ms * value for ms, value in weights[bucket]) / sum(ms for ms, _ in weights[bucket])
        for bucket in sorted(sampled)
    ]
    with contextlib.closing(connect_reader(file.file)) as connection:
        held = file.recent.held("d", "m", [], surely=True)
        got = weighed.weighed(Series(connection, "d", "m", held), from_ms, to_ms, points, to_ms)
    assert got.starts.tolist() == sorted(sampled)
    scale = max((abs(value) for _, value in numbers), default=0.0)
    assert got.means.tolist() == pytest.approx(wanted, rel=1e-9, abs=scale * 2e-9)


def test_a_wide_query_needs_no_chunks(archive: SampleFile) -> None:
    samples: dict[int, Value] = {START + place * 60_000: place % 97 / 10 for place in range(2 * 1440)}
    archive.put(samples.items())
    archive.seal()
    archive.roll()
    archive.drop_chunks()
    for points in (1, 3, 48, 600):
        check(archive.buckets(START, START + 2 * DAY, points), samples, START, START + 2 * DAY, points)


def test_what_is_not_rolled_up_yet_is_answered_from_samples(archive: SampleFile) -> None:
    samples: dict[int, Value] = {START + place * 600_000: place for place in range(2 * 144)}
    archive.put(samples.items())
    archive.seal()
    archive.roll(START + DAY)
    late: dict[int, Value] = {START + 5: 1000}
    archive.put(late.items())
    check(archive.buckets(START, START + 2 * DAY, 4), samples | late, START, START + 2 * DAY, 4)
    archive.seal()
    check(archive.buckets(START, START + 2 * DAY, 4), samples | late, START, START + 2 * DAY, 4)


def test_rollups_are_made_anew_for_late_samples(archive: SampleFile) -> None:
    samples: dict[int, Value] = {START + place * 600_000: place for place in range(144)}
    archive.put(samples.items())
    archive.seal()
    archive.roll()
    late: dict[int, Value] = {START + 5 * HOUR + 1: -5.5}
    archive.put(late.items())
    archive.seal()
    archive.roll()
    archive.drop_chunks()
    check(archive.buckets(START, START + DAY, 24), samples | late, START, START + DAY, 24)


def test_a_late_sample_takes_nothing_from_rollups_whose_samples_expired(archive: SampleFile) -> None:
    samples: dict[int, Value] = {START + place * 600_000: place for place in range(144)}
    archive.put(samples.items())
    archive.seal()
    archive.roll()
    archive.drop_chunks()
    archive.put([(START + 5 * HOUR + 1, -5.5)])
    archive.seal()
    archive.roll()
    check(archive.buckets(START, START + DAY, 24), samples, START, START + DAY, 24)


def test_samples_stay_until_the_rollups_of_their_day_are_made(archive: SampleFile) -> None:
    archive.put([(START, 1)])
    archive.seal()
    expiry = Expiry(everything(3600))
    assert archive.committer.work(lambda c: expiry.step(c, START + 3 * DAY, 100)).rows == 0
    archive.roll()
    assert archive.committer.work(lambda c: expiry.step(c, START + 3 * DAY, 100)).rows == 1
    assert [bucket.count for bucket in archive.buckets(START, START + DAY, 1)] == [1]


def test_a_damaged_rollup_is_left_out_and_made_anew(archive: SampleFile) -> None:
    samples: dict[int, Value] = {START + place * 600_000: place for place in range(144)}
    archive.put(samples.items())
    archive.seal()
    archive.roll()
    with archive.committer._transaction() as connection:
        connection.execute("UPDATE roll SET data = substr(data, 1, 30)")
    assert archive.buckets(START, START + DAY, 24) == []
    archive.put([(START + 1, 7)])
    archive.seal()
    archive.roll()
    assert archive.buckets(START, START + HOUR, 1)[0].count == 7


def test_the_time_in_a_state_counts_from_each_sample_to_the_next() -> None:
    times = np.array([0, 10, 40, 100], dtype=np.int64)
    spans = summary.of_samples(times, np.array([1.0, 0.0, 1.0, 0.0]))
    for cut in range(5):
        first = summary.gathered(spans.at(slice(0, cut)), np.zeros(cut, dtype=np.int64))[1]
        rest = summary.gathered(spans.at(slice(cut, 4)), np.zeros(4 - cut, dtype=np.int64))[1]
        whole = summary.gathered(
            summary.joined([first, rest]), np.zeros(len(first) + len(rest), dtype=np.int64)
        )
        assert whole[1].held.tolist() == [70.0]


def test_booleans_keep_their_time_in_state_in_the_rollups(archive: SampleFile) -> None:
    archive.put([(START, True), (START + 10 * 60_000, False), (START + 40 * 60_000, True)])
    archive.seal()
    archive.roll()
    with contextlib.closing(connect_reader(archive.file)) as connection:
        for tier in (HOURS, DAYS):
            (data,) = connection.execute(
                "SELECT data FROM roll WHERE id = ?", (tiers.row_id(tier, START, 1),)
            ).fetchone()
            buckets = rollrow.read(data, "m", tier)
            assert buckets is not None
            assert buckets[1].held.tolist() == pytest.approx([600_000.0], rel=1e-6)


def test_the_tiers_nest() -> None:
    assert DAYS.width_ms % HOURS.width_ms == HOURS.width_ms % MINUTES.width_ms == 0
    for tier in tiers.TIERS:
        assert tier.row_ms % tier.job.span_ms == tier.job.span_ms % tier.width_ms == 0


Times = st.one_of(
    st.integers(0, 3 * 24 * 60).map(lambda minute: START + minute * 60_000 + minute % 7 * 1000),
    st.integers(0, 900).map(lambda second: START + DAY + second * 1000),
)
Numbers = st.one_of(
    st.integers(-1000, 1000),
    st.integers(-(10**6), 10**6).map(lambda whole: whole / 100),
    st.booleans(),
    st.none(),
    st.sampled_from((math.nan, math.inf, -math.inf)),
    st.floats(-1e9, 1e9),
)
Points = st.sampled_from((90, 700))
Batches = st.lists(st.lists(st.tuples(Times, Numbers), max_size=40), min_size=1, max_size=4)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    batches=Batches,
    spans=st.lists(
        st.one_of(
            st.tuples(st.integers(0, 3 * DAY), st.integers(1, 3 * DAY), st.sampled_from((1, 2, 5, 80, 3000))),
            st.tuples(
                st.integers(DAY - HOUR, DAY + HOUR), st.integers(1, 2 * HOUR), st.sampled_from((90, 700))
            ),
        ),
        min_size=1,
        max_size=4,
    ),
    rolled=st.lists(st.booleans(), min_size=4, max_size=4),
    seconds=st.booleans(),
)
@example(
    batches=[[(START, 1), (START + DAY, 2)], [(START + 1, 3)]],
    spans=[(0, 3 * DAY, 2)],
    rolled=[True, False, True, True],
    seconds=True,
)
def test_buckets_say_what_the_samples_say(
    batches: list[list[tuple[int, Value]]],
    spans: list[tuple[int, int, int]],
    rolled: list[bool],
    seconds: bool,
) -> None:
    """Samples in any order, late, sealed and rolled up at any time, against a recomputation from them."""
    with TemporaryDirectory() as name:
        archive = SampleFile(Path(name))
        archive.seconds = seconds
        samples: dict[int, Value] = {}
        for batch, rolls in zip(batches, rolled, strict=False):
            archive.put(batch)
            for time, value in batch:
                samples.setdefault(time, value)
            if rolls:
                archive.seal()
                archive.roll()
            for offset, length, points in spans:
                from_ms, to_ms = START + offset, START + offset + length
                check(archive.buckets(from_ms, to_ms, points), samples, from_ms, to_ms, points)
                check_means(archive, samples, from_ms, to_ms, points)
        archive.committer.close()


def test_a_value_holds_no_longer_than_three_intervals(archive: SampleFile) -> None:
    birth = Birth(device="d", name="D", metrics=(Metric(name="m", interval_ms=1_200_000),))
    archive.committer.commit(Batch([], [births.statement(birth, LinkKind.SERIAL, START)]), archive.recent)
    samples: dict[int, Value] = {START: 10, START + 60_000: 20, START + 20 * HOUR: 30, START + 21 * HOUR: 40}
    archive.put(samples.items())
    for points in (1, 2, 24):
        check_means(archive, samples, START, START + DAY, points, hold_ms=3_600_000)
    archive.seal()
    archive.roll()
    archive.drop_chunks()
    for points in (1, 2, 24):
        check_means(archive, samples, START, START + DAY, points, hold_ms=3_600_000)


def test_buckets_of_10_s_outlive_the_samples_where_they_are_stored(archive: SampleFile) -> None:
    archive.seconds = True
    samples: dict[int, Value] = {START + second * 1000: second % 97 for second in range(3600)}
    archive.put(samples.items())
    archive.seal()
    archive.roll()
    archive.drop_chunks()
    assert history.bucket_width_ms(START, START + HOUR, 361) == 10_000
    check(archive.buckets(START, START + HOUR, 361), samples, START, START + HOUR, 361)


def test_where_finer_has_gone_a_coarser_bucket_stands(archive: SampleFile) -> None:
    samples: dict[int, Value] = {START + place * 1000: place for place in range(7200)}
    archive.put(samples.items())
    archive.seal()
    archive.roll()
    archive.drop_chunks()
    archive.put([(START + 2 * HOUR + 1, 7)])
    got = archive.buckets(START, START + 3 * HOUR, 10_000)
    assert [bucket.count for bucket in got] == [60] * 120 + [1]
    with archive.committer._transaction() as connection:
        connection.execute("DELETE FROM roll WHERE id < ?", (tiers.row_id(HOURS, 0, 0),))
    got = archive.buckets(START, START + 3 * HOUR, 10_000)
    assert [(bucket.time, bucket.count) for bucket in got] == [
        (START, 3600),
        (START + HOUR, 3600),
        (START + 2 * HOUR, 1),
    ]


@pytest.mark.parametrize("scale", [1e-320, 1e-9, 1.0, 1e300])
def test_means_by_time_come_back_from_a_row_at_any_scale(scale: float) -> None:
    times = np.array([START, START + 1, START + 40_000, START + 61_000], dtype=np.int64)
    samples = summary.of_samples(times, np.array([1.0, -2.0, 3.5, 4.0]) * scale)
    numbers, spans = summary.gathered(samples, times // MINUTES.width_ms)
    back = rollrow.read(rollrow.encode({"m": (numbers * MINUTES.width_ms, spans)}, MINUTES), "m", MINUTES)
    assert back is not None
    assert back[1].covered_ms.tolist() == spans.covered_ms.tolist() == [40_000, 0]
    assert back[1].held.tolist() == pytest.approx(spans.held.tolist(), rel=1e-6, abs=1e-300)
