"""A board's birth makes it known, without any configuration of the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jsonschema

from hub.model import LinkKind, Quality

if TYPE_CHECKING:
    from hil.board import Board

COMMANDS = {"led", "read", "set_interval", "identify", "reboot"}


async def test_the_board_says_who_it_is(board: Board) -> None:
    view = await board.view()
    assert view.link is LinkKind.SERIAL
    assert view.name
    assert view.model
    assert "MicroPython" in view.firmware
    assert view.boot_id


async def test_it_has_its_own_metrics(board: Board) -> None:
    names = {metric.name for metric in (await board.view()).metrics}
    assert {"sequence", "uptime", "memory"} <= names


async def test_every_metric_says_how_often_it_comes(board: Board) -> None:
    assert all(metric.interval_ms for metric in (await board.view()).metrics)


async def test_every_metric_has_a_value_of_its_kind(board: Board) -> None:
    kinds: dict[str, tuple[type, ...]] = {
        "number": (int, float),
        "boolean": (bool,),
        "text": (str,),
        "enum": (str,),
    }
    for metric in (await board.view()).metrics:
        assert metric.last is not None, metric.name
        assert isinstance(metric.last.value, kinds[metric.kind]), metric
        assert metric.last.quality is not Quality.BAD, metric


async def test_every_command_has_a_schema(board: Board) -> None:
    commands = {command.name: command for command in (await board.view()).commands}
    assert set(commands) >= COMMANDS
    for command in commands.values():
        assert command.title
        jsonschema.Draft202012Validator.check_schema(command.params)


async def test_a_sample_is_dated_when_it_was_taken(board: Board) -> None:
    metric = await board.metric("uptime")
    assert metric.last is not None
    assert -1000 < metric.last.hub_time - metric.last.source_time < 5000
