"""The rules of retention that act: the configuration's, or those that an admin put in their place."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from hub.config import ConfigError, RetentionConfig
from hub.config.retention import check_retention
from hub.model import OutpostError
from hub.store import alerts as table
from hub.store.alerts import Document
from hub.store.lifetime.policy import Policy

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from hub.store.lifetime.forecast import Forecast
    from hub.store.writing.intake import Statement

log = logging.getLogger(__name__)

_KIND = _ID = "retention"
_WHERE = "these rules"


T = TypeVar("T")


class Ruled(Protocol):
    """What goes by the rules, and keeps those that were put: the store, which holds its `Keeping` itself."""

    def adopt(self, policy: Policy) -> None:
        """Go by other rules."""

    def record(self, key: str, statements: list[Statement]) -> None:
        """Have statements committed soon."""

    async def ask(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query. Raises StoreError."""

    async def forecast(self, tried: Policy | None = None) -> Forecast:
        """Return what rules would delete. Raises QueryRefused, StoreError."""


class KeepingChanged(OutpostError):
    """The rules are not at the version that the caller has seen."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The rules, and whether they are the configuration's. `version` counts changes; 0: never changed."""

    version: int
    configured: bool
    rules: RetentionConfig


class Keeping:
    """Change and try the rules of a store. Loop thread only.

    What is changed acts an hour later, as after a change of the configuration, and outlives a restart.
    """

    def __init__(self, store: Ruled, configured: Policy, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._configured = configured
        self._now_ms = now_ms
        self._version = 0
        self._own: RetentionConfig | None = None

    async def load(self) -> None:
        """Let the rules act that were put in the configuration's place. Raises StoreError."""
        for document in await self._store.ask(lambda connection: table.documents(connection, _KIND)):
            self._version = document.version
            try:
                if document.body is not None:
                    own = msgspec.convert(document.body, RetentionConfig)
                    self._act(own)
                    self._own = own
            except (ConfigError, msgspec.ValidationError) as error:
                log.error("the rules of retention that were set cannot be used; the file's act: %s", error)

    def now(self) -> Kept:
        """Return the rules that act, or will."""
        return Kept(
            version=self._version,
            configured=self._own is None,
            rules=self._own or self._configured.retention,
        )

    async def preview(self, rules: RetentionConfig) -> Forecast:
        """Return what rules would delete. Raises ConfigError, QueryRefused, StoreError."""
        return await self._store.forecast(self._checked(rules))

    def put(self, rules: RetentionConfig | None, version: int | None = None) -> Kept:
        """Put rules in place of those that act; None: the configuration's again.

        With a `version` only where they are at that. Raises ConfigError, KeepingChanged.
        """
        if version is not None and version != self._version:
            raise KeepingChanged(
                f"the rules were changed by somebody else: they are at version {self._version}, not {version}"
            )
        self._act(rules)
        self._version += 1
        self._own = rules
        body = None if rules is None else msgspec.to_builtins(rules)
        document = Document(id=_ID, version=self._version, updated_time=self._now_ms(), body=body)
        self._store.record("the rules of retention", table.put_document(_KIND, document))
        return self.now()

    def _act(self, rules: RetentionConfig | None) -> None:
        self._store.adopt(self._configured if rules is None else self._checked(rules))

    def _checked(self, rules: RetentionConfig) -> Policy:
        check_retention(rules, self._configured.tags, _WHERE)
        return Policy(rules, self._configured.tags)
