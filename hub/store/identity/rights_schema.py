"""The tables of rights: users with passwords, the security event log, what tokens are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


def add_rights(db: Database) -> None:
    """Add the tables; a step of `hub.store.schema`."""
    db.create_table(
        "user", {"name": str, "hash": str, "role": str, "created": int, "last_login": int}, pk="name",
        not_null=("hash", "role", "created"), strict=True,
    )  # fmt: skip
    db.create_table(
        "security_event",
        {"id": int, "time": int, "kind": str, "actor": str, "address": str, "detail": str},
        pk="id", not_null=("time", "kind", "actor", "address", "detail"), strict=True,
    )  # fmt: skip
    db.table("command").create_index(["caller", "key"])


def add_token_scope(db: Database) -> None:
    """Let tokens be for some devices only: `scope` is JSON, NULL where a token is for all."""
    db.table("token").add_column("scope", str)


def add_enrolments(db: Database) -> None:
    """Add the decisions about boards. Those that the hub knew before there were any stay accepted."""
    db.create_table(
        "enrolment",
        {"device": str, "accepted": int, "key": bytes, "next_key": bytes, "time": int, "by": str},
        pk="device", not_null=("accepted", "time", "by"), strict=True,
    )  # fmt: skip
    db.execute(
        "INSERT INTO enrolment (device, accepted, time, by)"
        " SELECT device, 1, last_seen, 'hub' FROM device WHERE link = 'serial'"
        " OR (link = 'mqtt' AND json_valid(birth) AND json_extract(birth, '$.boot_id') IS NOT NULL)"
    )
