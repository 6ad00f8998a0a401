"""Fakes that several tests share, and the one way in which a test waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hub.model import Command, LinkKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.links.link import Sink


async def until(condition: Callable[[], object], timeout_s: float = 10) -> None:
    """Wait until `condition()` is true. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.002)


class FakeLink:
    """A fake device link: answers, refuses or stays silent, as the test says. No hardware, no wire."""

    kind = LinkKind.SERIAL
    name = "fake"

    def __init__(self) -> None:
        self.sent: list[Command] = []
        self.acks: list[tuple[str, str, int]] = []
        self.cancelled: list[str] = []
        self.forgotten: list[str] = []
        self.clears = True
        self.answer: Callable[[Command], Any] = lambda command: dict(command.params)
        self.gate: asyncio.Event | None = None
        """Where set, an answer waits for it."""

    async def run(self, sink: Sink) -> None:
        """Do nothing: a test publishes by itself."""

    async def send(self, command: Command) -> Any:
        """Remember the command and answer as the test says."""
        self.sent.append(command)
        if self.gate is not None:
            await self.gate.wait()
        return self.answer(command)

    def cancel(self, command_id: str) -> None:
        """Remember what was asked for."""
        self.cancelled.append(command_id)

    def ack(self, device: str, boot_id: str, seq: int, *, again: bool = False) -> None:
        """Remember the ack."""
        self.acks.append((device, boot_id, seq))

    def forget(self, device: str) -> bool:
        """Remember of what nothing is to be known, and say what the test says."""
        self.forgotten.append(device)
        return self.clears
