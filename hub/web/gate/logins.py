"""What bounds the checking of passwords: how often somebody may try, and how many are hashed at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from hub.store.identity.rights import SecurityKind
from hub.store.identity.users import verify
from hub.web.gate.address import address_of, neighbourhood
from hub.web.gate.trail import tell
from hub.web.gate.tries import TooManyTries, Tries
from hub.web.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

HASHES_AT_ONCE = 2
HASHES_WAITING = 8


class Logins:
    """What bounds logins: tries by address and by account, and hashes at a time."""

    def __init__(self) -> None:
        self.tries = Tries()
        self._turn = asyncio.Semaphore(HASHES_AT_ONCE)
        self._waiting = 0

    async def fits(self, hashed: str | None, password: str) -> bool:
        """Check a password in its turn. Raises Problem 503 where too many wait."""
        return await self.in_turn(lambda: verify(hashed, password))

    async def in_turn(self, work: Callable[[], bool]) -> bool:
        """Do what costs a hash, in a thread, in its turn. Raises Problem 503 where too many wait."""
        if self._waiting >= HASHES_WAITING:
            raise Problem(503, "too many logins at once; try again", headers={"Retry-After": "1"})
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


LOGINS: web.AppKey[Logins] = web.AppKey("logins")


def take_try(request: web.Request, name: str, now_ms: int) -> tuple[str, ...]:
    """Count a try by address and by account, and return their names, to give it back. Raises Problem 429."""
    names = (f"address {neighbourhood(address_of(request))}", f"user {name}")
    try:
        request.app[LOGINS].tries.take(names, now_ms)
    except TooManyTries as error:
        tell(request, SecurityKind.LOGIN_REFUSED, "too many tries", actor=f"user:{name}")
        wait_s = max(1, -(-error.wait_ms // 1000))
        raise Problem(429, str(error), headers={"Retry-After": str(wait_s)}) from error
    return names
