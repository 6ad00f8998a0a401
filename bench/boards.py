"""Virtual boards in the bench's own process, with an ear on what each writes to its cable and when."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hil.virtual.board import VirtualBoard
from hil.virtual.image import assemble, demo_configuration
from hub.wire.events import Taken
from hub.wire.hub_session import HubSession
from hub.wire.known import Known

if TYPE_CHECKING:
    from collections.abc import Iterator


class TappedBoard:
    """A virtual board of which it is known at what moment it wrote which bytes."""

    def __init__(self, folder: Path, number: int) -> None:
        self.uid = f"e66141d0be4c{number:04x}"
        self.link = folder / f"tty-{number}"
        flash = folder / f"flash-{number}"
        flash.mkdir()
        assemble(flash, demo_configuration(f"Bench {number}"))
        self.board = VirtualBoard(flash, uid=self.uid, link=self.link)
        self.written: list[tuple[float, bytes]] = []
        """(monotonic seconds, bytes), as the board wrote them."""
        write = self.board.cable.write

        def tapped(data: bytes) -> None:
            self.written.append((time.monotonic(), data))
            write(data)

        self.board.cable.write = tapped  # type: ignore[method-assign]  # the tap, on this one object

    def sent_at(self, metric: str) -> dict[float, float]:
        """Return value → monotonic seconds at which the board began to write it. The values are unique."""
        session = HubSession(Known(), lambda _uid, _boot: -1, lambda _uid: None, 0, frames_per_s=10**9)
        sent: dict[float, float] = {}
        began = 0.0
        for moment, data in list(self.written):
            if data[:1] == b"\x1e":
                began = moment
            session.feed(data, moment * 1000)
            for event in session.events():
                if isinstance(event, Taken) and metric in event.group.names:
                    value = event.values[event.group.names.index(metric)]
                    if isinstance(value, int | float):
                        sent.setdefault(value, began or moment)
        return sent


@contextmanager
def boards(count: int) -> Iterator[list[TappedBoard]]:
    """Run `count` virtual boards until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="outpost-bench-") as name, ExitStack() as stack:
        running = [TappedBoard(Path(name), number) for number in range(1, count + 1)]
        for tapped in running:
            tapped.board.start()
            stack.callback(tapped.board.stop)
        yield running


def config(running: list[TappedBoard]) -> str:
    """Return a configuration that reaches these boards and nothing else."""
    ports = ", ".join(f'"{tapped.link}"' for tapped in running)
    return f"[serial]\nports = [{ports}]\nenrolment = 'off'\n[mqtt]\nenabled = false\n"
