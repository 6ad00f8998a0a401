"""Who a board is stands on the board: at whatever port it is, and when another says the same of itself."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from hil.hub import HubProcess
from hil.virtual.board import VirtualBoard
from hil.virtual.image import assemble
from tests.e2e.api import Api
from tests.e2e.four_boards import configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

A, B = "e66141d0e2e3000a", "e66141d0e2e3000b"


class Desk:
    """A hub with two ports, and boards that a hand plugs into either."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ports = [folder / "left", folder / "right"]
        self._boards: list[VirtualBoard] = []
        paths = ", ".join(f'"{port}"' for port in self.ports)
        self.hub = HubProcess(
            folder / "data",
            config=f"[serial]\nports = [{paths}]\nenrolment = 'off'\n[mqtt]\nenabled = false\n",
        )
        self.api = Api(self.hub)

    def board(self, uid: str, name: str) -> VirtualBoard:
        """Return a board with power and no cable."""
        flash = self._folder / f"flash-{len(self._boards)}"
        flash.mkdir()
        assemble(flash, configuration(name, 200))
        board = VirtualBoard(flash, uid=uid)
        self._boards.append(board)
        board.start()
        board.unplug()
        return board

    def plug(self, board: VirtualBoard, port: int) -> None:
        board.replug()
        self.ports[port].symlink_to(board.path)

    def unplug(self, board: VirtualBoard, port: int) -> None:
        self.ports[port].unlink()
        board.unplug()

    def wait(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 40
        while not condition():
            assert time.monotonic() < deadline, f"the hub's last words:\n{self.hub.tail()}"
            time.sleep(0.05)

    def wait_for_more(self, uid: str) -> None:
        """Wait until more of the board is stored than is now."""
        before = len(self.api.stored(uid, "sequence"))
        self.wait(lambda: len(self.api.stored(uid, "sequence")) > before + 2)

    def close(self) -> None:
        self.hub.stop()
        for board in self._boards:
            board.stop()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    try:
        desk.hub.start()
        yield desk
    finally:
        desk.close()


def test_boards_that_swap_ports_stay_themselves(desk: Desk) -> None:
    one, other = desk.board(A, "One"), desk.board(B, "Other")
    desk.plug(one, 0)
    desk.plug(other, 1)
    for uid in (A, B):
        desk.wait(partial(desk.api.online, uid))
        desk.wait_for_more(uid)
    desk.unplug(one, 0)
    desk.unplug(other, 1)
    desk.plug(one, 1)
    desk.plug(other, 0)
    for uid, name in ((A, "One"), (B, "Other")):
        desk.wait_for_more(uid)
        assert desk.api.device(uid)["name"] == name
        stored = desk.api.stored(uid, "sequence")
        assert stored == list(range(len(stored))), "a hole or a double"
    assert {item["id"] for item in desk.api.get("devices")["items"]} == {A, B, "host"}


def test_a_second_board_of_the_same_id_is_refused_loudly_until_the_first_is_gone(desk: Desk) -> None:
    first, second = desk.board(A, "First"), desk.board(A, "Second")
    desk.plug(first, 0)
    desk.wait(partial(desk.api.online, A))
    boot_id = desk.api.device(A)["boot_id"]
    desk.plug(second, 1)
    desk.wait(lambda: any("two boards cannot share one identity" in line for line in desk.hub.lines))
    assert any("two boards cannot" in line["text"] for line in console(desk)), "its page does not say it"
    desk.wait_for_more(A)
    assert (desk.api.device(A)["name"], desk.api.device(A)["boot_id"]) == ("First", boot_id)
    stored = desk.api.stored(A, "sequence")
    assert stored == list(range(len(stored))), "the second board's samples are among the first's"
    desk.unplug(first, 0)
    desk.wait(lambda: desk.api.device(A)["name"] == "Second")
    assert desk.api.device(A)["boot_id"] != boot_id


def console(desk: Desk) -> list[Any]:
    return list(desk.api.get(f"devices/{A}/console")["items"])
