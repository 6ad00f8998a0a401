"""Idempotency: the same caller's same key is the same command, and gets the first one's result."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from hub.commands.errors import BadParams

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.model import Command, CommandResult

REMEMBERED_KEYS = 1000


class First(NamedTuple):
    """The first command of a key, and its end."""

    command: Command
    outcome: asyncio.Future[CommandResult]


class Keys:
    """The newest REMEMBERED_KEYS keyed commands, under way or done."""

    def __init__(self) -> None:
        self._first: OrderedDict[tuple[str, str], First] = OrderedDict()

    def find(
        self, caller: str, key: str | None, device: str, command: str, params: Mapping[str, Any]
    ) -> First | None:
        """Return the first command of that key. Raises BadParams where it was another command."""
        found = None if key is None else self._first.get((caller, key))
        if found is None:
            return None
        first = found.command
        if (first.device, first.command, first.params) != (device, command, dict(params)):
            raise BadParams("key: it was used for another command; a new command needs a new key")
        return found

    def remember(self, command: Command, outcome: asyncio.Future[CommandResult]) -> None:
        """Keep a command where it has a key, and forget the oldest."""
        if command.key is None:
            return
        self._first[command.caller, command.key] = First(command, outcome)
        while len(self._first) > REMEMBERED_KEYS:
            self._first.popitem(last=False)


def done(result: CommandResult) -> asyncio.Future[CommandResult]:
    """Return a future that has its result."""
    future: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
    future.set_result(result)
    return future
