"""A serial port: the descriptor on the loop, its lock, and what goes wrong with it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import tty
from typing import TYPE_CHECKING

import pytest

from hub.links.serial_port import WRITE_BYTES, Port, PortAbsent, PortUnusable, opened
from tests.descriptors import open_descriptors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
