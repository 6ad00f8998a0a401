"""A board of files of its own on the real VM, and a hub's session on its port."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING, Any

from hil.virtual import image
from hil.virtual.board import VirtualBoard
from hub.wire.events import Answered, Taken
from hub.wire.hub_session import HubSession
from hub.wire.known import Known

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.wire.events import Event


class Host:
    """A hub without a hub: one session on whatever port the board has now."""

    def __init__(self, folder: Path, configuration: dict[str, Any]) -> None:
        image.assemble(folder / "flash", configuration)
        self.link = folder / "tty"
        self.board = VirtualBoard(folder / "flash", link=self.link)
        self.events: list[Event] = []
        self._fd: int | None = None
        self.session = HubSession(Known(), lambda uid, boot: -1, lambda uid: None, self._now_ms())

    def _now_ms(self) -> float:
        return time.monotonic() * 1000

    def until(self, found: Callable[[], Any], timeout_s: float = 30) -> Any:
        """Serve the port until `found` returns something true."""
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            self._serve()
            got = found()
            if got:
                return got
        raise AssertionError(f"not within {timeout_s} s; the last events: {self.events[-5:]}")

    def command(self, name: str, **params: Any) -> Answered:
        """Send a command and return its answer."""
        command_id = f"c{len(self.events)}"
        self.session.send(command_id, name, params, 10_000, self._now_ms())
        answer = self.until(lambda: [a for a in self.of(Answered) if a.command_id == command_id])
        found: Answered = answer[0]
        return found

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def values(self, metric: str) -> list[Any]:
        return [
            taken.values[taken.group.names.index(metric)]
            for taken in self.of(Taken)
            if metric in taken.group.names
        ]

    def press(self, keys: bytes) -> None:
        """Type at the board's console."""
        self.until(lambda: self._fd is not None)
        assert self._fd is not None
        os.write(self._fd, keys)

    def hang_up(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _serve(self) -> None:
        try:
            if self._fd is None:
                self._fd = os.open(self.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            if select.select([self._fd], [], [], 0.02)[0]:
                self.session.feed(os.read(self._fd, 4096), self._now_ms())
            self.session.tick(self._now_ms())
            data = self.session.data_to_send()
            if data:
                os.write(self._fd, data)
        except OSError:
            self.hang_up()
            self.session.close("unplugged")
            time.sleep(0.02)
        for event in self.session.events():
            self.events.append(event)
            if isinstance(event, Taken) and self.session.boot_id is not None:
                self.session.ack(self.session.boot_id, event.seq)
