"""What an unknown board says is kept aside, and becomes history when it is accepted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.enrolment import waiting
from hub.model import KeyState
from tests.enrolment_boards import A, Keeper, board
from tests.enrolment_rig import BY, Desk, desk
from tests.fakes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path / "data", tmp_path / "left", tmp_path / "right") as made:
        yield made


async def test_nothing_that_a_board_says_while_it_waits_is_acknowledged_or_stored(
    hub: Desk, tmp_path: Path
) -> None:
    one = board(tmp_path / "left", Keeper())
    one.plug()
    one.take(5)
    await until(lambda: (view := hub.view(A)) is not None and view.readings_kept == 5)
    await asyncio.sleep(0.2)  # commits come each 50 ms
    assert one.outbox.first_seq == 0
    assert hub.handed(A) == []
    await one.unplug()


async def test_what_was_kept_aside_becomes_history_once_and_in_order(hub: Desk, tmp_path: Path) -> None:
    keeper = Keeper()
    one = board(tmp_path / "left", keeper)
    one.plug()
    one.take(20)
    await until(lambda: (view := hub.view(A)) is not None and view.readings_kept == 20)
    hub.enrolment.accept(A, BY)
    one.take(5)
    await until(lambda: one.outbox.first_seq == 25)
    assert hub.handed(A) == list(range(25))
    await until(lambda: hub.key(A) is KeyState.PROVEN)
    assert keeper.seen == ["prove", "enrol", "prove"]
    await hub.send(A, "led")
    assert keeper.seen[-1] == "led"
    await one.unplug()


async def test_a_board_that_is_away_when_it_is_accepted_has_its_samples_stored(
    hub: Desk, tmp_path: Path
) -> None:
    keeper = Keeper()
    one = board(tmp_path / "left", keeper)
    one.plug()
    one.take(4)
    await until(lambda: (view := hub.view(A)) is not None and view.readings_kept == 4)
    await one.unplug()
    await until(lambda: (view := hub.view(A)) is not None and not view.online)
    hub.enrolment.accept(A, BY)
    assert hub.handed(A) == [0, 1, 2, 3]
    assert not hub.online(A)
    one.take(2)
    one.plug()
    await until(lambda: one.outbox.first_seq == 6)
    assert hub.handed(A) == list(range(6))
    await one.unplug()


async def test_when_no_more_can_be_kept_the_rest_stays_on_the_board_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "BOARD_BYTES", 2_000)
    async with desk(tmp_path / "data", tmp_path / "left") as hub:
        one = board(tmp_path / "left", Keeper())
        one.plug()
        one.take(30)
        await until(lambda: (view := hub.view(A)) is not None and view.readings_left > 5)
        hub.enrolment.accept(A, BY)
        one.take(5)
        await until(lambda: one.outbox.first_seq == 35)
        assert hub.handed(A) == list(range(35))
        await one.unplug()


@pytest.mark.parametrize("away", [False, True])
async def test_much_that_was_kept_is_passed_on_by_and_by_before_what_comes_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: bool
) -> None:
    for room in ("hub.links.door", "hub.enrolment.enrolment"):
        monkeypatch.setattr(f"{room}.AT_ONCE", 3)
    async with desk(tmp_path / "data", tmp_path / "left") as hub:
        one = board(tmp_path / "left", Keeper())
        one.plug()
        one.take(30)
        await until(lambda: (view := hub.view(A)) is not None and view.readings_kept == 30)
        if away:
            await one.unplug()
            await until(lambda: (view := hub.view(A)) is not None and not view.online)
        hub.enrolment.accept(A, BY)
        one.take(5)
        if away:
            one.plug()
        await until(lambda: one.outbox.first_seq == 35)
        assert hub.handed(A) == list(range(35))
        await one.unplug()
