"""Alerts, the rules that raise them, and what devices should be: kept over restarts.

Rules and desired values are documents to the store: what they mean is for the rooms that own them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from hub.store.format.hotlog import clean
from hub.store.queries.cursors import row_before

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils import Database

    from hub.store.writing.intake import Statement

KEPT_ALERTS = 20_000
"""The history keeps the newest of them."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule raised: where, when, by which value, who saw it, and when it was well again."""

    id: str
    rule: str
    title: str
    severity: str
    device: str
    metric: str
    text: str
    """What happened, for people."""
    value: float | int | bool | str | None = None
    """The value that raised it."""
    raised_time: int
    acknowledged_time: int | None = None
    acknowledged_by: str | None = None
    cleared_time: int | None = None
    cleared_why: str | None = None


class AlertFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts: all where nothing is named; `active`: not cleared yet; `within`: of these devices."""

    active: bool | None = None
    rule: str | None = None
    device: str | None = None
    within: tuple[str, ...] | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, or a device's desired values: `body` as its room wrote it, `version` counts its changes."""

    id: str
    version: int
    updated_time: int
    body: Any


def add_alerts(db: Database) -> None:
    """Make the tables of alerts, rules and desired values."""
    db.create_table(
        "alert",
        {"id": str, "rule": str, "device": str, "raised": int, "cleared": int, "body": str},
        pk="id", not_null=("rule", "device", "raised", "body"), strict=True,
    )  # fmt: skip
    db.table("alert").create_index(["raised"])
    db.create_table(
        "document",
        {"kind": str, "id": str, "version": int, "updated": int, "body": str},
        pk=("kind", "id"), not_null=("version", "updated", "body"), strict=True,
    )  # fmt: skip


def put(alert: Alert) -> list[Statement]:
    """Return what records an alert as it is now, and forgets the oldest."""
    body = _json(msgspec.to_builtins(alert))
    return [
        (
            "INSERT INTO alert (id, rule, device, raised, cleared, body) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET cleared = excluded.cleared, body = excluded.body",
            (alert.id, clean(alert.rule), clean(alert.device), alert.raised_time, alert.cleared_time, body),
        ),
        (
            "DELETE FROM alert WHERE cleared IS NOT NULL AND rowid <= (SELECT max(rowid) FROM alert) - ?",
            (KEPT_ALERTS,),
        ),
    ]


def alerts(
    connection: sqlite3.Connection, wanted: AlertFilter, limit: int, before: str | None
) -> tuple[list[Alert], str | None]:
    """Return alerts, newest first, and the cursor to older ones. Raises QueryRefused."""
    active = None if wanted.active is None else int(wanted.active)
    rows = connection.execute(
        "SELECT rowid, body FROM alert WHERE (?1 IS NULL OR (cleared IS NULL) = ?1)"
        " AND (?2 IS NULL OR rule = ?2) AND (?3 IS NULL OR device = ?3) AND rowid < ?4"
        " AND (?6 IS NULL OR device IN (SELECT value FROM json_each(?6)))"
        " ORDER BY rowid DESC LIMIT ?5",
        (
            active,
            None if wanted.rule is None else clean(wanted.rule),
            None if wanted.device is None else clean(wanted.device),
            row_before(before),
            limit + 1,
            None if wanted.within is None else _json([*map(clean, wanted.within)]),
        ),
    ).fetchall()
    items = [msgspec.convert(json.loads(body), Alert) for _, body in rows[:limit]]
    return items, str(rows[limit - 1][0]) if len(rows) > limit else None


def put_document(kind: str, document: Document) -> list[Statement]:
    """Return what records a document in place of the one of its kind and id."""
    return [
        (
            "INSERT INTO document (kind, id, version, updated, body) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version,"
            " updated = excluded.updated, body = excluded.body",
            (kind, clean(document.id), document.version, document.updated_time, _json(document.body)),
        )
    ]


def drop_document(kind: str, identity: str) -> list[Statement]:
    """Return what forgets a document."""
    return [("DELETE FROM document WHERE kind = ? AND id = ?", (kind, clean(identity)))]


def documents(connection: sqlite3.Connection, kind: str) -> list[Document]:
    """Return all documents of a kind, by id."""
    return [
        Document(id=identity, version=version, updated_time=updated, body=json.loads(body))
        for identity, version, updated, body in connection.execute(
            "SELECT id, version, updated, body FROM document WHERE kind = ? ORDER BY id", (kind,)
        )
    ]


def _json(value: Any) -> str:
    # The standard library's writer, since its ASCII escapes keep what no UTF-8 text can (lone surrogates).
    return json.dumps(value, separators=(",", ":"))
