"""Enrolment against scripted boards behind ptys: what waits, what is let in, what is turned away."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

from hub.enrolment import AlreadyAccepted, BoardStanding, NotEnrolled
from hub.enrolment.waiting import MOST_A_PLACE
from hub.links.link import NotReachable
from hub.model import KeyState
from hub.store.identity.rights import SecurityKind
from tests.enrolment_boards import A, Keeper, accepted, board
from tests.enrolment_rig import BY, Desk, desk
from tests.fakes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path / "data", tmp_path / "left", tmp_path / "right") as made:
        yield made


async def test_an_unknown_board_waits_and_is_shown_with_what_it_says(hub: Desk, tmp_path: Path) -> None:
    keeper = Keeper()
    one = board(tmp_path / "left", keeper)
    one.plug()
    one.take(3)
    await until(lambda: (view := hub.view(A)) is not None and view.readings_kept == 3)
    view = hub.view(A)
    assert view is not None
    assert (view.state, view.online, view.name) == (BoardStanding.PENDING, True, "bench")
    assert view.latest["temperature"] == 21.5
    assert hub.parts.registry.get(A) is None
    with pytest.raises(NotReachable):
        await hub.send(A, "led")
    assert keeper.seen == []
    assert [event.kind for event in hub.told] == [SecurityKind.BOARD_PENDING]
    await one.unplug()


@pytest.mark.slow  # a hello a second
async def test_a_rejected_board_is_turned_away_and_its_samples_go(hub: Desk, tmp_path: Path) -> None:
    one = board(tmp_path / "left", Keeper())
    one.plug()
    one.take(3)
    await until(lambda: (view := hub.view(A)) is not None and view.readings_kept == 3)
    hub.enrolment.reject(A, BY)
    await until(lambda: not one.session.open)
    await asyncio.sleep(0.3)
    assert not one.session.open
    view = hub.view(A)
    assert view is not None
    assert view.state is BoardStanding.REJECTED
    hub.enrolment.accept(A, BY)
    # The hub dropped them, and the board has them still: nothing was acknowledged.
    await until(lambda: one.outbox.first_seq == 3)
    assert hub.handed(A) == [0, 1, 2]
    await one.unplug()


async def test_a_forgotten_board_waits_again_and_its_history_stays(hub: Desk, tmp_path: Path) -> None:
    one = await accepted(hub, tmp_path / "left", Keeper())
    one.take(2)
    await until(lambda: one.outbox.first_seq == 2)
    hub.enrolment.forget(A, BY)
    await until(lambda: (view := hub.view(A)) is not None and view.state is BoardStanding.PENDING)
    assert hub.handed(A) == [0, 1]
    one.take(2)
    await until(lambda: (view := hub.view(A)) is not None and view.readings_kept == 2)
    hub.enrolment.accept(A, BY)
    await until(lambda: one.outbox.first_seq == 4)
    assert hub.handed(A) == [0, 1, 2, 3]
    await one.unplug()


@pytest.mark.parametrize(("mode", "key"), [("auto", KeyState.PROVEN), ("off", None)])
async def test_a_setting_lets_unknown_boards_in_with_a_key_or_without_a_word(
    tmp_path: Path, mode: str, key: KeyState | None
) -> None:
    async with desk(tmp_path / "data", tmp_path / "left", mode=mode) as hub:
        one = board(tmp_path / "left", Keeper())
        one.plug()
        one.take(3)
        await until(lambda: one.outbox.first_seq == 3)
        await until(lambda: hub.key(A) is key)
        assert hub.handed(A) == [0, 1, 2]
        await one.unplug()


async def test_a_board_accepted_before_it_came_is_let_in_at_once(hub: Desk, tmp_path: Path) -> None:
    hub.enrolment.accept(A, BY)
    one = board(tmp_path / "left", Keeper())
    one.plug()
    await until(lambda: hub.key(A) is KeyState.PROVEN)
    assert not hub.told
    await one.unplug()


async def test_a_port_that_names_many_ids_keeps_a_few_waiting_and_no_more(hub: Desk, tmp_path: Path) -> None:
    def here(uid: str) -> bool | None:
        view = hub.view(uid)
        return None if view is None else view.online

    for number in range(MOST_A_PLACE + 3):
        uid = f"{number:016x}"
        one = board(tmp_path / "left", Keeper(), uid=uid, boot_id=f"{number:08x}")
        one.plug()
        await until(partial(here, uid))
        await one.unplug()
        await until(lambda uid=uid: here(uid) is False)  # type: ignore[misc] # a default has no type
    waiting = [one.device for one in hub.enrolment.items()]
    assert waiting == [f"{number:016x}" for number in range(3, MOST_A_PLACE + 3)]


async def test_what_cannot_be_decided_is_refused_in_words(hub: Desk, tmp_path: Path) -> None:
    for call in (hub.enrolment.reject, hub.enrolment.forget):
        with pytest.raises(NotEnrolled, match=A):
            call(A, BY)
    with pytest.raises(NotEnrolled, match="no id of a board"):
        hub.enrolment.accept("../etc", BY)
    hub.enrolment.accept(A, BY)
    with pytest.raises(AlreadyAccepted, match="forget"):
        hub.enrolment.reject(A, BY)
