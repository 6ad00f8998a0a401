"""`outpost import` of backups: everything once, with births and rollups."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hub.model import Birth, Kind, LinkKind, Metric
from hub.store.format.tiers import JOBS
from hub.store.transfer.bulk import Bulk
from tests.import_store import content, data, fill, open_store, put, run

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["data"]  # a fixture

DAY = 86_400_000


def births_of(folder: Path) -> dict[str, tuple[Birth, LinkKind, int]]:
    async def ask() -> dict[str, tuple[Birth, LinkKind, int]]:
        store = open_store(folder)
        found = {birth.device: (birth, link, seen) for birth, link, seen in await store.births()}
        await store.close()
        return found

    return asyncio.run(ask())


# --- backups ------------------------------------------------------------------------------------------


def test_a_backup_comes_in_whole_and_once(data: Path, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "old"))
    before = content(tmp_path / "old")
    assert len(before) == 121
    for _ in range(2):
        done = run("import", tmp_path / "old", "--data", data)
        assert done.exit_code == 0, done.output
        assert sorted(content(data)) == sorted(before)
    births = births_of(data)
    assert births["n"] == (
        Birth(device="n", name="N", metrics=(Metric(name="note", kind=Kind.TEXT),)),
        LinkKind.MQTT,
        9,
    )
    assert {metric.name: metric.kind for metric in births["board"][0].metrics} == {
        "t": Kind.NUMBER,
        "on": Kind.BOOLEAN,
    }


def test_what_the_target_has_stands_beside_what_comes(data: Path, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "old"))
    asyncio.run(put(data, "n", "note", {9: "mine", 11: "later"}))
    assert run("import", tmp_path / "old", "--data", data).exit_code == 0
    assert [row[2:4] for row in content(data) if row[1] == "note"] == [(9, "'mine'"), (11, "'later'")]


def test_rollups_outlive_their_samples_in_an_import_too(data: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    asyncio.run(put(old, "d", "m", {minute * 60_000: minute for minute in range(180)}))
    with Bulk(old, "roll") as bulk:
        from hub.store.writing.committer import Committer

        committer = Committer(bulk._folder.database)
        for job in JOBS:
            while committer.roll(job, 3 * DAY):
                pass
        committer.work(lambda connection: connection.execute("DELETE FROM chunk"))
        committer.close()
    assert content(old) == []
    assert run("import", old, "--data", data).exit_code == 0

    async def hours() -> list[tuple[int, float, int]]:
        store = open_store(data)
        found = await store.samples_buckets("d", "m", 0, 3 * 3_600_000, 3)
        await store.close()
        return [(one.time, one.max, one.count) for one in found]

    assert asyncio.run(hours()) == [(hour * 3_600_000, hour * 60 + 59, 60) for hour in range(3)]


def test_a_store_file_stands_for_its_folder(data: Path, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "old"))
    done = run("import", tmp_path / "old" / "outpost.db", "--data", data)
    assert done.exit_code == 0, done.output
    assert len(content(data)) == 121


def test_a_folder_with_nothing_to_bring_is_told_with_what_was_looked_for(data: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    done = run("import", tmp_path / "photos", "--data", data)
    assert done.exit_code == 1
    assert "photos: holds neither a backup (outpost.db) nor Home Assistant's" in done.output
