"""Revocation: what was opened with a token or a session ends with it, whoever revoked it by which way."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from hub.store.folder import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hub.model import Role

log = logging.getLogger(__name__)

CHECK_S = 0.25
"""How often what is open is held against the accounts: another process may have revoked it."""


class Held:
    """Something that is open by a credential, and how it is ended."""

    def __init__(
        self, credential: bytes, role: Role, end: Callable[[], None], alive: Callable[[], bool]
    ) -> None:
        self.credential = credential
        self.role = role
        self.end = end
        self.alive = alive


class Revocation:
    """Everything that is open, by credential. Loop thread only.

    `holding` tells which of some credentials hold now, and with which roles; it may raise StoreError. What
    was opened under another role than the credential has now ends too: who may still do it opens it anew.
    """

    def __init__(self, holding: Callable[[Iterable[bytes]], Mapping[bytes, Role]]) -> None:
        self._holding = holding
        self._held: set[Held] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._failing = False

    def hold(
        self,
        credential: bytes,
        role: Role,
        end: Callable[[], None],
        alive: Callable[[], bool] = lambda: True,
    ) -> Held:
        """End something when its credential does, by `end`, called once; forget it when it is not `alive`."""
        held = Held(credential, role, end, alive)
        self._held.add(held)
        if self._timer is None:
            self._schedule()
        return held

    def release(self, held: Held) -> None:
        """Forget what ended by itself."""
        self._held.discard(held)

    @contextmanager
    def during(self, request: web.Request, credential: bytes, role: Role) -> Iterator[None]:
        """Cut a request when its credential ends; a kinder end goes to `request[HELD].end`."""
        held = self.hold(credential, role, lambda: cut(request))
        request[HELD] = held
        try:
            yield
        finally:
            self.release(held)

    def check(self) -> None:
        """End at once what is open by a credential that does not hold any more, or not as it did."""
        self._held = {held for held in self._held if held.alive()}
        try:
            holding = self._holding({held.credential for held in self._held}) if self._held else {}
        except StoreError as error:
            # New requests get no answer meanwhile; what was let in stays until its end is known.
            if not self._failing:
                log.error("whether tokens and sessions hold cannot be checked: %s", error)
            self._failing = True
            return
        self._failing = False
        ended = [held for held in self._held if holding.get(held.credential) is not held.role]
        for held in ended:
            self._held.discard(held)
            held.end()
        if ended:
            log.info("%d open connections were ended with their token or session", len(ended))

    def close(self) -> None:
        """Check no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(CHECK_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.check()
        if self._held:
            self._schedule()


REVOCATION: web.AppKey[Revocation] = web.AppKey("revocation")
HELD: web.RequestKey[Held] = web.RequestKey("held")


def cut(request: web.Request) -> None:
    """End a request in the middle, with its connection."""
    if request.transport is not None:
        request.transport.abort()
    request.task.cancel()


def done(request: web.Request) -> web.Response:
    """Answer that rights were changed, and then end what lost them: the caller may have revoked itself."""
    asyncio.get_running_loop().call_soon(request.app[REVOCATION].check)
    return web.Response(status=204)
