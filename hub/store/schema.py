"""The tables, the migrations that make them, and how the file is opened."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

from hub.store.alerts import add_alerts
from hub.store.folder import StoreError
from hub.store.format import chunk, tiers
from hub.store.identity.rights_schema import add_enrolments, add_rights, add_token_scope
from hub.store.sizes import add_sizes
from hub.store.writing import format1

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlite_utils import Database

APPLICATION_ID = 0x4F757470
"""`Outp`: tells this file from any other SQLite file (PRAGMA application_id)."""


PAGE_BYTES = 1024
CHECKPOINT_BYTES = 7 << 19
"""So much in the WAL is carried into the database; a little less than the size the WAL is given."""


def connect(database: Path) -> sqlite3.Connection:
    """Open the file for writing: WAL, a commit returns when it is on the medium. Raises sqlite3.Error."""
    # Transactions are begun by hand; a connection moves between threads only when its former user is done.
    connection = _open(database, "rw")
    try:
        # Has a say in a new file only. Small pages: a commit writes whole ones, and a chunk's end fills half.
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        # Debian's SQLite overwrites what is deleted with zeros, which is as much again to write when samples
        # expire and with each sealing. `outpost erase` has it on.
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_BYTES // (PAGE_BYTES + 24)}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def extend_wal(connection: sqlite3.Connection, database: Path, size: int) -> None:
    """Have the WAL grow to `size` bytes once, so that commits overwrite it instead of growing the file.

    A file that grows costs the file system's journal with every commit; measured, this saves a third of
    what reaches the card. Not on a disk that is nearly full. Raises sqlite3.Error.
    """
    room = os.statvfs(database.parent)
    if size <= 0 or room.f_bavail * room.f_frsize < 16 * size:
        return
    (cache,) = connection.execute("PRAGMA cache_size").fetchone()
    # What does not fit the cache is written to the WAL before the commit, and stays there, void.
    connection.execute("PRAGMA cache_size = 10")
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO hot (data) VALUES (zeroblob(?))", (size,))
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute(f"PRAGMA cache_size = {cache}")


def connect_reader(database: Path) -> sqlite3.Connection:
    """Open the file for reading only. Raises sqlite3.Error."""
    connection = _open(database, "ro")
    connection.execute("PRAGMA query_only = ON")
    return connection


def is_at_rest(database: Path) -> bool:
    """Tell that nobody can write the file here, as on a read-only medium, and that all is in it."""
    if os.access(database.parent, os.W_OK):
        return False
    try:
        # Who only looked at it, while it could be written, leaves an empty WAL; a hub's is never empty.
        return os.path.getsize(f"{database}-wal") == 0  # noqa: PTH202 - a name, not a path, with a suffix
    except FileNotFoundError:
        return True


def check_format(database: Path) -> None:
    """Raise StoreError unless a file that cannot be migrated has this version's tables."""
    try:
        with contextlib.closing(connect_reader(database)) as connection:
            found = _version(connection)
            _check_owner(connection, database)
    except sqlite3.Error as error:
        raise StoreError(f"{database}: the database cannot be opened: {error}") from error
    if found < len(MIGRATIONS):
        raise StoreError(
            f"{database}: is of an older format ({found}) and cannot be written here; copy its folder,"
            " and name the copy"
        )


def _open(database: Path, mode: str) -> sqlite3.Connection:
    # Neither mode makes a missing file: an empty one in its place would hide that the data is gone.
    address = f"{database.absolute().as_uri()}?mode={mode}"
    if mode == "ro" and is_at_rest(database):
        address += "&immutable=1"  # else SQLite wants to make the WAL's index
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0)


def migrate(database: Path) -> None:
    """Bring the file to this version's tables, each step in one transaction. Raises StoreError."""
    try:
        connection = connect(database)
        try:
            _check_owner(connection, database)
            while _version(connection) < len(MIGRATIONS):
                _step(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"{database}: the database cannot be opened: {error}") from error


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_owner(connection: sqlite3.Connection, database: Path) -> None:
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if owner != APPLICATION_ID and not (owner == 0 and empty):
        raise StoreError(f"{database}: belongs to another program; name another folder with --data")
    if _version(connection) > len(MIGRATIONS):
        raise StoreError(
            f"{database}: was written by a newer Outpost (format {_version(connection)}, this one knows "
            f"{len(MIGRATIONS)}); update Outpost, or name another folder with --data"
        )


def _step(connection: sqlite3.Connection) -> None:
    # Costs 0.2 s and 25 MB (it pulls in numpy), and a start without migrations does without it.
    from sqlite_utils import Database  # noqa: PLC0415 - see above

    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again inside the transaction: another program may have migrated while this one waited.
        version = _version(connection)
        if version < len(MIGRATIONS):
            MIGRATIONS[version](Database(connection))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {version + 1}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _first(db: Database) -> None:
    """Format 1: a row a reading."""
    db.create_table(
        "device", {"device": str, "link": str, "birth": str, "last_seen": int}, pk="device",
        not_null=("link", "birth", "last_seen"), strict=True,
    )  # fmt: skip
    # A shape is what a reading's values are of: `metrics` is a JSON array of names.
    db.create_table(
        "shape", {"id": int, "device": str, "metrics": str}, pk="id",
        not_null=("device", "metrics"), strict=True,
    )  # fmt: skip
    db.table("shape").create_index(["device", "metrics"], unique=True)
    # `delay` is hub time minus source time, `data` a JSON array of values in the order of the shape's names.
    db.create_table(
        "reading",
        {"id": int, "shape": int, "time": int, "delay": int, "quality": int, "data": str},
        pk="id", not_null=("shape", "time", "delay", "quality", "data"), strict=True,
    )  # fmt: skip
    db.table("reading").create_index(["shape", "time"])
    db.create_table(
        "boot", {"device": str, "boot_id": str, "seq": int, "time": int}, pk=("device", "boot_id"),
        not_null=("seq", "time"), strict=True,
    )  # fmt: skip
    db.create_table(
        "command",
        {
            "id": str, "device": str, "command": str, "params": str, "ttl_ms": int, "caller": str,
            "origin": str, "key": str, "created": int, "state": str, "result": str, "error": str,
            "times": str,
        },
        pk="id", not_null=("device", "command", "params", "created", "state", "times"), strict=True,
    )  # fmt: skip
    db.table("command").create_index(["created"])
    db.table("command").create_index(["device", "created"])
    db.create_table(
        "token", {"name": str, "hash": bytes, "role": str, "created": int, "last_used": int}, pk="name",
        not_null=("hash", "role", "created"), strict=True,
    )  # fmt: skip
    db.table("token").create_index(["hash"], unique=True)
    db.create_table(
        "login",
        {"hash": bytes, "name": str, "role": str, "created": int, "last_used": int, "user_agent": str},
        pk="hash", not_null=("name", "role", "created", "last_used"), strict=True,
    )  # fmt: skip


def _second(db: Database) -> None:
    """Format 2: a hot log and compressed chunks in place of a row a reading; history is carried over."""
    db.create_table("hot", {"id": int, "data": bytes}, pk="id", not_null=("data",), strict=True)
    db.create_table(
        "chunk", {"id": int, "n": int, "data": bytes}, pk="id", not_null=("n", "data"), strict=True
    )
    db.create_table("roll", {"id": int, "data": bytes}, pk="id", not_null=("data",), strict=True)
    db.create_table("pending", {"id": int}, pk="id", strict=True)
    db.create_table(
        "source",
        {"id": int, "device": str, "newest": int},
        pk="id",
        not_null=("device", "newest"),
        strict=True,
    )
    db.table("source").create_index(["device"], unique=True)
    db.create_table(
        "last",
        {"source": int, "metric": str, "time": int, "delay": int, "quality": int, "value": str},
        pk=("source", "metric"), not_null=("time", "delay", "quality", "value"), strict=True,
    )  # fmt: skip
    db.create_table("state", {"key": str, "value": int}, pk="key", not_null=("value",), strict=True)
    db.execute("INSERT INTO state (key, value) VALUES ('generation', 0)")
    format1.carry_over(db.conn)


def _roll_anew(db: Database) -> None:
    """Have all rollups made again, since their rows changed."""
    db.execute("DELETE FROM pending")
    db.execute("DELETE FROM roll")
    for (key,) in db.execute("SELECT DISTINCT id >> 8 FROM chunk").fetchall():
        tiers.mark(db.conn, key >> 20, key & chunk.SOURCES - 1)


def _weigh(db: Database) -> None:
    """Format 6: rollups know how long values held. Those whose samples are there are made again."""
    for (key,) in db.execute("SELECT DISTINCT id >> 8 FROM chunk").fetchall():
        tiers.mark(db.conn, key >> 20, key & chunk.SOURCES - 1)


def _pack(_: Database) -> None:
    """Format 11: a row of the hot log may be MessagePack, which who knows format 10 would leave out."""


MIGRATIONS: tuple[Callable[[Database], None], ...] = (
    *(_first, _second, _roll_anew, add_rights, _roll_anew),
    _weigh,
    add_alerts,
    add_sizes,
    add_token_scope,
    add_enrolments,
    _pack,
)
"""In order; `PRAGMA user_version` counts those done. Never change one that was released: add another."""
