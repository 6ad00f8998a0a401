"""The security log as the web room writes it: every login and change, and refusals at a bounded pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from hub.store.identity.rights import SecurityEvent, SecurityKind
from hub.web.gate.address import address_of
from hub.web.gate.tries import TooManyTries, Tries, Window
from hub.web.parts import IDENTITY, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable

REFUSALS = Window(30, 60_000)
"""So many refusals are worth a line each; of the others, their number is."""
_REFUSED = (SecurityKind.LOGIN_REFUSED, SecurityKind.REQUEST_REFUSED)


class Trail:
    """Writes events; a flood of refusals cannot push all else out of the log."""

    def __init__(self, put: Callable[[SecurityEvent], None]) -> None:
        self._put = put
        self._pace = Tries((REFUSALS,))
        self._untold = 0

    def tell(self, event: SecurityEvent) -> None:
        """Record an event."""
        if event.kind not in _REFUSED:
            self._put(event)
            return
        try:
            self._pace.take(("refusals",), event.time)
        except TooManyTries:
            self._untold += 1
            return
        more = f" (and {self._untold} refusals before, not listed)" if self._untold else ""
        self._untold = 0
        self._put(
            SecurityEvent(
                time=event.time,
                kind=event.kind,
                actor=event.actor,
                address=event.address,
                detail=event.detail[:120] + more,
            )
        )


TRAIL: web.AppKey[Trail] = web.AppKey("trail")


def tell(request: web.Request, kind: SecurityKind, detail: str = "", *, actor: str | None = None) -> None:
    """Record what a request did, under its caller's name where it has one."""
    if actor is None:
        identity = request.get(IDENTITY)
        actor = identity.name if identity is not None else "nobody"
    request.app[TRAIL].tell(
        SecurityEvent(
            time=parts_of(request).now_ms(),
            kind=kind,
            actor=actor,
            address=address_of(request),
            detail=detail,
        )
    )
