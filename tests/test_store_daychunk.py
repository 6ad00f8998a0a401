"""A slow device's chunks of a day become one, and nothing that is asked notices."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.store.format import chunk
from hub.store.lifetime.expiry import Expiry
from hub.store.lifetime.policy import everything
from hub.store.quarantine import Salvage
from hub.store.queries import history
from hub.store.queries.series import Series
from hub.store.schema import connect_reader
from hub.store.writing import daychunk
from hub.store.writing.samples import sealed_times
from tests.sample_file import DAY, HOUR, NOW, START, SampleFile
from tests.soak import times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.model import Value

MINUTE = 60_000
LATER = NOW + 10 * DAY


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SampleFile]:
    found = SampleFile(tmp_path)
    yield found
    found.committer.close()


def merge(file: SampleFile, now_ms: int = LATER, age_ms: int | None = None) -> None:
    while file.committer.work(lambda connection: daychunk.step(connection, now_ms, lambda *_: age_ms)):
        pass


def chunks(file: SampleFile) -> list[tuple[int, int, bytes]]:
    with contextlib.closing(connect_reader(file.file)) as connection:
        return connection.execute("SELECT id, n, data FROM chunk ORDER BY id").fetchall()


def raw(file: SampleFile, from_ms: int = 0, to_ms: int = 2**52, device: str = "d") -> list[tuple[int, Value]]:
    """Ask forwards, a page at a time, and see that backwards says the same."""
    with contextlib.closing(connect_reader(file.file)) as connection:
        held = file.recent.held(device, "m", [], surely=True)
        series = Series(connection, device, "m", held)
        rows = []
        cursor = None
        while True:
            page = history.raw(series, from_ms, to_ms, limit=700, after=cursor)
            rows += [(row.time, row.value) for row in page.rows]
            if (cursor := page.next) is None:
                break
        back = [history.rows_of(pieces) for pieces in series.pieces_back(from_ms, to_ms)]
        assert [(row.time, row.value) for part in reversed(back) for row in part] == rows
    return rows


def a_day(file: SampleFile, start_ms: int = START, device: str = "d", every_ms: int = MINUTE) -> None:
    """Put a day of samples as a running hub seals them."""
    for window in range(start_ms, start_ms + DAY, 900_000):
        file.put(
            ((time, round(20 + time % 7 / 10, 1)) for time in range(window, window + 900_000, every_ms)),
            device,
        )
        file.seal()


def test_a_day_of_a_slow_device_becomes_one_chunk_of_less_than_half_the_bytes(archive: SampleFile) -> None:
    a_day(archive)
    before, answer = chunks(archive), raw(archive)
    merge(archive)
    ((identity, samples, data),) = chunks(archive)
    assert (len(before), samples) == (96, 1440)
    assert chunk.windows_of(identity) == range(START // 900_000, START // 900_000 + 96)
    assert len(data) < sum(len(data) for _, _, data in before) / 2
    assert raw(archive) == answer
    assert raw(archive, START + HOUR, START + 2 * HOUR) == answer[60:120]


def test_a_day_that_is_not_over_stays(archive: SampleFile) -> None:
    a_day(archive)
    merge(archive, START + DAY - 1)
    assert len(chunks(archive)) == 96


def test_a_fast_device_keeps_its_chunks(archive: SampleFile) -> None:
    archive.put((START + 100 * number, number) for number in range(9000 * 2))
    archive.seal()
    merge(archive)
    assert len(chunks(archive)) == 2


def test_metrics_that_go_within_days_keep_quarters_of_an_hour(archive: SampleFile) -> None:
    archive.put([(START, 1), (START + HOUR, 2)])
    archive.seal()
    merge(archive, age_ms=daychunk.LEAST_AGE_MS - 1)
    assert len(chunks(archive)) == 2


def test_a_day_is_written_again_only_for_as_much_as_it_holds(archive: SampleFile) -> None:
    archive.put([(START + hour * HOUR, hour) for hour in range(10)])
    archive.seal()
    merge(archive)
    for late in range(1, 10):
        archive.put([(START + late * HOUR + 1, late)])
        archive.seal()
        merge(archive)
        assert len(chunks(archive)) == 1 + late
    archive.put([(START + 1, 0)])
    archive.seal()
    merge(archive)
    ((_, samples, _),) = chunks(archive)
    assert samples == 20
    assert [time for time, _ in raw(archive)] == [
        START + hour * HOUR + more for hour in range(10) for more in (0, 1)
    ]


def test_what_comes_again_for_a_merged_day_is_known(archive: SampleFile) -> None:
    archive.put([(START, 1), (START + HOUR, 2)])
    archive.seal()
    merge(archive)
    archive.put([(START, 9), (START + HOUR, 9), (START + HOUR + 1, 3)])
    archive.seal()
    assert raw(archive) == [(START, 1), (START + HOUR, 2), (START + HOUR + 1, 3)]
    with contextlib.closing(connect_reader(archive.file)) as connection:
        (found, *_) = sealed_times(connection, "d", START // 900_000)
    assert START in found[1]


def test_a_merged_day_goes_when_all_of_it_is_too_old_and_not_before(archive: SampleFile) -> None:
    age_ms = 30 * DAY
    archive.put([(START, 1), (START + 2 * HOUR, 2), (START + DAY, 3)])
    archive.seal()
    archive.roll(LATER)
    merge(archive)
    expiry = Expiry(everything(age_ms // 1000))
    for now_ms, left in ((START + DAY - 1, 3), (START + DAY, 1)):
        archive.committer.work(partial(expiry.step, now_ms=now_ms + age_ms, limit=100))
        assert len(raw(archive)) == left


def test_a_damaged_chunk_stays_beside_the_merged_day(archive: SampleFile) -> None:
    archive.put([(START + hour * HOUR, hour) for hour in range(5)])
    archive.seal()
    with archive.committer._transaction() as connection:
        connection.execute("UPDATE chunk SET data = zeroblob(60) WHERE id = (SELECT min(id) FROM chunk)")
    merge(archive)
    assert [len(data) == 60 for _, _, data in chunks(archive)] == [True, False]
    assert [value for _, value in raw(archive)] == [1, 2, 3, 4]


def test_salvage_carries_a_merged_day_and_has_all_its_rollups_made(archive: SampleFile) -> None:
    archive.put([(START + hour * HOUR, hour) for hour in range(24)])
    archive.seal()
    archive.roll(LATER)
    merge(archive)
    aside = archive.file.with_name("outpost.db.damaged-1")
    with archive.committer._transaction() as connection:
        connection.execute("INSERT INTO state VALUES ('salvage outpost.db.damaged-1', 0)")
    archive.committer.close()
    aside.write_bytes(archive.file.read_bytes())
    archive.drop_chunks()
    salvage = Salvage(archive.file)
    while archive.committer.work(lambda connection: salvage.step(connection, 100)):
        pass
    with contextlib.closing(connect_reader(archive.file)) as connection:
        (quarters,) = connection.execute("SELECT count(*) FROM pending WHERE id >> 58 = 1").fetchone()
    assert (quarters, len(raw(archive))) == (4, 24)


samples = st.dictionaries(
    st.integers(START - 2 * HOUR, START + 2 * DAY).map(lambda time: time // 400_000 * 400_000)
    | st.sampled_from([START, START + DAY - 1, START + DAY]),
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from([0.5, "on"]),
    max_size=30,
)


@pytest.mark.slow
@settings(max_examples=times(40, 1000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(samples, st.sampled_from(["seal", "merge", "keep"])), max_size=5),
    st.tuples(st.integers(-DAY, 3 * DAY), st.integers(1, 3 * DAY)),
)
def test_queries_say_what_was_put_whatever_was_merged(
    steps: list[tuple[dict[int, Value], str]], span: tuple[int, int]
) -> None:
    known: dict[int, Value] = {}
    with TemporaryDirectory() as name:
        file = SampleFile(Path(name))
        file.put([(START + DAY + 5 * HOUR, 1)], device="another")
        for of_step, then in steps:
            file.put(of_step.items())
            known = of_step | known
            if then != "keep":
                file.seal()
            if then == "merge":
                merge(file)
        from_ms, to_ms = START + span[0], START + sum(span)
        wanted = [(time, value) for time, value in sorted(known.items()) if from_ms <= time < to_ms]
        got = raw(file, from_ms, to_ms)
        file.committer.close()
    assert [(time, type(value), value) for time, value in got] == [
        (time, type(value), value) for time, value in wanted
    ]
