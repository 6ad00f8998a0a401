"""A board on WiFi and a hub process that is killed at random moments: each reading is stored, each once."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from typing import TYPE_CHECKING

import pytest

from hil.hub import HubError, HubProcess
from hil.virtual.board import VirtualBoard
from hil.virtual.image import assemble
from hil.virtual.network import Network
from tests.broker import Broker, free_port
from tests.e2e.api import Api
from tests.e2e.four_boards import configuration
from tests.soak import times

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

KILLS = times(1, 20)
SEED = 20_253


def test_a_hub_that_is_killed_again_and_again_stores_each_reading_of_a_board_on_wifi_once(
    tmp_path: Path,
) -> None:
    chance = random.Random(SEED)
    with Broker(tmp_path) as broker:
        wifi = {"host": broker.host, "port": broker.port, "ssid": "field", "wifi_password": "password"}
        assemble(tmp_path / "flash", configuration("Far", 100) | {"mqtt": wifi})
        board = VirtualBoard(tmp_path / "flash", network=Network("field", "password"))
        hub = HubProcess(
            tmp_path / "data",
            listen=f"127.0.0.1:{free_port()}",
            config=f"[serial]\nports = []\nenrolment = 'auto'\n[mqtt]\nport = {broker.port}\nboards = true\n",
        )
        api = Api(hub)
        board.start()
        try:
            for _ in range(KILLS):
                timer = threading.Timer(chance.uniform(1.5, 5), hub.kill)
                timer.start()
                with contextlib.suppress(HubError):  # it may die before it serves
                    hub.start()
                timer.join()
            hub.start()
            until(lambda: api.online(board.uid), hub)
            assert api.command(board.uid, "led", state="on")["state"] == "succeeded"
            until(lambda: len(api.stored(board.uid, "sequence")) > 30 * KILLS, hub)
            assert api.device(board.uid)["link"] == "mqtt"
            sequence = api.stored(board.uid, "sequence")
        finally:
            hub.stop()
            board.stop()
    assert (board.boots, board.crashes) == (1, [])
    assert sequence == list(range(len(sequence))), "a hole or a double"


def until(condition: Callable[[], object], hub: HubProcess) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"it did not come to pass; the hub's last words:\n{hub.tail()}"
        time.sleep(0.1)
