"""Boards that send as fast as the hub takes it, on ptys, in a process of their own.

load_boards.py COUNT WINDOW [RATE]  prints the path of each port; runs until its stdin ends. Of each board
                                    WINDOW readings may wait for their ack; RATE a second are made, without
                                    end if it is left out.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import subprocess
import sys
import time
import tty
from typing import TYPE_CHECKING

from bench.workload import METRICS
from hub.wire.board_session import BoardSession
from hub.wire.message import dumps

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 4096
_DECIMALS = {"temperature": 2, "humidity": 1, "pressure": 2, "battery": 3, "vibration": 3, "moisture": 1}
_BIRTH = dumps(
    [
        "birth",
        {
            "name": "load",
            "groups": [
                {
                    "interval_ms": 5,
                    "metrics": [{"name": name, "decimals": _DECIMALS.get(name, 0)} for name in METRICS],
                }
            ],
        },
    ]
)


class _Outbox:
    """Readings of ten metrics each, made when they are asked for; no more wait than the window allows."""

    def __init__(self, window: int, rate: float) -> None:
        self.first_seq = 0
        self.dropped = 0
        self._window = window
        self._rate = rate
        self._began_s = time.monotonic()
        self.next_seq = 0
        self.make()

    def make(self) -> None:
        """Have as many readings as were made by now, and as the window allows."""
        made = (time.monotonic() - self._began_s) * self._rate
        self.next_seq = int(max(self.next_seq, min(self.first_seq + self._window, made)))

    def get(self, seq: int) -> bytes:
        """Return the payload of a reading; 2,000 of them count as a second."""
        return b"[%d,%d,0,%d,%d,%d,3900,%d,%d,%d,%d,%d,350]" % (
            seq,
            seq // 2,
            2100 + seq % 97,
            480 + seq % 31,
            101_325 + seq % 53,
            400 + seq % 211,
            seq % 19,
            seq // 2000,
            seq >> 9 & 1,
            seq % 5,
        )

    def forget(self, before_seq: int) -> None:
        self.first_seq = max(self.first_seq, before_seq)
        self.make()


class _Unpaced(BoardSession):
    def _may_send(self, now_ms: int) -> bool:
        return True


class _Board:
    """One board and its pty."""

    def __init__(self, number: int, window: int, rate: float) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(slave)
        self._outbox = _Outbox(window, rate)
        self._session = _Unpaced(
            f"e66141d0be4d{number:04x}", f"{number:08x}", "power", lambda: [_BIRTH], self._outbox
        )
        self._began_s = time.monotonic()
        self._rest = b""

    def work(self) -> bool:
        """Hear and say what there is; return whether more could be said."""
        now = int((time.monotonic() - self._began_s) * 1000)
        self._outbox.make()
        with contextlib.suppress(BlockingIOError):
            self._session.feed(os.read(self.master, 65_536), now)
        pieces, size = [self._rest], len(self._rest)
        while size < _PIECE:
            frame = self._session.next_frame(now)
            if frame is None:
                break
            pieces.append(frame)
            size += len(frame)
        data = b"".join(pieces)
        sent = 0
        if data:
            with contextlib.suppress(BlockingIOError):
                sent = os.write(self.master, data)
        self._rest = data[sent:]
        return bool(self._rest)


def run(count: int, window: int, rate: float) -> None:
    """Run `count` boards until stdin ends."""
    boards = [_Board(number, window, rate) for number in range(1, count + 1)]
    sys.stdout.write("".join(f"{board.path}\n" for board in boards))
    sys.stdout.flush()
    masters = [board.master for board in boards]
    while sys.stdin not in select.select([sys.stdin], [], [], 0)[0]:
        full = [board.master for board in boards if board.work()]
        select.select(masters, full, [], 0.002)


@contextlib.contextmanager
def boards(
    count: int, window: int, rate: float = math.inf, cores: set[int] | None = None
) -> Iterator[list[str]]:
    """Run boards in another process, on some cores, until the end of the block; yield their ports."""
    arguments = [sys.executable, "-m", "bench.load_boards", str(count), str(window), str(rate)]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if cores is not None:
        os.sched_setaffinity(process.pid, cores)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield [process.stdout.readline().strip() for _ in range(count)]
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else math.inf)
