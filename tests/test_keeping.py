"""The rules of retention, changed while the hub runs: tried first, acting after a grace, kept for good."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from hub.config import ConfigError, RetentionConfig, RetentionRule
from hub.health import Health
from hub.model import Reading, Role
from hub.store.lifetime.keeping import KeepingChanged
from hub.store.lifetime.policy import Policy
from hub.store.settings import StoreSettings
from tests.fresh_store import open_fresh
from tests.sample_file import DAY, HOUR, START, SampleFile
from tests.web_hub import web_hub

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from hub.store.store import Store

NOW = START + 20 * DAY
CONFIGURED = RetentionConfig(raw="30d")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store of ten days of one metric, sealed."""
    file = SampleFile(tmp_path)
    file.put([(at, 1) for at in range(NOW - 10 * DAY, NOW, HOUR)], device="d", metric="m")
    file.seal()
    file.roll(NOW)
    file.committer.close()
    return tmp_path


@asynccontextmanager
async def running(folder: Path, grace_s: float = 3600.0) -> AsyncIterator[Store]:
    settings = StoreSettings(policy=Policy(CONFIGURED), grace_s=grace_s, ack_interval_s=0.02)
    store = open_fresh(folder, health=Health(), now_ms=lambda: NOW, settings=settings)
    await store.keeping.load()
    await store.start()
    try:
        yield store
    finally:
        await store.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)


async def accepted(store: Store, rules: RetentionConfig) -> None:
    """Wait until rules act: the file says which acted last."""
    async with asyncio.timeout(30):
        while await store.ask(acting) != Policy(rules).fingerprint:
            await asyncio.sleep(0.02)


def acting(connection: sqlite3.Connection) -> int | None:
    row = connection.execute("SELECT value FROM state WHERE key = 'rules'").fetchone()
    return None if row is None else int(row[0])


async def count(store: Store) -> int:
    return len((await store.samples_raw("d", "m", 0, NOW, 10_000)).rows)


async def test_rules_that_are_tried_change_nothing(folder: Path) -> None:
    async with running(folder) as store:
        found = await store.keeping.preview(RetentionConfig(raw="2d"))
        assert found.items[0].now.samples == 8 * 24
        assert store.keeping.now().rules == CONFIGURED
        assert (await store.forecast()).items[0].now.samples == 0


async def test_changed_rules_are_foretold_at_once_and_wait_for_the_grace(folder: Path) -> None:
    async with running(folder, grace_s=0) as store:
        await accepted(store, CONFIGURED)
    async with running(folder) as store:
        kept = store.keeping.put(RetentionConfig(raw="2d"))
        assert (kept.version, kept.configured) == (1, False)
        assert (await store.forecast()).items[0].now.samples == 8 * 24
        await until(lambda: store.retention().grace_until == NOW + 3_600_000)
        assert await count(store) == 240


async def test_after_the_grace_they_act_and_outlive_a_restart(folder: Path) -> None:
    async with running(folder, grace_s=0.1) as store:
        store.keeping.put(RetentionConfig(raw="2d"))
        async with asyncio.timeout(30):
            while await count(store) > 3 * 24:
                await asyncio.sleep(0.02)
    async with running(folder) as store:
        assert store.keeping.now().rules.raw == "2d"
        # The same rules as those that acted last: nothing to look at first.
        await asyncio.sleep(0.2)
        assert store.retention().grace_until is None


async def test_taking_a_change_back_within_the_grace_loses_nothing(folder: Path) -> None:
    async with running(folder, grace_s=0) as store:
        await accepted(store, CONFIGURED)
    async with running(folder) as store:
        store.keeping.put(RetentionConfig(raw="2d"))
        await until(lambda: store.retention().grace_until is not None)
        kept = store.keeping.put(None)
        assert (kept.configured, kept.rules) == (True, CONFIGURED)
        await until(lambda: store.retention().grace_until is None)
        assert await count(store) == 240
    async with running(folder) as store:
        assert store.keeping.now() == kept


async def test_a_version_that_somebody_overtook_changes_nothing(folder: Path) -> None:
    async with running(folder) as store:
        store.keeping.put(RetentionConfig(raw="40d"), 0)
        with pytest.raises(KeepingChanged, match="version 1, not 0"):
            store.keeping.put(RetentionConfig(raw="50d"), 0)
        assert store.keeping.now().rules.raw == "40d"


@pytest.mark.parametrize(
    "rules",
    [
        RetentionConfig(raw="soon"),
        RetentionConfig(raw="none"),
        RetentionConfig(size="3"),
        RetentionConfig(rule=(RetentionRule(),)),
        RetentionConfig(rule=(RetentionRule(tag="nobody", raw="1d"),)),
    ],
)
async def test_rules_that_cannot_be_used_are_refused_and_the_others_stay(
    folder: Path, rules: RetentionConfig
) -> None:
    async with running(folder) as store:
        with pytest.raises(ConfigError, match="these rules"):
            store.keeping.put(rules)
        with pytest.raises(ConfigError):
            await store.keeping.preview(rules)
        assert store.keeping.now().version == 0


async def test_a_new_deadband_holds_from_the_next_sample_on(folder: Path) -> None:
    async with running(folder) as store:
        rule = RetentionRule(metric="n", deadband=1.0)
        store.keeping.put(RetentionConfig(raw="30d", rule=(rule,)))
        for at in range(5):
            store.put(
                Reading(
                    device="d",
                    metrics=("n",),
                    values=(at / 10,),
                    source_time_ms=NOW - 1000 + at,
                    hub_time_ms=NOW,
                )
            )
        page = await store.samples_raw("d", "n", 0, NOW, 100)
        assert len(page.rows) == 1


async def test_an_admin_reads_tries_and_changes_them_over_http(tmp_path: Path) -> None:
    async with web_hub(tmp_path) as hub:
        seen = await hub.get("retention/rules", role=Role.ADMIN)
        assert seen.headers["ETag"] == '"0"'
        assert seen.json()["configured"] is True
        wanted = {"raw": "10d", "10s": "1d", "size": "8GB", "rule": [{"metric": "v*", "raw": "1d"}]}
        tried = await hub.call("POST", "retention/preview", role=Role.ADMIN, json=wanted)
        assert tried.json()["size_bytes"] == 8 * 10**9
        put = await hub.call(
            "PUT", "retention/rules", role=Role.ADMIN, json=wanted, headers={"If-Match": '"0"'}
        )
        assert put.json()["version"] == 1
        assert put.json()["rules"]["rule"][0]["raw"] == "1d"
        stale = await hub.call(
            "PUT", "retention/rules", role=Role.ADMIN, json=wanted, headers={"If-Match": '"0"'}
        )
        assert stale.status == 412
        bad = await hub.call("PUT", "retention/rules", role=Role.ADMIN, json={"raw": "soon"})
        assert bad.status == 400
        assert "raw" in bad.problem()["detail"]
        back = await hub.call("DELETE", "retention/rules", role=Role.ADMIN)
        assert back.json()["configured"] is True
