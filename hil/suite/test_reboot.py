"""A board restarts on command and comes back as the same device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.model import CommandState

if TYPE_CHECKING:
    from hil.board import Board
    from hub.web.views import DeviceView


async def test_a_reboot_is_answered_and_makes_a_new_boot(board: Board) -> None:
    before = await board.view()
    result = await board.send("reboot")
    assert result.state is CommandState.SUCCEEDED

    async def back() -> DeviceView | None:
        view = await board.view()
        return view if view.online and view.boot_id != before.boot_id else None

    after = await board.until(back, "the board to be back with a new boot id")
    assert (after.id, after.name) == (before.id, before.name)
    assert [metric.name for metric in after.metrics] == [metric.name for metric in before.metrics]


async def test_uptime_starts_anew(board: Board) -> None:
    boot_id = (await board.view()).boot_id
    await board.send("reboot")

    async def young() -> bool:
        view = await board.view()
        last = next(metric.last for metric in view.metrics if metric.name == "uptime")
        return view.boot_id != boot_id and last is not None and last.value in (0, 1, 2, 3, 4, 5)

    await board.until(young, "an uptime of a few seconds")
