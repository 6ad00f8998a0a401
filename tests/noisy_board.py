"""A board on a line that is mad: between its frames come spoilt ones. A process of its own. Not a test.

noisy_board.py GOOD BAD SEED    sends GOOD readings with BAD spoilt frames after each; first prints its port
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import sys
import time
import tty

from hub.wire.board_session import BoardSession
from hub.wire.frame import MAX_FRAME, encode
from hub.wire.message import dumps, payload, reading
from tests.pty_board import BIRTH, MemoryOutbox

UID = "e66100000000000f"
BOOT_ID = "0000b00f"
# Whole frames of a hostile board: intact, and without sense. None takes the number of a reading.
SENSELESS = [
    b"",
    b"[]",
    b"{}",
    b"null",
    b"[" * 200,
    b"[1,2]",
    b"[-1,0,0,1]",
    b"[1e400,0,0,1]",
    b"[true,0,0,1]",
    b'["k",1]',
    b'["k",-1,0,0,0]',
    b'["k","a",0,0,0]',
    b'["q",null,7]',
    b'["r","../../etc",1,{}]',
    b'["r","nobody-asked",1,{"a":1}]',
    b'["birth",{}]',
    b'["f",1,0,99999999,"x"]',
    b'["f",1,7,2,"x"]',
    b'["hello",2,"x"]',
    b'["hello",1,"../../etc","0000b00f","00000000",0,0,"power"]',
    b'["w","0000b00f","00000000",0,1]',
    b'["unheard-of",1,2,3]',
    b'"\\ud800"',
    b"\xff\xfe\xfd",
    b"\x00\x01\x02\x03\x04\x05",
    b'["q",9007199254740993,1]',
]


class Unpaced(BoardSession):
    """A board that sends as fast as the port takes it."""

    def _may_send(self, now_ms: int) -> bool:
        return True


class Noise:
    """Spoilt frames, made of good ones and of nothing."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._ways = [
            self._flipped,
            self._cut,
            self._without,
            self._doubled,
            self._lied,
            self._senseless,
            self._long,
            self._junk,
        ]

    def __call__(self, frame: bytes) -> bytes:
        return self._chance.choice(self._ways)(frame)

    def _flipped(self, frame: bytes) -> bytes:
        spoilt = bytearray(frame)
        for _ in range(self._chance.randint(1, 3)):  # what a CRC-32 surely finds in so short a frame
            spoilt[self._chance.randrange(len(spoilt))] ^= 1 << self._chance.randrange(8)
        return b"" if bytes(spoilt) == frame else bytes(spoilt)

    def _cut(self, frame: bytes) -> bytes:
        return frame[: self._chance.randrange(len(frame) - 1)]

    def _without(self, frame: bytes) -> bytes:
        at = self._chance.randrange(len(frame) - 2)
        return frame[:at] + frame[at + 1 :]

    def _doubled(self, frame: bytes) -> bytes:
        at = self._chance.randrange(1, len(frame) - 2)
        return frame[:at] + frame[at - 1 :]

    def _lied(self, frame: bytes) -> bytes:
        return frame[:-9] + b"%08x\n" % self._chance.getrandbits(32)

    def _senseless(self, _frame: bytes) -> bytes:
        return encode(self._chance.choice(SENSELESS))

    def _long(self, frame: bytes) -> bytes:
        return frame[:-10] + b"7" * self._chance.randint(MAX_FRAME, 4 * MAX_FRAME) + b"\n"

    def _junk(self, _frame: bytes) -> bytes:
        return self._chance.randbytes(self._chance.randint(1, 80))


class Board:
    """The board and the end of the pty that it writes to."""

    def __init__(self, good: int, bad: int, seed: int) -> None:
        self._good, self._bad = good, bad
        self._noise = Noise(seed)
        self._outbox = MemoryOutbox()
        birth = dumps(["birth", BIRTH])
        self._session = Unpaced(UID, BOOT_ID, "power", lambda: [birth], self._outbox)
        self._began_s = time.monotonic()
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)

    def run(self) -> None:
        """Send all, and go on to answer until the hub has acked all of it."""
        while self._outbox.first_seq < self._good:
            self._listen()
            if self._outbox.next_seq - self._outbox.first_seq < 500 and self._outbox.next_seq < self._good:
                self._outbox.put(self._ticks(), [self._outbox.next_seq, 2150, 1, 0])
            frame = self._session.next_frame(self._ticks())
            if frame is None:
                select.select([self.master], [], [], 0.002)
            elif self._session.open:
                self._write(frame + b"".join([self._noise(FRAME) for _ in range(self._bad)]))
            else:
                self._write(frame)

    def _listen(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._session.feed(os.read(self.master, 65_536), self._ticks())
        self._session.commands.clear()

    def _write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self.master, data) :]
            except BlockingIOError:
                select.select([], [self.master], [])

    def _ticks(self) -> int:
        return int((time.monotonic() - self._began_s) * 1000)


FRAME = encode(payload(reading(7, 12_345, 0, [7, 2150, 1, 0])))


if __name__ == "__main__":
    good, bad, seed = (int(text) for text in sys.argv[1:])
    board = Board(good, bad, seed)
    sys.stdout.write(os.ttyname(board.slave) + "\n")
    sys.stdout.flush()
    board.run()
    sys.stdin.read()  # the port stays until whoever started this has looked
