"""How long questions to the store take, in it and over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from bench.boards import config
from bench.fed_store import (
    ASKS,
    DAY_MS,
    HOUR_MS,
    SETTLE_S,
    SOAK_S,
    SOAKED,
    START_MS,
    YEAR_DAYS,
    median_ms,
    opened,
)
from bench.figure import Figure, percentile
from bench.http_client import HttpClient
from bench.load_boards import boards
from bench.workload import METRICS, SAMPLES_PER_S
from hil.hub import HubProcess
from hub.model import Birth, Kind, LinkKind, Metric
from hub.store import births
from hub.store.folder import prepare
from hub.store.format import summary
from hub.store.format.chunk import WINDOW_MS, Group
from hub.store.format.names import Names
from hub.store.format.tiers import JOBS
from hub.store.queries import grid, history
from hub.store.queries.chunks import Chunks
from hub.store.queries.series import Series
from hub.store.schema import connect_reader, migrate
from hub.store.writing import daychunk, seal
from hub.store.writing.committer import Committer
from hub.web.api.sheet import Sheet, json_of

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    import numpy.typing as npt

    from bench.disk import Disk

HOUR = "last hour of 4 metrics at 1 s"
LATER_MS = START_MS + (YEAR_DAYS + 1) * DAY_MS
QUIET = config([])
"""A hub without a board."""
INGEST_PER_S = 4000
"""Samples a second that every server gets while it is asked the last hour."""
INGEST_TIMES = 800
"""So often that commits fall into it."""
INGESTED = "outpost_samples_total"
BOARDS, WINDOW = 8, 2000


def recent(place: Disk) -> list[Figure]:
    """Ask for the last hour, and for what is known last, in the store and over HTTP."""
    folder, end_ms = place.folder / SOAKED, START_MS + SOAK_S * 1000
    return [
        *in_the_store(folder, end_ms),
        *asyncio.run(_last_known(folder)),
        *over_http(folder, end_ms),
        *while_ingest_runs(folder, end_ms),
    ]


def in_the_store(folder: Path, end_ms: int) -> list[Figure]:
    """Ask for the last hour of 4 metrics as the hub's readers do: as arrays, and as the text of an answer."""
    with contextlib.closing(connect_reader(folder / "outpost.db")) as connection:

        def asked() -> list[Series]:
            chunks = Chunks(connection)
            return [Series(connection, "device-03", metric, None, chunks=chunks) for metric in METRICS[:4]]

        def columns() -> None:
            for series in asked():
                for _, pieces in series.pieces(end_ms - HOUR_MS, end_ms):
                    summary.of_pieces(pieces)

        def rows() -> None:
            found = grid.joined(asked(), end_ms - HOUR_MS, end_ms, limit=10_000, after=None)
            assert len(found.table) and json_of(Sheet((), found.table, {}, found.next), {}).body

        return [
            Figure(what=f"{HOUR}, as arrays", value=median_ms(columns), unit="ms", target=1),
            Figure(what=f"{HOUR}, as rows in JSON", value=median_ms(rows), unit="ms", target=6),
        ]


async def _last_known(folder: Path) -> list[Figure]:
    store = await opened(folder)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        latest = await store.latest()
        times.append((time.perf_counter() - began) * 1000)
    await store.close()
    assert sum(map(len, latest.values())) == SAMPLES_PER_S
    return [Figure(what="last known of 200 metrics", value=percentile(times, 0.5), unit="ms")]


def over_http(folder: Path, end_ms: int, settle_s: float = SETTLE_S, times: int = ASKS) -> list[Figure]:
    """Ask a hub that has nothing else to do."""
    with HubProcess(folder, config=QUIET) as hub:
        time.sleep(settle_s)
        hour = _over_http(hub, _the_hour(end_ms), times)
        rows = _over_http(hub, _the_hour(end_ms, "rows"), times)
        latest_ms = _over_http(hub, "latest", times)
    return [
        Figure(what=f"{HOUR}, over HTTP", value=hour, unit="ms", target=6),
        Figure(what=f"{HOUR}, over HTTP as rows with qualities", value=rows, unit="ms", target=6),
        Figure(what="last known of 200 metrics, over HTTP", value=latest_ms, unit="ms"),
    ]


def _the_hour(end_ms: int, layout: str = "columns") -> str:
    names = "".join(f"&metric={metric}" for metric in METRICS[:4])
    return f"samples?device=device-03{names}&from={end_ms - HOUR_MS}&to={end_ms}&limit=10000&layout={layout}"


def while_ingest_runs(folder: Path, end_ms: int) -> list[Figure]:
    """Ask while boards on serial ports send as many samples a second as the other servers get."""
    with boards(BOARDS, WINDOW, INGEST_PER_S / BOARDS / len(METRICS)) as ports:
        paths = ", ".join(f'"{path}"' for path in ports)
        text = f"[serial]\nports = [{paths}]\nenrolment = 'off'\n[mqtt]\nenabled = false\n"
        with HubProcess(folder, config=text) as hub:
            time.sleep(SETTLE_S)
            before, began = _ingested(hub), time.monotonic()
            hour = _over_http(hub, _the_hour(end_ms), INGEST_TIMES)
            rate = (_ingested(hub) - before) / (time.monotonic() - began)
    return [
        Figure(what=f"{HOUR}, while ingest runs, over HTTP", value=hour, unit="ms"),
        Figure(what="samples a second that came meanwhile", value=rate, unit="/s"),
    ]


def _ingested(hub: HubProcess) -> float:
    with HttpClient(hub.url) as client:
        text = client.get("/metrics", {"Authorization": f"Bearer {hub.token}"}).decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(INGESTED))


def year(place: Disk) -> list[Figure]:
    """Ask for a year of one metric at 1 Hz, 31.5 M samples, which are put into chunks directly."""
    file = prepare(place.folder / "year")
    migrate(file)
    committer = Committer(file)
    with committer._transaction() as connection:
        _birth(connection)
        shape = Names().shape(connection, "year", ("temperature",)).id
    per_window = WINDOW_MS // 1000
    for day in range(YEAR_DAYS):
        values = year_values(day)
        with committer._transaction() as connection:
            for part in range(96):
                window = (START_MS + day * DAY_MS) // WINDOW_MS + part
                times = window * WINDOW_MS + np.arange(per_window, dtype=np.int64) * 1000
                own = values[part * per_window : (part + 1) * per_window].tolist()
                seal.add(connection, window, 1, [Group(shape, times, None, [own])])
    began = time.perf_counter()
    for job in JOBS:
        while committer.roll(job, LATER_MS):
            pass
    rolled_s = time.perf_counter() - began
    while committer.work(lambda connection: daychunk.step(connection, LATER_MS, lambda *_: None)):
        pass
    committer.close()
    end_ms = START_MS + YEAR_DAYS * DAY_MS
    with contextlib.closing(connect_reader(file)) as connection:
        ask = partial(_ask_year, connection, end_ms)
        figures = [
            Figure(
                what=f"{what} to 1,000 buckets",
                value=median_ms(partial(ask, days)),
                unit="ms",
                target=target,
            )
            for what, days, target in (
                ("a year (31.5 M)", 365, 5.0),
                ("a month", 30, None),
                ("a day", 1, None),
            )
        ]
        (size,) = connection.execute("SELECT sum(length(data)) FROM roll").fetchone()
    figures.append(Figure(what="rollups' bytes a sample", value=size / (YEAR_DAYS * 86_400), unit="B"))
    figures.append(Figure(what="rollups of a year, made", value=rolled_s, unit="s"))
    with HubProcess(place.folder / "year", config=QUIET) as hub:
        span = f"from={START_MS}&to={end_ms}"
        asked = _over_http(hub, f"samples?device=year&metric=temperature&{span}&points=1000")
    figures.append(Figure(what="a year to 1,000 buckets, over HTTP", value=asked, unit="ms"))
    return figures


def year_values(day: int) -> npt.NDArray[np.float64]:
    """Return a day of the year's one metric at 1 Hz."""
    steps = np.random.default_rng(day).normal(0, 0.01, DAY_MS // 1000)
    return np.asarray(np.round(20 + np.cumsum(steps), 2))


def _birth(connection: sqlite3.Connection) -> None:
    metrics = (Metric(name="temperature", kind=Kind.NUMBER),)
    birth = Birth(device="year", name="year", metrics=metrics)
    connection.execute(*births.statement(birth, LinkKind.MQTT, START_MS))


def _over_http(hub: HubProcess, path: str, times: int = ASKS) -> float:
    """Return the ms of a request, from sending it to the answer parsed, on a connection that stays open."""
    with HttpClient(hub.url) as client:
        headers = {"Authorization": f"Bearer {hub.token}"}
        return median_ms(lambda: msgspec.json.decode(client.get(f"/api/v1/{path}", headers)), times)


def _ask_year(connection: sqlite3.Connection, end_ms: int, days: int) -> None:
    series = Series(connection, "year", "temperature", None)
    found = history.buckets(series, end_ms - days * DAY_MS, end_ms, 1000)
    assert sum(bucket.count for bucket in found) == days * 86_400
