"""Datasette's plugin (https://docs.datasette.io): the view `samples` in every store that it opens.

It is found by the entry point in pyproject.toml, so `datasette outpost.db` suffices where both are installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasette import hookimpl

from hub.store.schema import APPLICATION_ID
from hub.store.shell import add_view

if TYPE_CHECKING:
    import sqlite3

QUESTIONS = {
    "samples_of": {
        "title": "Samples of a metric in a span (UTC, as 2026-11-20; until 9999: to the newest)",
        "sql": "SELECT utc, value, quality FROM samples WHERE device = :device AND metric = :metric"
        " AND chunk BETWEEN chunk_at(:since) AND chunk_until(:until)"
        " AND utc BETWEEN :since AND :until ORDER BY time LIMIT 10000",
    },
    "last_samples": {
        "title": "The last sample of each metric that is sealed",
        "sql": "SELECT device, metric, datetime(time / 1000, 'unixepoch') AS utc, value FROM last"
        " JOIN source ON source.id = source ORDER BY device, metric",
    },
}


@hookimpl  # type: ignore[untyped-decorator] # Datasette publishes no types
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Give a store's connection its view; leave other databases alone."""
    if _is_store(conn):
        add_view(conn)


@hookimpl  # type: ignore[untyped-decorator] # see above
def canned_queries(datasette: object, database: str) -> object:
    """Offer questions on a store's page."""

    async def found() -> dict[str, dict[str, str]]:
        opened = datasette.get_database(database)  # type: ignore[attr-defined] # see above
        return QUESTIONS if await opened.execute_fn(_is_store) else {}

    return found


def _is_store(connection: sqlite3.Connection) -> bool:
    row = connection.execute("PRAGMA application_id").fetchone()
    return row is not None and row[0] == APPLICATION_ID
