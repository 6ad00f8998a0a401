"""Idempotency: the same caller's same key is the same command, and gets the first one's result."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from hub.commands.errors import BadParams

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.model import CommandResult

REMEMBERED_KEYS = 1000


class Keys:
    """The newest REMEMBERED_KEYS keyed commands, under way or done."""

    def __init__(self) -> None:
        self._first: OrderedDict[tuple[str, str], tuple[object, asyncio.Future[CommandResult]]] = (
            OrderedDict()
        )

    def find(
        self, caller: str, key: str, device: str, command: str, params: Mapping[str, Any]
    ) -> asyncio.Future[CommandResult] | None:
        """Return the first command of that key. Raises BadParams where it was another command."""
        found = self._first.get((caller, key))
        if found is None:
            return None
        if found[0] != (device, command, dict(params)):
            raise BadParams("key: it was used for another command; a new command needs a new key")
        return found[1]

    def remember(
        self,
        caller: str,
        key: str,
        device: str,
        command: str,
        params: Mapping[str, Any],
        outcome: asyncio.Future[CommandResult],
    ) -> None:
        """Keep a keyed command, and forget the oldest."""
        self._first[caller, key] = ((device, command, dict(params)), outcome)
        while len(self._first) > REMEMBERED_KEYS:
            self._first.popitem(last=False)


def done(result: CommandResult) -> asyncio.Future[CommandResult]:
    """Return a future that has its result."""
    future: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
    future.set_result(result)
    return future
