"""The serial link and the real firmware on a virtual board: the same link that a Pico on USB gets."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest

from hil.virtual import image
from hil.virtual.board import VirtualBoard
from hub.config import SerialConfig
from hub.links.link import Refused
from hub.links.ports import SerialPorts
from hub.model import Command, Reading
from tests.background_task import beside
from tests.vm import needs_vm
from tests.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from hub.model import LinkEvent

pytestmark = [needs_vm, pytest.mark.slow]


@pytest.fixture
def board(tmp_path: Path) -> Iterator[VirtualBoard]:
    image.assemble(tmp_path / "flash", image.demo_configuration("bench"))
    board = VirtualBoard(tmp_path / "flash", link=tmp_path / "tty")
    board.start()
    yield board
    board.stop()
    assert board.crashes == []


@contextlib.asynccontextmanager
async def hub_on(path: Path) -> AsyncIterator[tuple[SerialPorts, Watch]]:
    """Run the serial link as the hub does; each reading counts as committed at once."""
    link = SerialPorts(
        SerialConfig(ports=(str(path),)),
        last_seq=lambda _device, _boot: -1,
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
    watch = Watch()

    def sink(event: LinkEvent) -> None:
        watch(event)
        if isinstance(event, Reading) and event.boot_id is not None and event.seq is not None:
            link.ack(event.device, event.boot_id, event.seq)

    async with beside(link.run(sink)):
        yield link, watch


def command(board: VirtualBoard, name: str, **params: Any) -> Command:
    return Command(
        id=f"{time.time_ns():016x}",
        device=board.uid,
        command=name,
        params=params,
        ttl_ms=10_000,
        caller="test",
        origin="test",
        created_time=0,
    )


def sequence(watch: Watch) -> list[Any]:
    return [
        reading.values[reading.metrics.index("sequence")]
        for reading in watch.readings
        if "sequence" in reading.metrics
    ]


async def test_the_firmware_is_born_and_its_readings_come_in_order(
    board: VirtualBoard, tmp_path: Path
) -> None:
    async with hub_on(tmp_path / "tty") as (_, watch):
        await watch.until(lambda w: len(sequence(w)) >= 5)
    (born,) = watch.born
    assert (born.birth.device, born.birth.name) == (board.uid, "bench")
    assert {"temperature", "vibration", "sequence"} <= {metric.name for metric in born.birth.metrics}
    assert {"led", "read", "reboot"} <= {command.name for command in born.birth.commands}
    seqs = [reading.seq for reading in watch.readings]
    assert seqs == list(range(seqs[0] or 0, (seqs[0] or 0) + len(seqs)))


async def test_an_unplugged_board_comes_back_with_what_it_sampled_meanwhile(
    board: VirtualBoard, tmp_path: Path
) -> None:
    async with hub_on(tmp_path / "tty") as (_, watch):
        await watch.until(lambda w: len(sequence(w)) >= 2)
        board.unplug()
        await watch.until(lambda w: w.gone)
        await asyncio.sleep(2.5)
        board.replug()
        await watch.until(lambda w: len(w.born) == 2)
        count = len(sequence(watch))
        await watch.until(lambda w: len(sequence(w)) >= count + 4)
    first, second = (born.birth for born in watch.born)
    assert (first.device, first.boot_id) == (second.device, second.boot_id)
    numbers = sequence(watch)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_a_command_lights_the_led_and_a_wrong_one_is_refused(
    board: VirtualBoard, tmp_path: Path
) -> None:
    async with hub_on(tmp_path / "tty") as (link, watch):
        await watch.until(lambda w: w.born)
        await link.send(command(board, "led", state="on"))
        with pytest.raises(Refused, match="state"):
            await link.send(command(board, "led", state="purple"))


async def test_a_rebooted_board_is_the_same_board_in_another_boot(
    board: VirtualBoard, tmp_path: Path
) -> None:
    async with hub_on(tmp_path / "tty") as (link, watch):
        await watch.until(lambda w: w.readings)
        await link.send(command(board, "reboot"))
        await watch.until(lambda w: len(w.born) == 2)
        boots = {born.birth.boot_id for born in watch.born}
        assert ({born.birth.device for born in watch.born}, len(boots)) == ({board.uid}, 2)
        await watch.until(lambda w: w.readings[-1].boot_id == w.born[1].birth.boot_id)
