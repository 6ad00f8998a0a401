"""Waits for the birth of a board that was just started: a session of its own, which acknowledges nothing."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from hub.links.boards import birth_of
from hub.links.serial_port import Port, PortAbsent, PortUnusable, opened
from hub.links.session import TICK_S, monotonic_ms
from hub.model import OutpostError
from hub.wire.events import Opened, Printed, Trouble
from hub.wire.hub_session import HubSession
from hub.wire.known import Known

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.model import Birth

log = logging.getLogger(__name__)

RETRY_S = 0.1
LINES = 12


class NoBirth(OutpostError):
    """No board said who it is in time; the message carries what it printed instead."""


async def first_birth(find: Callable[[], str | None], timeout_s: float) -> Birth:
    """Return the birth of the board at the port that `find` returns. Raises NoBirth.

    `find` is asked in a thread, again and again: a port goes and comes back, maybe by another name, while its
    board restarts.
    """
    lines: deque[str] = deque(maxlen=LINES)
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                birth = await _try(find, lines)
                if birth is not None:
                    return birth
                await asyncio.sleep(RETRY_S)
    except TimeoutError as error:
        said = "\n  ".join(["it printed:", *lines]) if lines else "it printed nothing"
        raise NoBirth(f"the board did not say who it is within {timeout_s:.0f} s; {said}") from error


async def _try(find: Callable[[], str | None], lines: deque[str]) -> Birth | None:
    """Open the port and listen until the birth; None where the port is away or goes."""
    path = await asyncio.to_thread(find)
    if path is None:
        return None
    try:
        fd = await opened(path)
    except (PortAbsent, PortUnusable) as error:
        log.debug("flash: %s", error)
        return None
    session = HubSession(Known(), lambda _uid, _boot: -1, lambda _uid: None, monotonic_ms())
    lost = asyncio.Event()
    port = Port(fd, received=lambda data: session.feed(data, monotonic_ms()), lost=lambda _reason: lost.set())
    try:
        while not lost.is_set():
            session.tick(monotonic_ms())
            birth = _birth(session, lines)
            if birth is not None:
                return birth
            port.write(session.data_to_send())
            await asyncio.sleep(TICK_S)
    finally:
        port.close()
    return None


def _birth(session: HubSession, lines: deque[str]) -> Birth | None:
    for event in session.events():
        if isinstance(event, Opened):
            return birth_of(event)
        if isinstance(event, (Printed, Trouble)):
            lines.append(event.text)
    return None
