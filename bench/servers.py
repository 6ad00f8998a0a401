"""VictoriaMetrics and InfluxDB (apt) as processes on loopback, and how each is asked."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from bench.fed_store import DAY_MS, HOUR_MS, SOAK_S, START_MS, YEAR_DAYS
from bench.http_client import HttpClient
from bench.workload import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

END_MS = START_MS + SOAK_S * 1000
YEAR_END_MS = START_MS + YEAR_DAYS * DAY_MS
YEAR_STEP_S = YEAR_DAYS * 86_400 // 1000
_START_S = 60.0
_INFLUX = """
reporting-disabled = true
bind-address = "127.0.0.1:{backup}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
{compaction}
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
"""
_SOON = """cache-snapshot-write-cold-duration = "2s"
compact-full-write-cold-duration = "4s\""""


class Server:
    """A database server as a process."""

    name = ""
    program = ""
    lines_of_json = False
    """Its answer to `hour` is an object a line."""

    def __init__(self, folder: Path, *, rests_soon: bool = True) -> None:
        """Have it compact soon after the last write, to be measured at rest; else by its defaults."""
        self.folder = folder
        self.rests_soon = rests_soon
        self.port = _free_port()

    def command(self) -> list[str]:
        """Return how it is started."""
        raise NotImplementedError

    def write_path(self) -> str:
        """Return where the line protocol goes."""
        raise NotImplementedError

    def questions(self) -> dict[str, str]:
        """Return what the bench asks: the last `hour` of 4 metrics, the `year`, what is known `last`."""
        raise NotImplementedError

    def count(self, client: HttpClient) -> int:
        """Return how many samples of the workload it has."""
        raise NotImplementedError

    def prepare(self, client: HttpClient) -> None:
        """Make what a write needs."""

    def flush(self, client: HttpClient) -> None:
        """Have what was written merged, as far as one can ask for it."""


class Victoria(Server):
    """VictoriaMetrics, single node."""

    name = "VictoriaMetrics"
    program = "victoria-metrics"
    lines_of_json = True

    def command(self) -> list[str]:
        """Return how it is started."""
        return [
            self.program,
            f"-storageDataPath={self.folder}",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            "-retentionPeriod=10y",
            "-search.latencyOffset=0s",
            "-search.maxSamplesPerSeries=100000000",
            "-loggerLevel=ERROR",
        ]

    def write_path(self) -> str:
        """Return where the line protocol goes."""
        return "/write?precision=ms"

    def questions(self) -> dict[str, str]:
        """Return the paths that ask."""
        hour = 'device="device-03",__name__=~"s_(' + "|".join(METRICS[:4]) + ')"'
        every = '{__name__=~"s_.*"}'
        year = ", ".join(
            f'label_set({name}_over_time(y_v[{YEAR_STEP_S}s]), "of", "{name}")'
            for name in ("min", "max", "avg")
        )
        return {
            "hour": f"/api/v1/export?match[]={quote('{' + hour + '}')}"
            f"&start={(END_MS - HOUR_MS) / 1000}&end={END_MS / 1000}",
            "year": f"/api/v1/query_range?nocache=1&query={quote('(' + year + ')')}"
            f"&start={START_MS // 1000 + YEAR_STEP_S}&end={YEAR_END_MS // 1000}&step={YEAR_STEP_S}s",
            "last": f"/api/v1/query?nocache=1&query={quote(every)}&time={END_MS // 1000}",
        }

    def count(self, client: HttpClient) -> int:
        """Return how many samples of the workload it has."""
        asked = quote('sum(count_over_time({__name__=~"s_.*"}[1d]))')
        found = msgspec.json.decode(client.get(f"/api/v1/query?nocache=1&query={asked}"))["data"]["result"]
        return int(found[0]["value"][1]) if found else 0

    def flush(self, client: HttpClient) -> None:
        """Have all of it merged."""
        for path in ("/internal/force_flush", "/internal/force_merge"):
            client.get(path)


class Influx(Server):
    """InfluxDB 1."""

    name = "InfluxDB"
    program = "influxd"

    def command(self) -> list[str]:
        """Return how it is started."""
        file = self.folder / "influxdb.conf"
        compaction = _SOON if self.rests_soon else ""
        file.write_text(
            _INFLUX.format(folder=self.folder, port=self.port, backup=_free_port(), compaction=compaction)
        )
        return [self.program, "-config", str(file)]

    def write_path(self) -> str:
        """Return where the line protocol goes."""
        return "/write?db=b&precision=ms"

    def questions(self) -> dict[str, str]:
        """Return the paths that ask."""
        asked = {
            "hour": f"SELECT {', '.join(METRICS[:4])} FROM s WHERE device = 'device-03'"
            f" AND time >= {END_MS - HOUR_MS}ms AND time < {END_MS}ms",
            "year": f"SELECT min(v), max(v), mean(v) FROM y WHERE time >= {START_MS}ms"
            f" AND time < {YEAR_END_MS}ms GROUP BY time({YEAR_STEP_S}s)",
            "last": "SELECT last(*) FROM s GROUP BY device",
        }
        return {name: f"/query?db=b&epoch=ms&q={quote(text)}" for name, text in asked.items()}

    def count(self, client: HttpClient) -> int:
        """Return how many samples of the workload it has."""
        found = msgspec.json.decode(client.get(f"/query?db=b&q={quote('SELECT count(*) FROM s')}"))["results"]
        return sum(found[0]["series"][0]["values"][0][1:]) if "series" in found[0] else 0

    def prepare(self, client: HttpClient) -> None:
        """Make the database."""
        client.post(f"/query?q={quote('CREATE DATABASE b')}", b"")


SERVERS: tuple[type[Server], ...] = (Victoria, Influx)


@contextlib.contextmanager
def running(server: Server) -> Iterator[tuple[subprocess.Popen[bytes], HttpClient]]:
    """Start a server, and end it; its folder stays. Raises OSError where it does not start."""
    process = subprocess.Popen(server.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with HttpClient(f"http://127.0.0.1:{server.port}") as client:
            _wait(process, server.port)
            server.prepare(client)
            yield process, client
    finally:
        process.terminate()
        process.wait(60)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise OSError(f"{process.args!r} did not start")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
