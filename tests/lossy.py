"""A line in virtual time between a hub's session and a board's: it drops, doubles, delays and damages."""

from __future__ import annotations

import heapq
import random
from typing import TYPE_CHECKING

from firmware.outbox import Outbox
from hub.wire.board_session import BoardSession
from hub.wire.events import Opened, Taken
from hub.wire.hub_session import HubSession
from hub.wire.known import Known
from hub.wire.message import dumps, payload, reading

if TYPE_CHECKING:
    from hub.wire.events import Event

BIRTH = dumps(
    [
        "birth",
        {
            "name": "bench",
            "model": "none",
            "firmware": "1",
            "groups": [
                {
                    "interval_ms": 100,
                    "metrics": [{"name": "sequence"}, {"name": "temperature", "unit": "°C", "decimals": 2}],
                }
            ],
            "commands": [
                {
                    "name": "led",
                    "params": {
                        "type": "object",
                        "properties": {"state": {"type": "string", "enum": ["on", "off"]}},
                    },
                }
            ],
        },
    ]
)


class Line:
    """One direction of a line: bytes go in as frames, and come out later, if they do."""

    def __init__(self, chance: random.Random, fault: float) -> None:
        self._chance = chance
        self._fault = fault
        self._queue: list[tuple[float, int, bytes]] = []
        self._count = 0

    def write(self, data: bytes, now_ms: float) -> None:
        for frame in data.splitlines(keepends=True):
            for copy in self._fate(frame):
                late = self._chance.uniform(20, 300) if self._chance.random() < self._fault else 0
                self._count += 1
                heapq.heappush(self._queue, (now_ms + 2 + late, self._count, copy))

    def read(self, now_ms: float) -> bytes:
        data = b""
        while self._queue and self._queue[0][0] <= now_ms:
            data += heapq.heappop(self._queue)[2]
        return data

    def clear(self) -> None:
        self._queue.clear()

    def _fate(self, frame: bytes) -> list[bytes]:
        if self._chance.random() < self._fault:
            return []
        if self._chance.random() < self._fault:
            spoilt = bytearray(frame)
            spoilt[self._chance.randrange(len(spoilt))] ^= 1 << self._chance.randrange(8)
            return [bytes(spoilt)]
        return [frame, frame] if self._chance.random() < self._fault else [frame]


class Rig:
    """A hub and a board with a line between them, and a clock that they share."""

    def __init__(self, seed: int = 1, fault: float = 0.2, outbox_bytes: int = 65536) -> None:
        self.now_ms = 0
        self.chance = random.Random(seed)
        self.down = Line(self.chance, fault)
        self.up = Line(self.chance, fault)
        self.committed: dict[tuple[str, str], int] = {}
        self.events: list[Event] = []
        self.waiting: list[tuple[str, int]] = []
        self.stored: dict[str, list[int]] = {}
        """What was committed: seqs by boot_id, in the order in which they came."""
        self._boot_id = ""
        self.ran: list[str] = []
        self.plugged = True
        self.commits = True
        self.answers = True
        self._outbox_bytes = outbox_bytes
        self._boots = 0
        self.boot()
        self.restart_hub()

    def boot(self) -> None:
        """Start the board anew."""
        self._boots += 1
        self.up.clear()
        self.down.clear()
        self.outbox = Outbox(self._outbox_bytes)
        self.board = BoardSession(
            "e6614103e7452b2f", f"{self._boots:08x}", "power", lambda: [BIRTH], self.outbox
        )
        self.booted_ms = self.now_ms

    def restart_hub(self) -> None:
        """Start the hub anew: it knows only what is committed."""
        self.known = Known()
        self.replug()

    def kill_hub(self) -> None:
        """End the hub without a word and start it anew: what it had not committed, its store never had."""
        self.collect()
        self.waiting.clear()
        self.restart_hub()

    def replug(self) -> None:
        """Open the port anew."""
        self.up.clear()
        self.down.clear()
        self.hub = HubSession(
            self.known,
            lambda uid, boot: self.committed.get((uid, boot), -1),
            lambda uid: None,
            self.now_ms,
        )

    def take(self, temperature: int = 2150) -> None:
        """Let the board take one reading."""
        seq = self.outbox.next_seq
        self.outbox.put(payload(reading(seq, self.now_ms - self.booted_ms, 0, [seq, temperature])))

    def run(self, for_ms: int, every_ms: int = 0) -> None:
        """Let time pass, with a reading each `every_ms`."""
        for _ in range(for_ms // 2):
            self.now_ms += 2
            if every_ms and self.now_ms % every_ms == 0:
                self.take()
            self._step()

    def _step(self) -> None:
        board_ms = self.now_ms - self.booted_ms
        if self.plugged:
            self.board.feed(self.down.read(self.now_ms), board_ms)
            self.hub.feed(self.up.read(self.now_ms), self.now_ms)
            frame = self.board.next_frame(board_ms)
            if frame is not None:
                self.up.write(frame, self.now_ms)
        while self.board.commands:
            command_id, _, _ = self.board.commands.pop(0)
            self.ran.append(command_id)
            if self.answers:
                self.board.answer(command_id, True, {"ran": len(self.ran)})
        if self.now_ms % 50 == 0:
            self.hub.tick(self.now_ms)
        self.collect()
        if self.commits and self.now_ms % 100 == 0:
            self._commit()
        self.down.write(self.hub.data_to_send(), self.now_ms)

    def collect(self) -> None:
        """Take the hub's events; readings wait for the next commit."""
        for event in self.hub.events():
            self.events.append(event)
            if isinstance(event, Opened):
                self._boot_id = event.boot_id
            elif isinstance(event, Taken):
                self.waiting.append((self._boot_id, event.seq))

    def _commit(self) -> None:
        for boot_id, seq in self.waiting:
            self.stored.setdefault(boot_id, []).append(seq)
            key = (self.board.uid, boot_id)
            self.committed[key] = max(seq, self.committed.get(key, -1))
            self.hub.ack(boot_id, self.committed[key])
        self.waiting.clear()

    def taken(self) -> list[Taken]:
        return [event for event in self.events if isinstance(event, Taken)]

    def seqs(self) -> list[int]:
        return [event.seq for event in self.taken()]
