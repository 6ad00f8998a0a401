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
