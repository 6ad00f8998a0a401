"""Enrolment with the real firmware on the real VM behind a pty: it waits, is accepted, and proves its key."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from hil.virtual.board import VirtualBoard
from hil.virtual.image import assemble
from hub.enrolment import BoardStanding
from hub.links.link import NotReachable
from hub.model import KeyState
from hub.store.identity.rights import SecurityKind
from tests.e2e.four_boards import configuration
from tests.enrolment_rig import BY, Desk, desk
from tests.fakes import until
from tests.vm import needs_vm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [needs_vm, pytest.mark.slow]

UID = "e66141d0e0e0000a"
PATIENCE_S = 60.0


class Bench:
    """Two ports, and boards of one id, the first and the second on theirs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = [folder / "left", folder / "right"]
        self._boards: list[VirtualBoard] = []

    def board(self, name: str) -> VirtualBoard:
        """Return a board with power and no cable, and a flash of its own."""
        flash = self.folder / f"flash-{name}"
        flash.mkdir()
        assemble(flash, configuration(name, 200))
        # The board keeps the link over its resets, at each of which its pty may have another name.
        board = VirtualBoard(flash, uid=UID, link=self.ports[len(self._boards)])
        self._boards.append(board)
        board.start()
        board.unplug()
        return board

    def key_of(self, name: str) -> Path:
        return self.folder / f"flash-{name}" / "hub.key"

    def stop(self) -> None:
        for board in self._boards:
            board.stop()
            assert board.crashes == []


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    try:
        yield bench
    finally:
        bench.stop()


async def is_in(hub: Desk, key: KeyState) -> None:
    await until(lambda: hub.key(UID) is key, PATIENCE_S)


async def stands(hub: Desk, state: BoardStanding) -> None:
    await until(lambda: (view := hub.view(UID)) is not None and view.state is state, PATIENCE_S)


async def more_stored(hub: Desk, than: int) -> list[Any]:
    """Wait until more is stored; return all of it, which must be whole."""
    found: list[Any] = []
    while len(found) <= than:
        found = await hub.stored(UID)
    assert found == list(range(len(found))), "a hole or a double"
    return found


async def test_an_unknown_board_waits_until_it_is_accepted_and_then_proves_its_key(bench: Bench) -> None:
    board, data = bench.board("real"), bench.folder / "data"
    async with desk(data, *bench.ports) as hub:
        board.replug()
        await until(lambda: (view := hub.view(UID)) is not None and view.readings_kept > 5, PATIENCE_S)
        with pytest.raises(NotReachable):
            await hub.send(UID, "led", state="on")
        assert hub.parts.registry.get(UID) is None
        assert await hub.stored(UID) == []
        assert not bench.key_of("real").exists()
        hub.enrolment.accept(UID, BY)
        await is_in(hub, KeyState.PROVEN)
        assert await hub.send(UID, "led", state="on") == {"state": "on"}
        count = len(await more_stored(hub, 6))
        assert len(bench.key_of("real").read_text()) == 64
    async with desk(data, *bench.ports) as hub:  # a hub that starts anew
        await is_in(hub, KeyState.PROVEN)
        count = len(await more_stored(hub, count))
        await hub.send(UID, "reboot")  # a board that does
        await until(lambda: not hub.online(UID), PATIENCE_S)
        await is_in(hub, KeyState.PROVEN)
        assert hub.told == []


async def test_another_board_of_the_same_id_is_refused_beside_the_real_one_and_in_its_place(
    bench: Bench,
) -> None:
    real, false = bench.board("real"), bench.board("false")
    async with desk(bench.folder / "data", *bench.ports) as hub:
        real.replug()
        await stands(hub, BoardStanding.PENDING)
        hub.enrolment.accept(UID, BY)
        await is_in(hub, KeyState.PROVEN)
        boot_id = boot(hub)
        false.replug()
        await stands(hub, BoardStanding.REFUSED)  # beside it
        assert (hub.online(UID), boot(hub)) == (True, boot_id)
        count = len(await more_stored(hub, 0))
        hub.enrolment.reject(UID, BY)  # which dismisses the notice
        real.unplug()
        await stands(hub, BoardStanding.REFUSED)  # in its place
        assert not hub.online(UID)
        with pytest.raises(NotReachable):
            await hub.send(UID, "led", state="on")
        refusals = [event for event in hub.told if event.kind is SecurityKind.BOARD_REFUSED]
        assert refusals
        assert all(str(bench.ports[1]) in event.detail for event in refusals)
        real.replug()
        await is_in(hub, KeyState.PROVEN)
        assert boot(hub) == boot_id
        await more_stored(hub, count)
        assert hub.parts.registry.all()[0].birth.name == "real"
        assert not bench.key_of("false").exists()


def boot(hub: Desk) -> str | None:
    state = hub.parts.registry.get(UID)
    return None if state is None else state.birth.boot_id


async def test_a_board_whose_flash_was_erased_is_refused_until_it_is_accepted_again(bench: Bench) -> None:
    board = bench.board("real")
    async with desk(bench.folder / "data", *bench.ports) as hub:
        board.replug()
        await stands(hub, BoardStanding.PENDING)
        hub.enrolment.accept(UID, BY)
        await is_in(hub, KeyState.PROVEN)
        count = len(await more_stored(hub, 0))
        board.unplug()
        bench.key_of("real").unlink()
        board.replug()
        await stands(hub, BoardStanding.REFUSED)
        hub.enrolment.accept(UID, BY)
        await is_in(hub, KeyState.PROVEN)
        await more_stored(hub, count)  # what it sampled meanwhile was kept by the board


async def test_firmware_from_before_keys_is_in_without_one_and_gets_it_with_its_update(bench: Bench) -> None:
    board = bench.board("real")
    flash = bench.folder / "flash-real"
    today = (flash / "commands.py").read_text()
    board.power_off()
    (flash / "proof.py").unlink()
    (flash / "commands.py").write_text(today.replace('"prove", "enrol"', '""'))
    board.power_on()
    async with desk(bench.folder / "data", *bench.ports) as hub:
        board.replug()
        await stands(hub, BoardStanding.PENDING)
        hub.enrolment.accept(UID, BY)
        count = len(await more_stored(hub, 3))
        assert hub.key(UID) is KeyState.NONE
        assert await hub.send(UID, "led", state="on") == {"state": "on"}
        assemble(flash, {})  # as an update does
        await hub.send(UID, "reboot")
        await is_in(hub, KeyState.PROVEN)
        assert count > 3


async def test_a_power_cut_while_the_key_is_written_leaves_a_board_that_can_be_enrolled(bench: Bench) -> None:
    board = bench.board("real")
    async with desk(bench.folder / "data", *bench.ports) as hub:
        board.replug()
        await stands(hub, BoardStanding.PENDING)
        staged = bench.key_of("real").with_name("hub.key.new")
        board.power_off()
        staged.write_text("0123456789")  # what a cut in the write leaves
        await until(partial(gone, hub), PATIENCE_S)
        board.power_on()
        hub.enrolment.accept(UID, BY)
        await is_in(hub, KeyState.PROVEN)
        assert not staged.exists()


def gone(hub: Desk) -> bool:
    view = hub.view(UID)
    return view is not None and not view.online
