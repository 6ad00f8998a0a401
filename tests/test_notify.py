"""Word to systemd, on a real socket: ready, stopping, and a watchdog that only progress feeds."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from hub.notify import Notifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.setblocking(False)
        yield sock


def heard(systemd: socket.socket) -> list[str]:
    words = []
    while True:
        try:
            words.append(systemd.recv(4096).decode())
        except BlockingIOError:
            return words


def test_ready_is_said_with_a_status(systemd: socket.socket) -> None:
    Notifier({"NOTIFY_SOCKET": systemd.getsockname()}).ready("serving")
    assert heard(systemd) == ["READY=1\nSTATUS=serving"]


def test_without_systemd_nothing_is_said() -> None:
    notifier = Notifier({})
    notifier.ready("serving")
    assert notifier.watchdog_s is None


def test_a_watchdog_meant_for_another_process_is_left_alone() -> None:
    assert Notifier({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}).watchdog_s is None


async def test_the_watchdog_is_fed_only_while_the_store_makes_progress(systemd: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000"})
    progress = 0
    feeding = asyncio.create_task(notifier.feed(lambda: progress))
    for _ in range(3):
        progress += 1
        await asyncio.sleep(0.03)
    fed = len(heard(systemd))
    await asyncio.sleep(0.1)
    starved = heard(systemd)
    feeding.cancel()
    assert fed >= 2
    assert starved == []
