"""In real time and at the same time: what reaches each store's device, and what a power cut takes from it.

The stores' other device bytes are of a feed faster than real time, which spares those that flush by the
clock. Here all get the workload as it happens, each on a disk of its own, and at the end the power is cut: of
what they had acked they are asked how much is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench.disk import disk
from bench.fed_store import opened, put, put_births
from bench.figure import Figure
from bench.servers import SERVERS, running
from bench.store_servers import line
from bench.workload import SAMPLES_PER_S, readings
from hub.store.settings import StoreSettings
from hub.store.transfer import archive

if TYPE_CHECKING:
    from bench.disk import Disk, PowerCut
    from bench.http_client import HttpClient
    from bench.servers import Server
    from hub.model import Reading
    from hub.store.store import Store
    from hub.store.writing.intake import Acked

INTERVALS_S = (1, 10)
_DISK_MB = 768
_REST_S = 5.0
"""From the start to the first sample, so that what is written once is not counted by the sample."""


class _Fed:
    """A store that is fed: `acked` samples are those it said that it has."""

    def __init__(self, name: str, every_s: int, place: Disk) -> None:
        self.name = name
        self.every_s = every_s
        self.place = place
        self.acked = 0
        self.before = 0

    async def take(self, of_second: list[Reading]) -> None:
        """Give it what the devices sent in a second."""
        raise NotImplementedError

    def count(self, folder: Path) -> int:
        """Return how many samples a copy of its disk has."""
        raise NotImplementedError


class _Outpost(_Fed):
    def __init__(self, every_s: int, place: Disk, store: Store) -> None:
        super().__init__("Outpost", every_s, place)
        self._store = store
        self._seqs: dict[str, int] = {}
        store.on_commit(self._on_commit)

    async def take(self, of_second: list[Reading]) -> None:
        put(self._store, of_second)

    def _on_commit(self, acked: list[Acked]) -> None:
        self._seqs.update((one.device, one.seq) for one in acked)
        self.acked = sum(seq + 1 for seq in self._seqs.values()) * 10

    def count(self, folder: Path) -> int:
        return sum(len(rows) for _, _, rows in archive.samples(folder / "store", archive.Wanted()))


class _Server(_Fed):
    def __init__(self, every_s: int, place: Disk, server: Server, client: HttpClient) -> None:
        super().__init__(server.name, every_s, place)
        self._server = server
        self._client = client
        self._lines: list[str] = []
        self._seconds = 0

    async def take(self, of_second: list[Reading]) -> None:
        self._lines += map(line, of_second)
        self._seconds += 1
        if self._seconds % self.every_s == 0:
            body, self._lines = "\n".join(self._lines).encode(), []
            await asyncio.to_thread(self._client.post, self._server.write_path(), body)
            self.acked = self._seconds * SAMPLES_PER_S

    def count(self, folder: Path) -> int:
        again = type(self._server)(folder / self._server.program, rests_soon=False)
        with running(again) as (_, client):
            return again.count(client)


class _Ended(msgspec.Struct):
    """What a store came to when the power went."""

    fed: _Fed
    acked: int
    cut: PowerCut
    device_bytes: int = 0


def measure(seconds: int) -> list[Figure]:
    """Feed all stores for so many seconds, and cut the power. Blocks as long."""
    with tempfile.TemporaryDirectory() as name:
        return [figure for one in asyncio.run(_fed(seconds, Path(name))) for figure in _figures(one, seconds)]


def _figures(one: _Ended, seconds: int) -> list[Figure]:
    samples = seconds * SAMPLES_PER_S
    what = f"{one.fed.name}, in real time, every {one.fed.every_s} s"
    found = 0
    with one.cut.mounted() as folder:
        try:
            found = one.fed.count(folder)
        except OSError:
            print(f"  {what}: does not start on what the power cut left")
    lost_s = max(0, one.acked - found) / SAMPLES_PER_S
    return [
        Figure(what=f"{what}: device bytes a sample", value=one.device_bytes / samples, unit="B"),
        Figure(what=f"{what}: acked, lost with the power", value=lost_s, unit="s"),
    ]


async def _fed(seconds: int, images: Path) -> list[_Ended]:
    async with contextlib.AsyncExitStack() as stack:
        fed = [one for every_s in INTERVALS_S for one in await _started(every_s, stack)]
        if not all(one.place.counted for one in fed):
            print("  no loop devices here: device bytes in real time are not measured")
            return []
        await asyncio.sleep(_REST_S)
        for one in fed:
            one.before = one.place.written()
        await _feed(fed, seconds)
        # All before any is counted, for which the kernel writes what it holds back.
        ended = [
            _Ended(one, one.acked, one.place.cut_power(images / str(number)))
            for number, one in enumerate(fed)
        ]
        for each in ended:
            each.device_bytes = each.fed.place.written() - each.fed.before
        return ended


async def _started(every_s: int, stack: contextlib.AsyncExitStack) -> list[_Fed]:
    place = stack.enter_context(disk(_DISK_MB))
    settings = StoreSettings(ack_interval_s=every_s, idle_interval_s=max(10, every_s))
    store = await opened(place.folder / "store", settings)
    stack.push_async_callback(store.close)
    put_births(store)
    found: list[_Fed] = [_Outpost(every_s, place, store)]
    for kind in SERVERS:
        if shutil.which(kind.program) is not None:
            place = stack.enter_context(disk(_DISK_MB))
            server = kind(place.folder_for(kind.program), rests_soon=False)
            _, client = stack.enter_context(running(server))
            found.append(_Server(every_s, place, server, client))
    return found


async def _feed(fed: list[_Fed], seconds: int) -> None:
    began = time.monotonic()
    for second, of_second in enumerate(readings(seconds, round(time.time() * 1000), "b1"), 1):
        await asyncio.gather(*(one.take(of_second) for one in fed))
        await asyncio.sleep(max(0.0, began + second - time.monotonic()))
