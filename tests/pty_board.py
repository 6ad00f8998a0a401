"""A scripted board at the end of a pty: the wire's own board session, without firmware and VM around it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import tty
from typing import TYPE_CHECKING, Any

from hub.wire.board_session import BoardSession
from hub.wire.message import dumps, payload, reading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BIRTH: dict[str, Any] = {
    "name": "bench",
    "model": "pty",
    "firmware": "scripted",
    "groups": [
        {
            "interval_ms": 100,
            "metrics": [
                {"name": "sequence"},
                {"name": "temperature", "unit": "°C", "decimals": 2},
                {"name": "door", "kind": "boolean"},
                {"name": "mode", "kind": "enum", "options": ["off", "on"]},
            ],
        }
    ],
    "commands": [{"name": "led", "params": {"type": "object"}}],
}


class MemoryOutbox:
    """Readings in a dict until they are acknowledged."""

    def __init__(self) -> None:
        self.first_seq = 0
        self.next_seq = 0
        self.dropped = 0
        self._kept: dict[int, bytes] = {}

    def put(self, ticks: int, values: list[int | str | None]) -> None:
        self._kept[self.next_seq] = payload(reading(self.next_seq, ticks, 0, values))
        self.next_seq += 1

    def get(self, seq: int) -> bytes | None:
        return self._kept.get(seq)

    def forget(self, before_seq: int) -> None:
        for seq in range(self.first_seq, min(before_seq, self.next_seq)):
            del self._kept[seq]
        self.first_seq = max(self.first_seq, min(before_seq, self.next_seq))


class PtyBoard:
    """A board that is plugged in by `plug` and out by `unplug`; `link` leads to its pty.

    `answer(name, params)` gives a command's `(ok, value)`, or None for silence.
    """

    def __init__(
        self,
        link: Path,
        *,
        uid: str = "e66100000000000a",
        boot_id: str = "0000b001",
        answer: Callable[[str, dict[str, Any]], tuple[bool, Any] | None] = lambda _name, _params: (
            True,
            None,
        ),
        birth: dict[str, Any] | None = None,
    ) -> None:
        self.uid = uid
        self.link = link
        self.outbox = MemoryOutbox()
        self.commands: list[tuple[str, dict[str, Any]]] = []
        text = dumps(["birth", BIRTH if birth is None else birth])
        self.session = BoardSession(uid, boot_id, "power", lambda: [text], self.outbox)
        self._answer = answer
        self._start_s = time.monotonic()
        self._fds: tuple[int, int] | None = None
        self._task: asyncio.Task[None] | None = None

    def plug(self) -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        # Without an opened slave a master reports a hang-up; the board's end keeps one of its own.
        self._fds = (master, slave)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(slave))
        self._task = asyncio.create_task(self._run(master))

    async def unplug(self) -> None:
        if self._task is None or self._fds is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self.link.unlink(missing_ok=True)
        for fd in self._fds:
            os.close(fd)
        self._task = self._fds = None

    def take(self, count: int = 1) -> None:
        """Take `count` samples; the first value is the reading's number."""
        for _ in range(count):
            self.outbox.put(self._ticks(), [self.outbox.next_seq, 2150, 1, 0])

    def write(self, data: bytes) -> None:
        """Write raw bytes, as a print or a fault would."""
        assert self._fds is not None
        os.write(self._fds[0], data)

    def _ticks(self) -> int:
        return int((time.monotonic() - self._start_s) * 1000)

    async def _run(self, master: int) -> None:
        while True:
            with contextlib.suppress(BlockingIOError):
                self.session.feed(os.read(master, 4096), self._ticks())
            for command_id, name, params in self.session.commands:
                self.commands.append((name, params))
                answer = self._answer(name, params)
                if answer is not None:
                    self.session.answer(command_id, *answer)
            self.session.commands.clear()
            with contextlib.suppress(BlockingIOError):
                while (frame := self.session.next_frame(self._ticks())) is not None:
                    os.write(master, frame)
            await asyncio.sleep(0.002)
