"""A day of a board's life in minutes: eight metrics each second, and a heap that does not grow or fall apart.

In virtual time, with the hub's part played within the same heap: it welcomes, acknowledges and pings, and is
away for some hours, in which the outbox fills.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from hil.virtual.environment import Environment
from hil.virtual.hardware import demo_wiring
from hil.virtual.runner import run_script
from tests.soak import times
from tests.vm import ROOT, needs_vm

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [needs_vm, pytest.mark.slow, pytest.mark.timeout(1800)]

STEPS = times(3, 24)
STEP_S = times(500, 3600)
AWAY = (1,) if STEPS == 3 else (6, 7, 8, 20)
"""The steps in which no hub is there."""
CONFIGURATION = {
    "interval_ms": 1000,
    "sensors": [
        {"driver": "sht3x", "i2c": 0, "sda": 4, "scl": 5},
        {"driver": "adc", "pin": 26, "name": "light"},
    ],
}
SCRIPT = """
import asyncio, gc, json, sys
import node, port, settings
from wire.frame import Decoder, encode
from wire.message import ack, dumps, ping, welcome

class Hub:
    def __init__(self):
        self.patience_ms = 0
        self.away = False
        self.taken = self.number = self.want = 0
        self.decoder = Decoder(keep_console=False)
        self.out = []
        self.news = asyncio.Event()

    def say(self, message):
        self.out.append(encode(dumps(message).encode()))
        self.news.set()

    async def read(self):
        while not self.out:
            self.news.clear()
            await self.news.wait()
        return self.out.pop(0)

    async def write(self, frame):
        if not self.away:
            for payload in self.decoder.feed(frame):
                self.take(json.loads(payload))

    async def flush(self):
        pass

    def take(self, message):
        if message[0] == "hello":
            self.boot_id = message[3]
            self.say(welcome(message[3], message[4], self.want, False))
        elif message[0] == "k":
            if message[2] > self.want:
                self.want = message[2]
            self.number += 1
            self.say(ping(self.number))
        elif message[0] == self.want:
            self.want += 1
            self.taken += 1
            self.say(ack(self.boot_id, self.want))

def fits(size):
    block = bytearray(size)
    block = None

def largest():
    low, high = 0, gc.mem_free()
    while high - low > 64:
        middle = (low + high) // 2
        gc.collect()
        try:
            fits(middle)
            low = middle
        except MemoryError:
            high = middle
    return low

port.Console = Hub
with open("/board.json") as file:
    board = node.Node(settings.Settings(json.load(file)))
hub = board._console

async def watch():
    for step in range(STEPS):
        hub.away = step in AWAY
        await asyncio.sleep(STEP_S)
        gc.collect()
        heap = [gc.mem_alloc(), largest()]
        box = board.outbox
        print("STEP", json.dumps(heap + [box.next_seq, hub.taken, box.dropped, len(box)]))
    board._failed.set()

async def main():
    asyncio.create_task(watch())
    await board.run()

gc.collect()
gc.threshold(gc.mem_free() // 4 + gc.mem_alloc())
asyncio.run(main())
"""


def test_a_day_at_one_hertz_with_eight_metrics_leaves_the_heap_as_it_was(tmp_path: Path) -> None:
    world = Environment("e6614103e7452b2f", lambda: 1_763_700_000.0)
    files: dict[str, Any] = {
        "/": ROOT / "firmware",
        "/wire": ROOT / "hub" / "wire",
        "/board.json": json.dumps(CONFIGURATION),
    }
    script = f"STEPS = {STEPS}\nSTEP_S = {STEP_S}\nAWAY = {AWAY}\n{SCRIPT}"
    said = run_script(
        files, script, wiring=demo_wiring(world, lambda: 0.0), virtual_time=True, heap_kib=192, timeout_s=1500
    )
    steps = [json.loads(line[5:]) for line in said.splitlines() if line.startswith("STEP")]
    allocated, largest, seqs, taken, dropped, kept = zip(*steps, strict=True)
    assert len(steps) == STEPS
    assert abs(seqs[-1] - STEP_S * STEPS) <= STEPS
    assert dropped[-1] > 0, "the outbox never filled: the time without a hub proved nothing"
    assert taken[-1] + dropped[-1] + kept[-1] == seqs[-1], "a reading was neither taken nor kept nor counted"
    assert max(allocated) - min(allocated) < 1000, f"the heap grew: {allocated}"
    assert min(largest) > 4096, f"no room for the longest command: {largest}"
    sys.stdout.write("".join(f"{step}\n" for step in steps))  # a whole day's figures, for firmware/README.md
