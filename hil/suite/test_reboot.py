"""A board restarts on command and comes back as the same device."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hub.model import CommandState

if TYPE_CHECKING:
    from hil.board import Board
    from hub.web.api.views import DeviceView


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
    asked_s = time.monotonic()
    await board.send("reboot")

    async def back() -> bool:
        view = await board.view()
        return view.online and view.boot_id != boot_id

    await board.until(back, "the board to be back with a new boot id")
    uptime_s = (await board.send("read")).result["uptime"]
    assert uptime_s <= time.monotonic() - asked_s
