"""The secrets of tokens and of sessions: looked up, and their use noted. Only hashes are kept.

A secret is 256 random bits, so a plain SHA-256 is enough to keep it (nobody can guess its input), and quick.
"""

from __future__ import annotations

import contextlib
import hmac
from typing import TYPE_CHECKING, Any

from hub.store.folder import StoreError
from hub.store.identity.rights import fingerprint, opened

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

USED_MS = 60_000
"""A use is noted again after so long."""
_MAX_SECRET = 128


def find(connection: sqlite3.Connection, sql: str, plain: str) -> tuple[Any, ...] | None:
    """Return the row that `sql` finds by the hash of a secret, its first column; None without one."""
    if len(plain) > _MAX_SECRET:
        return None
    known = fingerprint(plain)
    row: tuple[Any, ...] | None = connection.execute(sql, (known,)).fetchone()
    # The index finds by hash, which tells a guesser nothing; the last word is a comparison in constant time.
    return row if row is not None and hmac.compare_digest(row[0], known) else None


def note_use(database: Path, sql: str, parameters: tuple[int, bytes]) -> None:
    """Record a use where it costs no wait, for the disk or for the writer, and the disk is not full."""
    # On a connection of its own, since the one that stays open keeps what is set here.
    with contextlib.suppress(StoreError), opened(database) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute(sql, parameters)
