"""A hub and four virtual boards that take 1,000 samples a second together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from hil.hub import HubProcess
from hil.virtual.board import VirtualBoard
from hil.virtual.image import assemble
from hub.wire.frame import Decoder
from hub.wire.message import FROM_HUB, parse
from tests.broker import free_port
from tests.e2e.api import Api

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hil.virtual.console import Console

BOARDS = 4
INTERVAL_MS = 40
ANALOG_PINS = (26, 27, 28)
"""With two metrics of a chip and five of the board itself ten: 4 boards x 10 metrics x 25 a second."""


def configuration(name: str, interval_ms: int = INTERVAL_MS) -> dict[str, Any]:
    """Return a `board.json` with ten metrics of one interval, so that a reading has ten samples."""
    sensors: list[dict[str, Any]] = [
        {"driver": "adc", "pin": pin, "name": f"voltage{pin}", "decimals": 3} for pin in ANALOG_PINS
    ]
    sensors.append({"driver": "sht3x", "i2c": 0, "sda": 4, "scl": 5})
    return {"name": name, "interval_ms": interval_ms, "sensors": sensors}


class Acks:
    """An ear on what a board hears: the highest seq that it was told is on disk, by boot."""

    def __init__(self, console: Console) -> None:
        self.upto: dict[str, int] = {}
        self._decoder = Decoder(keep_console=False)
        feed = console.feed

        def heard(data: bytes) -> None:
            for payload in self._decoder.feed(data):
                self._take(payload)
            feed(data)

        console.feed = heard  # type: ignore[method-assign]  # the ear, on this one object

    def _take(self, payload: bytes) -> None:
        message = parse(payload.decode(), FROM_HUB)
        if message[0] == "a":
            _, boot_id, next_seq = message
            self.upto[boot_id] = max(self.upto.get(boot_id, -1), next_seq - 1)


class FourBoards:
    """Four boards on ports of a hub process. The boards run on whatever becomes of the hub."""

    def __init__(self, folder: Path) -> None:
        self.uids = [f"e66141d0e2e1{number:04x}" for number in range(BOARDS)]
        self.boards: list[VirtualBoard] = []
        for number, uid in enumerate(self.uids):
            flash = folder / f"flash-{number}"
            flash.mkdir()
            assemble(flash, configuration(f"Board {number}"))
            self.boards.append(VirtualBoard(flash, uid=uid, link=folder / f"tty-{number}"))
        self.acks = [Acks(board.console) for board in self.boards]
        ports = ", ".join(f'"{folder / f"tty-{number}"}"' for number in range(BOARDS))
        self.hub = HubProcess(
            folder / "data",
            listen=f"127.0.0.1:{free_port()}",
            config=f"[serial]\nports = [{ports}]\nenrolment = 'auto'\n[mqtt]\nenabled = false\n",
        )
        self.api = Api(self.hub)

    def __enter__(self) -> FourBoards:
        for board in self.boards:
            board.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hub.stop()
        for board in self.boards:
            board.stop()

    def wait(self, condition: Callable[[], Any], timeout_s: float = 60) -> None:
        """Wait until `condition()` is true; fails with the hub's last words."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, (
                f"it did not come to pass; the hub's last words:\n{self.hub.tail()}"
            )
            time.sleep(0.1)
