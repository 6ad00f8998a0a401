"""Who is known to the hub: users with a password, API tokens, sessions of browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.store.folder import prepare
from hub.store.identity.kept import Kept
from hub.store.identity.sessions import Sessions
from hub.store.identity.tokens import Tokens
from hub.store.identity.users import Users
from hub.store.schema import migrate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hub.model import Role


class Accounts:
    """Users, tokens and sessions in the store's file."""

    def __init__(self, database: Path) -> None:
        self._kept = Kept(database)
        self.users = Users(database)
        self.tokens = Tokens(database, self._kept)
        self.sessions = Sessions(database, self._kept)

    @classmethod
    def open(cls, folder: Path) -> Accounts:
        """Open the accounts of a data folder, beside a running hub or without one. Raises StoreError."""
        database = prepare(folder)
        migrate(database)
        return cls(database)

    def close(self) -> None:
        """Close the file, which stays open between the questions of requests."""
        self._kept.close()

    def holding(self, credentials: Iterable[bytes], now_ms: int) -> dict[bytes, Role]:
        """Return the roles of the fingerprints whose token or session holds now, which is a use.

        Raises StoreError.
        """
        held: dict[bytes, Role] = {}
        with self._kept.opened() as connection:
            for known in credentials:
                role = self.tokens.role_of(connection, known)
                if role is None:
                    role = self.sessions.role_of(connection, known, now_ms)
                if role is not None:
                    held[known] = role
        return held
