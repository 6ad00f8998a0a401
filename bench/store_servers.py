"""VictoriaMetrics and InfluxDB on the same workload.

Both get the line protocol over HTTP, in batches of 10 s, and answer over HTTP, which compares with the
hub's own HTTP answers: as many asks and pauses for each, and each in its most fitting form. Of the last hour
VictoriaMetrics exports for each metric an array of values and one of times, InfluxDB has rows alone, and the
hub answers with an array for each metric and one of all times; it has qualities, and leaves them out where
all are good, while they have none. Their device bytes are of a feed faster than real time, which spares them
flushes.
"""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import msgspec
import psutil

from bench.fed_store import ASKS, DAY_MS, SETTLE_S, SOAK_S, START_MS, YEAR_DAYS, median_ms
from bench.figure import Figure
from bench.line_feed import fed
from bench.servers import SERVERS, running
from bench.store_queries import INGEST_PER_S, INGEST_TIMES, year_values
from bench.workload import METRICS, SAMPLES_PER_S, readings

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.disk import Disk
    from bench.http_client import HttpClient
    from bench.servers import Server
    from hub.model import Reading


def missing() -> list[str]:
    """Return the servers that are not installed here, which are then not measured."""
    return [kind.name for kind in SERVERS if shutil.which(kind.program) is None]


def measure(place: Disk) -> list[Figure]:
    """Return the figures of each server that is installed."""
    figures: list[Figure] = []
    for kind in SERVERS:
        if shutil.which(kind.program) is not None:
            figures += _measured(kind(place.folder_for(kind.program)), place)
    return figures


def _measured(server: Server, place: Disk) -> list[Figure]:
    figures: list[Figure] = []

    def add(what: str, value: float, unit: str) -> None:
        figures.append(Figure(what=f"{server.name}: {what}", value=value, unit=unit))

    with running(server) as (process, client):
        before, cpu, elapsed = place.written(), _cpu_s(process), 0.0
        for body in _batches():
            began = time.perf_counter()
            client.post(server.write_path(), body)
            elapsed += time.perf_counter() - began
        _settle(server, client)
        count = SOAK_S * SAMPLES_PER_S
        add("device bytes a sample, fed in batches of 10 s", (place.written() - before) / count, "B")
        add("file bytes a sample, 2 h", _size(server.folder) / count, "B")
        add("CPU s per million", (_cpu_s(process) - cpu) / count * 1e6, "s")
        add("thousand samples a second", count / elapsed / 1000, "k/s")
        add("last hour of 4 metrics at 1 s, over HTTP", _asked(server, client, "hour"), "ms")
        add("last known of 200 metrics, over HTTP", _asked(server, client, "last"), "ms")
        with fed(client.url, server.write_path(), INGEST_PER_S) as rate:
            time.sleep(SETTLE_S)
            asked = _asked(server, client, "hour", INGEST_TIMES)
        add("last hour of 4 metrics at 1 s, while ingest runs, over HTTP", asked, "ms")
        add("samples a second that came meanwhile", rate[0], "/s")
        for day in range(YEAR_DAYS):
            client.post(server.write_path(), _day(day))
        _settle(server, client)
        add("a year to 1,000 buckets, over HTTP", _asked(server, client, "year", 3), "ms")
    return figures


def _asked(server: Server, client: HttpClient, question: str, times: int = ASKS) -> float:
    """Return the ms from sending a question to the answer parsed."""
    path = server.questions()[question]
    checked = client.get(path)
    if len(checked) < 5000:
        raise OSError(f"{server.name} answers {question} with {checked[:300]!r}")
    parse: Callable[[bytes], object] = msgspec.json.decode
    if question == "hour" and server.lines_of_json:
        parse = _lines_of_json
    return median_ms(lambda: parse(client.get(path)), times)


def _lines_of_json(body: bytes) -> object:
    return [msgspec.json.decode(line) for line in body.splitlines()]


def _batches() -> Iterator[bytes]:
    lines: list[str] = []
    for second, of_second in enumerate(readings(SOAK_S, START_MS), 1):
        lines += map(line, of_second)
        if second % 10 == 0:
            yield "\n".join(lines).encode()
            lines = []


def line(reading: Reading) -> str:
    """Return a reading in the line protocol."""
    fields = ",".join(f"{name}={_field(value)}" for name, value in zip(METRICS, reading.values, strict=True))
    return f"s,device={reading.device} {fields} {reading.source_time_ms}"


def _field(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _day(day: int) -> bytes:
    start_ms = START_MS + day * DAY_MS
    values = year_values(day).tolist()
    return "\n".join(f"y v={value} {start_ms + place * 1000}" for place, value in enumerate(values)).encode()


def _settle(server: Server, client: HttpClient) -> None:
    server.flush(client)
    time.sleep(SETTLE_S)


def _cpu_s(process: subprocess.Popen[bytes]) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
