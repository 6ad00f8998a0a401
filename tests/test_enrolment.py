"""Enrolment against scripted boards behind ptys: what waits, what is let in, what is turned away."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.enrolment import AlreadyAccepted, BoardStanding, NotEnrolled, waiting
from hub.enrolment.waiting import MOST_A_PLACE
from hub.links.door import UNKNOWN_COMMAND, Door, proof
from hub.links.gate import Entry, OpenGate, Standing
from hub.links.link import NotReachable
from hub.model import Birth, Born, KeyState, LinkKind
from hub.store.identity.rights import SecurityKind
from tests.enrolment_rig import BY, Desk, desk
from tests.fakes import until
from tests.pty_board import PtyBoard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.links.gate import Again, Guest
    from hub.model import LinkEvent

A, B = "e66100000000000a", "e66100000000000b"


class Keeper:
    """What a scripted board does with keys; `seen` are all commands that reached it."""

    def __init__(self, uid: str = A, boot_id: str = "0000b001") -> None:
        self.key: bytes | None = None
        self.seen: list[str] = []
        self.proofs: list[str] = []
        self.replays: str | None = None
        self.silent = False
        self._uid, self._boot_id = uid, boot_id

    def erase(self) -> bytes | None:
        """Lose the key, as a flash that is erased does; return what it was."""
        lost, self.key = self.key, None
        return lost

    def __call__(self, name: str, params: dict[str, Any]) -> tuple[bool, Any] | None:
        self.seen.append(name)
        if name == "enrol":
            self.key = bytes.fromhex(params["key"])
            return True, {"kept": True}
        if name != "prove":
            return True, None
        if self.silent:
            return None
        if self.replays is not None:
            return True, {"proof": self.replays}
        if self.key is None:
            return True, {"proof": None}
        self.proofs.append(proof(self.key, params["nonce"], self._uid, self._boot_id))
        return True, {"proof": self.proofs[-1]}


def board(path: Path, keeper: Any, uid: str = A, boot_id: str = "0000b001") -> PtyBoard:
    return PtyBoard(path, uid=uid, boot_id=boot_id, answer=keeper)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path / "data", tmp_path / "left", tmp_path / "right") as made:
        yield made


async def accepted(hub: Desk, path: Path, keeper: Keeper) -> PtyBoard:
    """Return a board that is in, with its key proven."""
    made = board(path, keeper)
    made.plug()
    await until(lambda: hub.view(A))
    hub.enrolment.accept(A, BY)
    await until(lambda: hub.key(A) is KeyState.PROVEN)
    return made


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


async def test_a_board_proves_its_key_to_a_hub_that_starts_anew(tmp_path: Path) -> None:
    keeper = Keeper()
    async with desk(tmp_path / "data", tmp_path / "left") as hub:
        one = await accepted(hub, tmp_path / "left", keeper)
        await one.unplug()
    keeper.seen.clear()
    async with desk(tmp_path / "data", tmp_path / "left") as hub:
        one.plug()
        await until(lambda: hub.key(A) is KeyState.PROVEN)
        assert keeper.seen == ["prove"]
        await one.unplug()


@pytest.mark.parametrize("fault", ["no key", "wrong key", "replay", "old firmware", "nonsense"])
async def test_who_does_not_prove_the_key_is_refused_and_the_boards_history_is_untouched(
    hub: Desk, tmp_path: Path, fault: str
) -> None:
    keeper = Keeper()
    real = await accepted(hub, tmp_path / "left", keeper)
    real.take(3)
    await until(lambda: real.outbox.first_seq == 3)
    await real.unplug()
    await until(lambda: not hub.online(A))

    def old(name: str, _params: dict[str, Any]) -> tuple[bool, Any]:
        return False, f"{UNKNOWN_COMMAND} {name!r}"

    false = Keeper()
    if fault == "wrong key":
        false.key = bytes(32)
    elif fault == "replay":
        false.replays = keeper.proofs[-1]
    answers: dict[str, Any] = {"old firmware": old, "nonsense": lambda _name, _params: (True, ["x"])}
    # The worst that it can copy: also the boot of the real one, whose readings it must not stand for.
    boot_id = "0000b001" if fault in ("wrong key", "replay") else "0000b0ff"
    other = board(tmp_path / "right", answers.get(fault, false), boot_id=boot_id)
    other.take(7)
    other.plug()
    await until(lambda: (view := hub.view(A)) is not None and view.state is BoardStanding.REFUSED)
    assert not hub.online(A)
    assert hub.handed(A) == [0, 1, 2]
    assert other.outbox.first_seq <= 3, "more than what is stored of that boot was acknowledged"
    assert hub.told[-1].kind is SecurityKind.BOARD_REFUSED
    assert str(tmp_path / "right") in hub.told[-1].detail
    # The real one comes to its own while the other is there, in the same boot even.
    real.take(2)
    real.plug()
    await until(lambda: hub.key(A) is KeyState.PROVEN)
    await until(lambda: real.outbox.first_seq == 5)
    assert hub.handed(A) == list(range(5))
    assert "enrol" not in false.seen
    await real.unplug()
    await other.unplug()


async def test_no_command_reaches_a_board_before_its_proof(hub: Desk, tmp_path: Path) -> None:
    keeper = Keeper()
    one = await accepted(hub, tmp_path / "left", keeper)
    await one.unplug()
    await until(lambda: not hub.online(A))
    keeper.silent = True
    keeper.seen.clear()
    one.plug()
    await until(lambda: "prove" in keeper.seen)
    with pytest.raises(NotReachable):
        await hub.send(A, "led")
    assert set(keeper.seen) == {"prove"}
    await one.unplug()


async def test_a_board_that_lost_its_key_gets_a_new_one_when_it_is_accepted_again(
    hub: Desk, tmp_path: Path
) -> None:
    keeper = Keeper()
    one = await accepted(hub, tmp_path / "left", keeper)
    await one.unplug()
    first = keeper.erase()
    one.take(3)
    one.plug()
    await until(lambda: (view := hub.view(A)) is not None and view.state is BoardStanding.REFUSED)
    hub.enrolment.accept(A, BY)
    await until(lambda: hub.key(A) is KeyState.PROVEN)
    await until(lambda: one.outbox.first_seq == 3)
    assert hub.handed(A) == [0, 1, 2]
    assert keeper.key not in (None, first)
    await one.unplug()


async def test_a_board_whose_firmware_keeps_no_key_is_in_without_one(hub: Desk, tmp_path: Path) -> None:
    one = board(tmp_path / "left", lambda name, _params: (False, f"{UNKNOWN_COMMAND} {name!r}"))
    one.plug()
    await until(lambda: hub.view(A))
    hub.enrolment.accept(A, BY)
    one.take(2)
    await until(lambda: one.outbox.first_seq == 2)
    assert hub.key(A) is KeyState.NONE
    await one.unplug()
    await until(lambda: not hub.online(A))
    # Its new firmware can: it gets the key at its next session, without another word of the admin's.
    keeper = Keeper(boot_id="0000b002")
    new = board(tmp_path / "left", keeper, boot_id="0000b002")
    new.plug()
    await until(lambda: hub.key(A) is KeyState.PROVEN)
    await new.unplug()


async def test_a_board_in_use_gets_a_new_key_without_a_break(hub: Desk, tmp_path: Path) -> None:
    keeper = Keeper()
    one = await accepted(hub, tmp_path / "left", keeper)
    first = keeper.key
    hub.enrolment.accept(A, BY)
    await until(lambda: keeper.seen == ["prove", "enrol", "prove"] * 2)
    await until(lambda: (view := hub.view(A)) is not None and view.key == "kept")
    assert keeper.key != first
    assert hub.online(A)
    await one.unplug()


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_hub_that_ends_while_it_gives_a_new_key_knows_the_board_by_either(
    tmp_path: Path, arrived: bool
) -> None:
    keeper = Keeper()
    cut = False

    def answer(name: str, params: dict[str, Any]) -> tuple[bool, Any] | None:
        told = keeper(name, params) if arrived or name != "enrol" or not cut else None
        return None if cut and name == "enrol" else told

    async with desk(tmp_path / "data", tmp_path / "left") as hub:
        one = board(tmp_path / "left", answer)
        one.plug()
        await until(lambda: hub.view(A))
        hub.enrolment.accept(A, BY)
        await until(lambda: hub.key(A) is KeyState.PROVEN)
        first, cut = keeper.key, True
        hub.enrolment.accept(A, BY)
        await until(lambda: [name for name, _ in one.commands].count("enrol") == 2)
        await one.unplug()
    assert (keeper.key != first) is arrived
    cut = False
    async with desk(tmp_path / "data", tmp_path / "left") as hub:
        one.plug()
        await until(lambda: (view := hub.view(A)) is not None and view.key == "kept")
        await until(lambda: hub.key(A) is KeyState.PROVEN)
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


class Pins(OpenGate):
    """A gate whose board must prove a key."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def knock(self, device: str, guest: Guest) -> Standing:
        return Standing(Entry.PROVE, key=bytes(range(32)))

    def failed(self, device: str, guest: Guest, why: str) -> None:
        self.words.append(why)


class Mute:
    """A wire that keeps what the door does."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.ended: list[str] = []

    def ask(self, call_id: str, command: str, params: dict[str, Any], ttl_ms: int) -> None:
        self.asked.append(call_id)

    def shut(self, reason: str) -> None:
        self.ended.append(reason)


BORN = Born(Birth(device=A, name="x", boot_id="0000b001"), LinkKind.SERIAL)


def nobody(_device: str, _boot_id: str) -> Again:
    return lambda _boot, _seq: None


async def test_a_board_on_the_broker_is_asked_for_its_key_and_never_given_one() -> None:
    class Offers(Pins):
        def knock(self, device: str, guest: Guest) -> Standing:
            return Standing(Entry.OPEN, next_key=bytes(range(32)))

    wire, passed = Mute(), list[Any]()
    door = Door("the broker", LinkKind.MQTT, passed.append, Offers(), wire, nobody)
    door.take(msgspec.structs.replace(BORN, link=LinkKind.MQTT))
    door.answered({"proof": None}, ok=True)
    assert [call.partition("-")[0] for call in wire.asked] == ["prove"]
    assert door.open
    assert [event.key for event in passed] == [KeyState.NONE]


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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(value=JSON | JSON.map(lambda inner: {"proof": inner}), ok=st.booleans())
def test_whatever_a_board_answers_lets_it_in_only_with_the_right_proof(value: Any, ok: bool) -> None:
    gate, wire, passed = Pins(), Mute(), list[Any]()

    def sink(event: LinkEvent) -> None:
        passed.append(event)

    door = Door("port", LinkKind.SERIAL, sink, gate, wire, nobody)
    door.take(BORN)
    assert door.mine(wire.asked[0])
    door.answered(value, ok=ok)
    assert not door.open
    assert (passed, len(gate.words), len(wire.ended)) == ([], 1, 1)
