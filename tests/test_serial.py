"""A serial link: a board's session on a pty, from its birth to the end of the hub."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from hub.links.link import NoAnswer, NotReachable, Refused
from hub.links.serial import SerialLink
from hub.links.session import Shared
from hub.model import Born, Command, Gone, Quality
from tests.background_task import beside
from tests.descriptors import open_descriptors
from tests.pty_board import PtyBoard
from tests.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.links.link import LastSeq


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def nothing_committed(_device: str, _boot_id: str) -> int:
    return -1


def shared(last_seq: LastSeq = nothing_committed) -> Shared:
    return Shared(last_seq=last_seq, now_ms=wall_ms)


@contextlib.asynccontextmanager
async def running(path: Path, with_: Shared | None = None) -> AsyncIterator[tuple[SerialLink, Watch]]:
    link, watch = SerialLink(str(path), with_ or shared()), Watch()
    async with beside(link.run(watch)):
        yield link, watch


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[PtyBoard]:
    board = PtyBoard(tmp_path / "tty")
    board.plug()
    yield board
    await board.unplug()


def command(
    name: str = "led", device: str = "e66100000000000a", ttl_ms: int = 5000, **params: Any
) -> Command:
    return Command(
        id=f"{random.getrandbits(64):016x}",
        device=device,
        command=name,
        params=params,
        ttl_ms=ttl_ms,
        caller="test",
        origin="test",
        created_time=wall_ms(),
    )


def sequence(watch: Watch) -> list[Any]:
    return [reading.values[0] for reading in watch.readings]


async def test_a_board_is_born_and_its_readings_come_in_order(board: PtyBoard) -> None:
    board.take(20)
    async with running(board.link) as (_, watch):
        await watch.until(lambda w: len(w.readings) >= 20)
        board.take(20)
        await watch.until(lambda w: len(w.readings) == 40)
        assert isinstance(watch.events[0], Born)
        assert sequence(watch) == list(range(40))
        assert [reading.seq for reading in watch.readings] == list(range(40))


async def test_readings_carry_the_time_at_which_they_were_taken(board: PtyBoard) -> None:
    async with running(board.link) as (_, watch):
        await watch.until(lambda w: w.born)
        await asyncio.sleep(0.3)
        before_ms = wall_ms()
        board.take()
        after_ms = wall_ms()
        await watch.until(lambda w: w.readings)
        (reading,) = watch.readings
        assert before_ms - 50 <= reading.source_time_ms <= after_ms + 50
        assert reading.quality is Quality.GOOD


async def test_an_ack_empties_the_outbox(board: PtyBoard) -> None:
    board.take(5)
    async with running(board.link) as (link, watch):
        await watch.until(lambda w: len(w.readings) == 5)
        link.ack(board.uid, "0000b001", 3)
        async with asyncio.timeout(20):
            while board.outbox.first_seq != 4:
                await asyncio.sleep(0.01)
        assert board.outbox.next_seq == 5


async def test_what_was_committed_before_does_not_come_again(board: PtyBoard) -> None:
    board.take(10)
    async with running(board.link, shared(lambda _device, _boot: 6)) as (_, watch):
        await watch.until(lambda w: w.readings and w.readings[-1].seq == 9)
        assert [reading.seq for reading in watch.readings] == [7, 8, 9]


async def test_an_unplugged_board_is_gone_and_a_replugged_one_is_itself(board: PtyBoard) -> None:
    async with running(board.link) as (link, watch):
        board.take()
        await watch.until(lambda w: w.readings)
        await board.unplug()
        await watch.until(lambda w: w.gone)
        assert "unplugged" in watch.gone[0].reason
        assert link.device is None
        board.take()
        board.plug()
        await watch.until(lambda w: len(w.readings) == 2)
        assert [born.birth.device for born in watch.born] == [board.uid] * 2
        assert sequence(watch) == [0, 1]


@pytest.mark.slow
async def test_twenty_replugs_leave_no_descriptor_and_no_task(board: PtyBoard) -> None:
    async with running(board.link) as (_, watch):
        await watch.until(lambda w: w.born)
        await board.unplug()
        await watch.until(lambda w: w.gone)
        descriptors, tasks = open_descriptors(), len(asyncio.all_tasks())
        for n in range(2, 22):
            board.plug()
            await watch.until(lambda w, n=n: len(w.born) == n)  # type: ignore[misc] # mypy knows no defaults
            await board.unplug()
            await watch.until(lambda w, n=n: len(w.gone) == n)  # type: ignore[misc] # as above
        await asyncio.sleep(0.05)
        assert (open_descriptors(), len(asyncio.all_tasks())) == (descriptors, tasks)


async def test_garbage_is_console_and_the_session_lives(board: PtyBoard) -> None:
    noise = random.Random(7)
    async with running(board.link) as (_, watch):
        await watch.until(lambda w: w.born)
        for _ in range(20):
            board.write(b"\x1e[1,2,3" + noise.randbytes(100) + b"\nTraceback (most recent call last):\n\x1e")
            board.take()
            await asyncio.sleep(0.01)
        await watch.until(lambda w: len(w.readings) == 20)
        assert sequence(watch) == list(range(20))
        assert watch.gone == []
        assert any("Traceback" in line.text for line in watch.lines)


async def test_a_command_returns_the_boards_result(tmp_path: Path) -> None:
    board = PtyBoard(tmp_path / "tty", answer=lambda name, params: (True, {"did": name, **params}))
    board.plug()
    async with running(board.link) as (link, watch):
        await watch.until(lambda w: w.born)
        assert await link.send(command("led", state="on")) == {"did": "led", "state": "on"}
        assert board.commands == [("led", {"state": "on"})]
    await board.unplug()


async def test_a_boards_refusal_comes_in_its_own_words(tmp_path: Path) -> None:
    board = PtyBoard(tmp_path / "tty", answer=lambda _name, _params: (False, "no such pin"))
    board.plug()
    async with running(board.link) as (link, watch):
        await watch.until(lambda w: w.born)
        with pytest.raises(Refused, match="no such pin"):
            await link.send(command())
    await board.unplug()


async def test_a_board_that_stays_silent_gives_no_answer(tmp_path: Path) -> None:
    board = PtyBoard(tmp_path / "tty", answer=lambda _name, _params: None)
    board.plug()
    async with running(board.link) as (link, watch):
        await watch.until(lambda w: w.born)
        with pytest.raises(NoAnswer):
            await link.send(command(ttl_ms=150))
        assert len(board.commands) == 1
    await board.unplug()


async def test_a_command_under_way_ends_at_once_when_the_board_is_unplugged(tmp_path: Path) -> None:
    board = PtyBoard(tmp_path / "tty", answer=lambda _name, _params: None)
    board.plug()
    async with running(board.link) as (link, watch):
        await watch.until(lambda w: w.born)
        sending = asyncio.create_task(link.send(command(ttl_ms=600_000)))
        async with asyncio.timeout(20):
            while not board.commands:
                await asyncio.sleep(0.01)
        await board.unplug()
        with pytest.raises(NotReachable, match="unplugged"):
            await sending


async def test_a_command_without_a_board_is_refused_at_once(tmp_path: Path) -> None:
    link = SerialLink(str(tmp_path / "tty"), shared())
    with pytest.raises(NotReachable):
        await link.send(command())


async def test_a_second_board_with_the_same_id_is_refused_loudly(board: PtyBoard, tmp_path: Path) -> None:
    double = PtyBoard(tmp_path / "double", uid=board.uid, boot_id="0000b002")
    both = shared()
    async with running(board.link, both) as (_, first):
        await first.until(lambda w: w.born)
        double.plug()
        async with running(double.link, both) as (_, second):
            await second.until(lambda w: w.lines)
            (line,) = second.lines
            assert (line.device, line.level) == (board.uid, "error")
            assert str(board.link) in line.text
            assert second.born == []
            board.take()
            await first.until(lambda w: w.readings)
    await double.unplug()


async def test_a_board_keeps_its_identity_on_another_port(board: PtyBoard, tmp_path: Path) -> None:
    both = shared()
    other = tmp_path / "other"
    async with running(board.link, both) as (_, first), running(other, both) as (_, second):
        await first.until(lambda w: w.born)
        await board.unplug()
        board.link = other
        board.plug()
        await second.until(lambda w: w.born)
        assert second.born[0].birth.device == board.uid


async def test_a_hostile_birth_is_told_and_the_link_lives(tmp_path: Path) -> None:
    board = PtyBoard(tmp_path / "tty", birth={"groups": [{"metrics": [{"name": "../../etc"}]}]})
    board.plug()
    async with running(board.link) as (link, watch):
        await watch.until(lambda w: w.lines)
        assert "metrics[0].name" in watch.lines[0].text
        assert watch.born == []
        assert link.open
    await board.unplug()


async def test_an_absent_port_is_logged_once_and_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    board = PtyBoard(tmp_path / "tty")
    async with running(board.link) as (_, watch):
        await asyncio.sleep(0.5)
        board.plug()
        await watch.until(lambda w: w.born)
    await board.unplug()
    assert sum("nothing is there" in record.getMessage() for record in caplog.records) == 1


async def test_figures_come_while_a_board_is_online(board: PtyBoard) -> None:
    async with running(board.link) as (_, watch):
        await watch.until(lambda w: w.health)
        figures = watch.health[0].figures
        assert watch.health[0].device == board.uid
        assert {"crc_errors", "gaps", "frames", "tx_dropped_bytes"} <= figures.keys()


async def test_the_end_of_the_hub_is_told(board: PtyBoard) -> None:
    async with running(board.link) as (_, watch):
        await watch.until(lambda w: w.born)
    assert watch.gone == [Gone(board.uid, "the hub stops")]
