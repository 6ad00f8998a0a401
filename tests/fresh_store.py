"""A real store made cheaply, for the tests of the rooms around it."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hub.store.folder import DATABASE, prepare
from hub.store.schema import migrate
from hub.store.settings import StoreSettings
from hub.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.health import Health


def open_fresh(
    folder: Path, *, health: Health, now_ms: Callable[[], int], settings: StoreSettings | None = None
) -> Store:
    """Open a store as `Store.open` does; a new one from a file with all tables, its log of no set size.

    Both are half of what such a test takes otherwise. What proves the tables' making, the log or the start of
    a hub calls `Store.open` itself.
    """
    if not (folder / DATABASE).exists():
        prepare(folder).write_bytes(_empty())
    wanted = msgspec.structs.replace(settings or StoreSettings(), wal_bytes=0)
    return Store.open(folder, health=health, now_ms=now_ms, settings=wanted)


@functools.cache
def _empty() -> bytes:
    # Each process makes its own, by the migrations as they are now.
    with tempfile.TemporaryDirectory() as folder:
        database = prepare(Path(folder))
        migrate(database)
        return database.read_bytes()
