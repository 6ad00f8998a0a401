"""The power goes: whatever the disk had not been made to write, nothing that was acked is lost."""

from __future__ import annotations

import contextlib
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub.health import Health
from hub.store.shell import connect_shell
from hub.store.store import Store
from tests import power_cut
from tests.soak import times

if TYPE_CHECKING:
    from tests.power_cut import Recording

pytestmark = pytest.mark.slow

CHILD = Path(__file__).with_name("store_child.py")
CUTS = times(30, 200)


async def recording(place: Path, synchronous: str) -> Recording:
    reason = power_cut.reason_against()
    if reason is not None:
        pytest.skip(reason)
    folder = place / "hub"
    await Store.open(folder, health=Health(), now_ms=lambda: 0).close()
    return power_cut.record(
        [sys.executable, str(CHILD), "cut", str(folder), synchronous], folder, place / "strace"
    )


async def after_cut(found: Recording, folder: Path, rng: random.Random) -> tuple[int, list[int], int]:
    """Return the last acked seq before a cut, what the store that is started then has, and its last seq."""
    printed = found.cut(folder, rng.randrange(len(found.calls)), rng)
    store = Store.open(folder, health=Health(), now_ms=lambda: 0)
    committed = store.last_seq("pico", "b")
    await store.close()
    with contextlib.closing(connect_shell(folder / "outpost.db")) as connection:
        stored = [value for (value,) in connection.execute("SELECT value FROM samples ORDER BY time")]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    acked = [int(line) for line in printed.split()]
    return max(acked, default=-1), stored, committed


async def test_a_power_cut_loses_nothing_acked_and_doubles_nothing(tmp_path: Path) -> None:
    found = await recording(tmp_path, "FULL")
    rng = random.Random(20261121)
    ends = []
    for number in range(CUTS):
        folder = tmp_path / str(number)
        acked, stored, committed = await after_cut(found, folder, rng)
        assert stored == list(range(len(stored))), "a hole, a double or a wrong order"
        assert committed == len(stored) - 1 >= acked
        assert not list(folder.glob("*.damaged-*"))
        ends.append(acked)
    assert len(set(ends)) > CUTS / 3, "the cuts came too much alike to prove anything"


async def test_the_same_cuts_lose_what_a_commit_without_sync_acked(tmp_path: Path) -> None:
    """That the proof above can fail: WAL with `synchronous=NORMAL`, which only checkpoints sync."""
    found = await recording(tmp_path, "NORMAL")
    rng = random.Random(20261121)
    lost = 0
    for number in range(10):
        acked, stored, _ = await after_cut(found, tmp_path / str(number), rng)
        lost += len(stored) - 1 < acked
    assert lost > 0
