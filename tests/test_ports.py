"""Ports that come and go: which are served, what is started and ended, where commands and acks are sent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import TYPE_CHECKING

import pytest

from hub.config import SerialConfig
from hub.links.link import NotReachable
from hub.links.loans import LENT
from hub.links.ports import SerialPorts, present
from hub.links.serial_port import PortUnusable, opened
from hub.links.usb import UsbPort
from hub.model import Command
from tests.background_task import beside
from tests.pty_board import PtyBoard
from tests.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path


def nothing() -> list[UsbPort]:
    return []


def usb(*devices: str, bridge: bool = False) -> list[UsbPort]:
    return [UsbPort(device=device, bridge=bridge) for device in devices]


def test_paths_count_only_while_they_are_there(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.touch()
    assert present([str(here), str(tmp_path / "not")], nothing) == [str(here)]


def test_auto_adds_what_is_found(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.touch()
    assert present(["auto", str(here)], lambda: usb("/dev/ttyACM0")) == [str(here), "/dev/ttyACM0"]


def test_without_auto_nothing_else_is_touched() -> None:
    assert present([], lambda: usb("/dev/ttyACM0")) == []


def test_a_port_configured_by_its_lasting_name_is_not_found_twice(tmp_path: Path) -> None:
    device = tmp_path / "ttyACM0"
    device.touch()
    by_id = tmp_path / "usb-board-if00"
    by_id.symlink_to(device)
    assert present(["auto", str(by_id)], lambda: usb(str(device))) == [str(by_id)]


def test_the_ports_of_this_machine_can_be_listed() -> None:
    assert all(os.path.exists(path) for path in present(["auto"]))  # noqa: PTH110 - device paths as text


@contextlib.asynccontextmanager
async def running(
    *ports: str, find: Callable[[], Sequence[UsbPort]] = nothing, silence_s: float = 15
) -> AsyncIterator[tuple[SerialPorts, Watch]]:
    link = SerialPorts(
        SerialConfig(ports=ports),
        last_seq=lambda _device, _boot: -1,
        now_ms=lambda: time.time_ns() // 1_000_000,
        find=find,
        silence_s=silence_s,
    )
    watch = Watch()
    async with beside(link.run(watch)):
        yield link, watch


@pytest.fixture
async def boards(tmp_path: Path) -> AsyncIterator[list[PtyBoard]]:
    boards = [
        PtyBoard(
            tmp_path / f"tty{n}",
            uid=f"e6610000000000{n:02x}",
            answer=lambda _name, _params, n=n: (True, n),  # type: ignore[misc] # mypy knows no defaults
        )
        for n in range(2)
    ]
    for board in boards:
        board.plug()
    yield boards
    for board in boards:
        await board.unplug()


def command(device: str) -> Command:
    return Command(
        id="00ff",
        device=device,
        command="led",
        params={},
        ttl_ms=5000,
        caller="test",
        origin="test",
        created_time=0,
    )


async def test_commands_and_acks_go_to_the_port_that_the_device_is_on(boards: list[PtyBoard]) -> None:
    async with running(*(str(board.link) for board in boards)) as (link, watch):
        await watch.until(lambda w: len(w.born) == 2)
        assert [await link.send(command(board.uid)) for board in boards] == [0, 1]
        for board in boards:
            board.take(3)
        await watch.until(lambda w: len(w.readings) == 6)
        link.ack(boards[1].uid, "0000b001", 2)
        async with asyncio.timeout(20):
            while boards[1].outbox.first_seq != 3:
                await asyncio.sleep(0.01)
        assert boards[0].outbox.first_seq == 0


async def test_a_device_that_is_on_no_port_is_not_reachable() -> None:
    async with running() as (link, _):
        with pytest.raises(NotReachable):
            await link.send(command("nobody"))
        link.ack("nobody", "0000b001", 1)


async def test_one_unplugged_board_costs_the_other_nothing(boards: list[PtyBoard]) -> None:
    async with running(*(str(board.link) for board in boards)) as (link, watch):
        await watch.until(lambda w: len(w.born) == 2)
        await boards[0].unplug()
        await watch.until(lambda w: w.gone)
        assert [gone.device for gone in watch.gone] == [boards[0].uid]
        assert await link.send(command(boards[1].uid)) == 1


@pytest.mark.slow
async def test_found_ports_are_served_as_they_come_and_go(boards: list[PtyBoard]) -> None:
    found = [str(boards[0].link)]
    async with running("auto", find=lambda: usb(*found)) as (_, watch):
        await watch.until(lambda w: len(w.born) == 1)
        found.append(str(boards[1].link))
        await watch.until(lambda w: len(w.born) == 2)
        found.remove(str(boards[0].link))
        await boards[0].unplug()
        await watch.until(lambda w: w.gone)
        boards[0].plug()
        found.append(str(boards[0].link))
        await watch.until(lambda w: len(w.born) == 3)


@pytest.mark.slow
async def test_a_listing_that_fails_ends_no_link(boards: list[PtyBoard]) -> None:
    failing = [False]

    def find() -> list[UsbPort]:
        if failing[0]:
            raise OSError("sysfs changed")
        return usb(str(boards[0].link))

    async with running("auto", find=find) as (link, watch):
        await watch.until(lambda w: w.born)
        failing[0] = True
        await asyncio.sleep(1.5)
        assert watch.gone == []
        assert await link.send(command(boards[0].uid)) == 0


async def test_the_end_of_the_hub_closes_every_port(boards: list[PtyBoard]) -> None:
    async with running(*(str(board.link) for board in boards)) as (_, watch):
        await watch.until(lambda w: len(w.born) == 2)
    assert sorted(gone.device for gone in watch.gone) == [board.uid for board in boards]


@pytest.mark.slow
async def test_a_board_that_floods_costs_the_other_no_reading(boards: list[PtyBoard]) -> None:
    flooding, good = boards
    async with running(*(str(board.link) for board in boards)) as (_, watch):
        await watch.until(lambda w: len(w.born) == 2)
        for n in range(100):
            for noise in (b"\x1e\n" * 1000, b"x" * 2000 + b"\n", os.urandom(2000)):
                with contextlib.suppress(BlockingIOError):
                    flooding.write(noise)
            good.take()
            if n % 10 == 0:
                await asyncio.sleep(0.01)
        await watch.until(lambda w: len([r for r in w.readings if r.device == good.uid]) == 100)
        numbers = [reading.values[0] for reading in watch.readings if reading.device == good.uid]
        assert numbers == list(range(100))
        assert good.uid not in {gone.device for gone in watch.gone}


# --- ports of other programs ----------------------------------------------------------------------------


async def can_be_opened(path: object, timeout_s: float = 20) -> bool:
    """Whether another program gets the port within the time; it is closed again at once."""
    async with asyncio.timeout(timeout_s):
        while True:
            try:
                os.close(await opened(str(path)))
            except PortUnusable:
                await asyncio.sleep(0.02)
            else:
                return True


async def is_held(path: object) -> bool:
    try:
        os.close(await opened(str(path)))
    except PortUnusable:
        return True
    return False


@contextlib.contextmanager
def silent_port(link: Path) -> Iterator[None]:
    """A port behind which nothing speaks."""
    master, slave = os.openpty()
    link.symlink_to(os.ttyname(slave))
    try:
        yield
    finally:
        os.close(master)
        os.close(slave)


async def until_held(path: object) -> None:
    async with asyncio.timeout(20):
        while not await is_held(path):
            await asyncio.sleep(0.02)


async def test_a_bridge_on_which_no_board_speaks_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ttyUSB0"
    with silent_port(path):
        async with running("auto", find=lambda: usb(str(path), bridge=True), silence_s=0.5):
            await until_held(path)
            assert await can_be_opened(path)


async def test_a_silent_port_that_is_no_bridge_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "ttyACM0"
    with silent_port(path):
        async with running("auto", find=lambda: usb(str(path)), silence_s=0.1):
            await until_held(path)
            await asyncio.sleep(0.4)
            assert await is_held(path)


async def test_a_bridge_with_a_board_is_kept(boards: list[PtyBoard]) -> None:
    path = str(boards[0].link)
    async with running("auto", find=lambda: usb(path, bridge=True), silence_s=0.5) as (_, watch):
        await watch.until(lambda w: w.born)
        await asyncio.sleep(0.7)
        assert watch.gone == []


async def test_a_port_is_lent_and_taken_back(boards: list[PtyBoard]) -> None:
    async with running(*(str(board.link) for board in boards)) as (link, watch):
        await watch.until(lambda w: len(w.born) == 2)
        assert await link.release(str(boards[0].link.readlink()), 60)
        assert [(gone.device, gone.reason) for gone in watch.gone] == [(boards[0].uid, LENT)]
        assert not await is_held(boards[0].link)
        assert await link.send(command(boards[1].uid)) == 1
        link.resume(str(boards[0].link))
        await watch.until(lambda w: len(w.born) == 3)


@pytest.mark.slow
async def test_a_loan_that_nobody_ends_ends_by_itself(boards: list[PtyBoard]) -> None:
    async with running(str(boards[0].link)) as (link, watch):
        await watch.until(lambda w: w.born)
        await link.release(str(boards[0].link), 0.1)
        await watch.until(lambda w: len(w.born) == 2)


async def test_a_port_that_the_hub_does_not_have_is_lent_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "ttyACM0"
    with silent_port(path):
        found: list[str] = []
        async with running("auto", find=lambda: usb(*found)) as (link, _):
            assert not await link.release(str(path), 60)
            found.append(str(path))
            await asyncio.sleep(0.2)
            link.resume("/dev/another")
            await asyncio.sleep(0.2)
            assert not await is_held(path)
