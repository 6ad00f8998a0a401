"""A board is known again by its key, and by nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.enrolment import BoardStanding
from hub.links.door import UNKNOWN_COMMAND, Door
from hub.links.gate import Entry, OpenGate, Standing
from hub.links.link import NotReachable
from hub.model import Birth, Born, KeyState, LinkKind
from hub.store.identity.rights import SecurityKind
from tests.enrolment_boards import A, Keeper, accepted, board
from tests.enrolment_rig import BY, Desk, desk
from tests.fakes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.links.aside import Again
    from hub.links.gate import Guest
    from hub.model import LinkEvent


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path / "data", tmp_path / "left", tmp_path / "right") as made:
        yield made


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
