"""How much each device takes: what the triggers keep is what a look through the file says."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

import sqlite_utils

from hub.store.folder import prepare
from hub.store.lifetime.expiry import Expiry
from hub.store.lifetime.policy import everything
from hub.store.schema import APPLICATION_ID, MIGRATIONS, connect, connect_reader, migrate
from hub.store.sizes import DeviceSize, add_sizes, sizes
from hub.store.writing import daychunk
from tests.sample_file import DAY, HOUR, NOW, START, SampleFile
from tests.web_hub import web_hub

if TYPE_CHECKING:
    from pathlib import Path


def check(file: Path) -> list[DeviceSize]:
    with contextlib.closing(connect_reader(file)) as connection:
        counted = connection.execute(
            "SELECT device, sum(n), sum(length(data)) FROM chunk"
            " JOIN source ON source.id = chunk.id >> 8 & 1048575 GROUP BY device ORDER BY 3 DESC, 1"
        ).fetchall()
        found = sizes(connection)
    assert [(one.device, one.samples, one.bytes) for one in found] == counted
    return found


def test_sealing_merging_and_expiring_keep_the_sizes_true(tmp_path: Path) -> None:
    file = SampleFile(tmp_path)
    file.put((START + place * 60_000, place / 7) for place in range(1440))
    file.put([(START, 1), (START + DAY, 2)], device="other")
    file.seal()
    assert [one.device for one in check(file.file)] == ["d", "other"]
    file.put([(START + 1, 5)])
    file.seal()
    assert check(file.file)[0].samples == 1441
    file.roll()
    while file.committer.work(lambda connection: daychunk.step(connection, NOW, lambda *_: None)):
        pass
    check(file.file)
    expiry = Expiry(everything(HOUR // 1000))
    file.committer.work(partial(expiry.step, now_ms=START + DAY + HOUR, limit=1000))
    assert [one.device for one in check(file.file)] == ["other"]
    file.committer.close()


def test_a_file_that_is_migrated_knows_the_sizes_of_what_was_there(tmp_path: Path) -> None:
    file = prepare(tmp_path)
    before = MIGRATIONS[: MIGRATIONS.index(add_sizes)]
    with contextlib.closing(connect(file)) as connection:
        for step in before:
            step(sqlite_utils.Database(connection))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(before)}")
        connection.execute("INSERT INTO source VALUES (3, 'd', 0)")
        connection.execute("INSERT INTO chunk VALUES (?, 7, zeroblob(90))", (5 << 28 | 3 << 8,))
    migrate(file)
    assert check(file) == [DeviceSize("d", 7, 90)]


async def test_api_and_metrics_tell_the_size_of_each_device(tmp_path: Path) -> None:
    async with web_hub(tmp_path) as hub:
        with contextlib.closing(connect(tmp_path / "data" / "outpost.db")) as connection:
            connection.execute("INSERT INTO source VALUES (3, 'd', 0)")
            connection.execute("INSERT INTO chunk VALUES (?, 7, zeroblob(90))", (5 << 28 | 3 << 8,))
        shown = (await hub.get("hub")).json()["health"]["store"]
        assert shown["devices"] == [{"device": "d", "samples": 7, "bytes": 90}]
        await hub.get("/metrics")
        value = hub.parts.health.registry.get_sample_value
        assert value("outpost_store_device_bytes", {"device": "d"}) == 90
        assert value("outpost_store_device_samples", {"device": "d"}) == 7
