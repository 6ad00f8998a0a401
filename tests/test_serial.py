"""Serial ports: the descriptor on the loop, a board's session on a pty, one identity on one port."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import random
import time
import tty
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hub.links.boards import CLAIM_MS, EARLY_LINES, BoardEvents, Claims
from hub.links.link import NoAnswer, NotReachable, Refused
from hub.links.serial import SerialLink
from hub.links.serial_port import WRITE_BYTES, Port, PortAbsent, PortUnusable, opened
from hub.links.session import Shared
from hub.model import Born, Command, Gone, Kind, LinkKind, LogLine, Quality, Reading
from hub.wire.birth import Birth, Group
from hub.wire.events import Closed, Lost, Opened, Printed, Taken, Trouble
from tests.pty_board import BIRTH, PtyBoard
from tests.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from hub.links.link import LastSeq

NOW_MS = 1_763_700_000_000


# --- what a session says, in the hub's words ----------------------------------------------------------


def opened_event(uid: str = "b1", *, restarted: bool = True) -> Opened:
    return Opened(uid, "0000b001", "power", Birth(BIRTH), restarted)


def taken(*, bound_ms: float = 1.0, mapped_back: bool = False, monotonic_ms: float = 900.0) -> Taken:
    group = Group(BIRTH["groups"][0], "group")
    return Taken(7, 100, group, (7, 21.5, True, "on"), monotonic_ms, bound_ms, mapped_back)


def told(events: BoardEvents, event: Any, about: str | None = None) -> list[Any]:
    return events.translate(event, monotonic_ms=1000.0, now_ms=NOW_MS, about=about)


def test_a_birth_keeps_units_kinds_options_and_intervals() -> None:
    born = told(BoardEvents(), opened_event())[0]
    assert isinstance(born, Born)
    assert (born.link, born.birth.device, born.birth.name, born.birth.boot_id) == (
        LinkKind.SERIAL,
        "b1",
        "bench",
        "0000b001",
    )
    assert [(m.name, m.unit, m.kind, m.decimals, m.options) for m in born.birth.metrics] == [
        ("sequence", "", Kind.NUMBER, 0, ()),
        ("temperature", "°C", Kind.NUMBER, 2, ()),
        ("door", "", Kind.BOOLEAN, None, ()),
        ("mode", "", Kind.ENUM, None, ("off", "on")),
    ]
    assert {metric.interval_ms for metric in born.birth.metrics} == {100}
    assert [command.name for command in born.birth.commands] == ["led"]


def test_a_reading_carries_its_identity_and_the_time_at_which_it_was_taken() -> None:
    events = BoardEvents()
    told(events, opened_event())
    (reading,) = told(events, taken(monotonic_ms=900.0))
    assert reading == Reading(
        device="b1",
        metrics=("sequence", "temperature", "door", "mode"),
        values=(7, 21.5, True, "on"),
        source_time_ms=NOW_MS - 100,
        hub_time_ms=NOW_MS,
        quality=Quality.GOOD,
        boot_id="0000b001",
        seq=7,
    )


@pytest.mark.parametrize(("bound_ms", "mapped_back"), [(50.1, False), (1.0, True)])
def test_a_time_that_is_poorly_known_makes_a_reading_uncertain(bound_ms: float, mapped_back: bool) -> None:
    events = BoardEvents()
    told(events, opened_event())
    (reading,) = told(events, taken(bound_ms=bound_ms, mapped_back=mapped_back))
    assert reading.quality is Quality.UNCERTAIN


def test_a_time_before_the_hosts_1970_is_kept_as_its_beginning_and_uncertain() -> None:
    events = BoardEvents()
    told(events, opened_event())
    (reading,) = events.translate(taken(monotonic_ms=900.0), monotonic_ms=1000.0, now_ms=50)
    assert isinstance(reading, Reading)
    assert (reading.source_time_ms, reading.quality) == (0, Quality.UNCERTAIN)


def test_the_end_of_a_session_is_told_once() -> None:
    events = BoardEvents()
    told(events, opened_event())
    assert told(events, Closed("silent")) == [Gone("b1", "silent")]
    assert told(events, Closed("silent")) == []


def test_what_a_board_printed_before_its_birth_comes_after_it() -> None:
    events = BoardEvents()
    for n in range(EARLY_LINES + 1):
        assert told(events, Printed(f"line {n}")) == []
    lines = [event.text for event in told(events, opened_event()) if isinstance(event, LogLine)]
    assert lines == ["started (power)", *(f"line {n + 1}" for n in range(EARLY_LINES))]


def test_a_traceback_after_the_session_still_finds_its_board() -> None:
    events = BoardEvents()
    told(events, opened_event())
    told(events, Closed("silent"))
    assert told(events, Printed("MemoryError")) == [LogLine("b1", NOW_MS, "MemoryError")]


def test_lost_readings_and_troubles_are_lines_of_their_board() -> None:
    events = BoardEvents()
    told(events, opened_event())
    (lost,) = told(events, Lost(12))
    (trouble,) = told(events, Trouble("odd"))
    assert (lost.level, lost.text.startswith("12 readings are lost")) == ("warning", True)
    assert (trouble.level, trouble.text) == ("error", "odd")


def test_a_trouble_without_a_board_is_told_on_the_page_of_whom_it_is_about() -> None:
    assert told(BoardEvents(), Trouble("double")) == []
    assert told(BoardEvents(), Trouble("double"), about="b1") == [LogLine("b1", NOW_MS, "double", "error")]


# --- one identity on one port -------------------------------------------------------------------------


def test_a_second_board_with_the_same_id_is_refused_by_the_name_of_the_first_port() -> None:
    claims = Claims()
    assert claims.claim("b1", "/dev/a", 0) is None
    claims.opened("b1")
    refusal = claims.claim("b1", "/dev/b", 1_000_000)
    assert refusal is not None
    assert "/dev/a" in refusal


def test_a_board_may_say_hello_again_on_its_own_port() -> None:
    claims = Claims()
    claims.claim("b1", "/dev/a", 0)
    claims.opened("b1")
    assert claims.claim("b1", "/dev/a", 1) is None
    assert claims.claim("b1", "/dev/b", 2 * CLAIM_MS) is not None


def test_a_closed_port_gives_its_board_free_at_once() -> None:
    claims = Claims()
    claims.claim("b1", "/dev/a", 0)
    claims.opened("b1")
    claims.release("/dev/a")
    assert claims.claim("b1", "/dev/b", 1) is None


def test_a_claim_that_became_no_session_lapses() -> None:
    claims = Claims()
    claims.claim("b1", "/dev/a", 0)
    assert claims.claim("b1", "/dev/b", CLAIM_MS - 1) is not None
    assert claims.claim("b1", "/dev/b", CLAIM_MS) is None


def test_a_hello_renews_a_claim() -> None:
    claims = Claims()
    claims.claim("b1", "/dev/a", 0)
    claims.claim("b1", "/dev/a", CLAIM_MS - 1)
    assert claims.claim("b1", "/dev/b", CLAIM_MS) is not None


def test_a_session_that_ended_may_go_on_elsewhere_in_a_moment() -> None:
    claims = Claims()
    claims.claim("b1", "/dev/a", 0)
    claims.opened("b1")
    claims.ended("/dev/a", 10_000)
    assert claims.claim("b1", "/dev/b", 10_001) is not None
    assert claims.claim("b1", "/dev/b", 10_000 + CLAIM_MS) is None


def test_no_board_takes_the_place_of_the_host() -> None:
    assert Claims().claim("host", "/dev/a", 0) is not None


# --- the port -----------------------------------------------------------------------------------------


@pytest.fixture
def pair() -> Iterator[tuple[int, str]]:
    """A pty: the board's descriptor and the path of the hub's end."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


async def test_an_absent_port_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(PortAbsent, match="nothing is there"):
        await opened(str(tmp_path / "ttyACM9"))


async def test_a_busy_port_names_the_usual_suspects(pair: tuple[int, str]) -> None:
    first = await opened(pair[1])
    with pytest.raises(PortUnusable, match="in use by another program"):
        await opened(pair[1])
    os.close(first)


async def test_the_lock_is_the_one_that_mpremote_honours(pair: tuple[int, str]) -> None:
    fd = await opened(pair[1])
    other = os.open(pair[1], os.O_RDWR | os.O_NOCTTY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)
    os.close(fd)


async def test_a_file_that_is_no_port_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(PortUnusable, match="no usable serial port"):
        await opened(str(tmp_path / "file"))


async def test_opening_leaves_one_descriptor(pair: tuple[int, str]) -> None:
    before = open_descriptors()
    fd = await opened(pair[1])
    assert open_descriptors() == before + 1
    os.close(fd)


async def test_a_cancelled_opening_leaves_none(pair: tuple[int, str]) -> None:
    before = open_descriptors()
    task = asyncio.create_task(opened(pair[1]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(10):
        while open_descriptors() != before:
            await asyncio.sleep(0.01)


async def test_a_board_that_does_not_read_costs_a_bounded_buffer(pair: tuple[int, str]) -> None:
    master, path = pair
    port = Port(await opened(path), received=lambda _data: None, lost=lambda _reason: None)
    for _ in range(100):
        port.write(b"x" * 1024)
    assert port.dropped_bytes > 0
    # Once it reads, all that was not dropped comes, in whole writes.
    expected = 100 * 1024 - port.dropped_bytes
    assert expected >= WRITE_BYTES - 1024
    got = 0
    async with asyncio.timeout(20):
        while got < expected:
            await asyncio.sleep(0.005)
            with contextlib.suppress(BlockingIOError):
                got += len(os.read(master, 65536))
    port.write(b"more")
    async with asyncio.timeout(20):
        while True:
            await asyncio.sleep(0.005)
            with contextlib.suppress(BlockingIOError):
                assert os.read(master, 100) == b"more"
                break
    port.close()


async def test_what_was_discarded_never_arrives(pair: tuple[int, str]) -> None:
    master, path = pair
    port = Port(await opened(path), received=lambda _data: None, lost=lambda _reason: None)
    for _ in range(30):
        port.write(b"x" * 1024)
    with contextlib.suppress(BlockingIOError):
        while os.read(master, 65536):
            pass  # what the kernel already gave to the board
    port.discard()
    port.write(b"fresh")
    await asyncio.sleep(0.05)
    assert os.read(master, 65536).endswith(b"fresh")
    with pytest.raises(BlockingIOError):
        os.read(master, 65536)
    port.close()


async def test_silence_is_no_hang_up(pair: tuple[int, str]) -> None:
    lost: list[str] = []
    received: list[bytes] = []
    port = Port(await opened(pair[1]), received=received.append, lost=lost.append)
    await asyncio.sleep(0.05)
    os.write(pair[0], b"abc")
    async with asyncio.timeout(10):
        while not received:
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)
    port.close()
    assert (b"".join(received), lost) == (b"abc", [])


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# --- a board on a pty ---------------------------------------------------------------------------------


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def nothing_committed(_device: str, _boot_id: str) -> int:
    return -1


def shared(last_seq: LastSeq = nothing_committed) -> Shared:
    return Shared(last_seq=last_seq, now_ms=wall_ms)


@contextlib.asynccontextmanager
async def running(path: Path, with_: Shared | None = None) -> AsyncIterator[tuple[SerialLink, Watch]]:
    link, watch = SerialLink(str(path), with_ or shared()), Watch()
    task = asyncio.create_task(link.run(watch))
    try:
        yield link, watch
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


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
