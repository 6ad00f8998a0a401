"""Commands over time: what the journal tells after a hard end, keys that hold over a restart, taking back."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bus import Bus
from hub.commands import BadParams, Commands, NoSuchCommand, TooFast
from hub.commands.journal import NAME, Journal
from hub.commands.pace import Pace, PaceLimit
from hub.devices import Registry
from hub.health import Health
from hub.model import Birth, Command, CommandResult, CommandState, CommandType, LinkKind
from hub.store.audit import AuditEntry, CommandFilter
from tests.fakes import FakeLink, until
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.store.store import Store

NOW_MS = 1_781_950_000_000
LED = CommandType(name="led", params={"properties": {"state": {"enum": ["on", "off"]}}})


class Rig:
    """A store, a journal and a fake device under one folder, as one run of a hub."""

    def __init__(self, folder: Path, store: Store, commands: Commands, link: FakeLink) -> None:
        self.folder, self.store, self.commands, self.link = folder, store, commands, link

    async def led(self, **changes: Any) -> CommandResult:
        wanted = {"device": "board", "command": "led", "params": {"state": "on"}}
        return await self.commands.send(**{**wanted, "caller": "user:a", "origin": "http", **changes})

    async def trail(self) -> list[AuditEntry]:
        entries, _ = await self.store.commands(limit=1000)
        return list(reversed(entries))


@asynccontextmanager
async def run(folder: Path, pace: PaceLimit | None = None) -> AsyncIterator[Rig]:
    health = Health()
    store = open_fresh(folder, health=health, now_ms=lambda: NOW_MS)
    await store.start()
    registry, link = Registry(), FakeLink()
    registry.attach(link)
    registry.born(Birth(device="board", name="Board", commands=(LED,)), LinkKind.SERIAL, 1)
    journal = Journal(folder, lambda: store.degraded is None)
    tasks: set[asyncio.Task[CommandResult]] = set()

    def spawn(work: Any) -> asyncio.Task[CommandResult]:
        task: asyncio.Task[CommandResult] = asyncio.ensure_future(work)
        tasks.add(task)
        return task

    bus = Bus(epoch="0badcafe", now_ms=lambda: NOW_MS)
    commands = Commands(
        registry=registry, store=store, bus=bus, health=health, now_ms=lambda: NOW_MS,
        spawn=spawn, journal=journal, pace=pace,
    )  # fmt: skip
    await commands.recover()
    yield Rig(folder, store, commands, link)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.close()
    journal.close()


def left_behind(folder: Path, *states: CommandState, identity: str = "c1", key: str | None = None) -> None:
    """Leave a journal as a hub does that was killed after a command reached these states."""
    command = Command(
        id=identity, device="board", command="led", params={"state": "on"}, ttl_ms=5000,
        caller="user:a", origin="http", created_time=NOW_MS, key=key,
    )  # fmt: skip
    journal = Journal(folder, lambda: True)
    for state in states:
        outcome = CommandResult(
            id=identity, device="board", command="led", state=state, time=NOW_MS, result={"state": "on"}
        )
        journal.put(outcome, command if state is CommandState.QUEUED else None)
    journal.close()


# --- after a hard end ---------------------------------------------------------------------------------


async def test_a_command_that_waited_when_the_hub_was_killed_was_not_sent(tmp_path: Path) -> None:
    left_behind(tmp_path, CommandState.QUEUED)
    async with run(tmp_path) as rig:
        (entry,) = await rig.trail()
    assert (entry.state, rig.link.sent) == (CommandState.FAILED, [])
    assert (entry.error or "").startswith("not sent")


async def test_a_command_that_the_device_had_is_unknown_and_not_sent_again(tmp_path: Path) -> None:
    left_behind(tmp_path, CommandState.QUEUED, CommandState.SENT)
    async with run(tmp_path) as rig:
        (entry,) = await rig.trail()
    assert (entry.state, rig.link.sent) == (CommandState.FAILED, [])
    assert (entry.error or "").startswith("unknown")
    assert set(entry.times) == {CommandState.QUEUED, CommandState.SENT, CommandState.FAILED}


async def test_an_answer_that_the_store_never_got_is_in_the_trail(tmp_path: Path) -> None:
    left_behind(tmp_path, CommandState.QUEUED, CommandState.SENT, CommandState.SUCCEEDED)
    async with run(tmp_path) as rig:
        (entry,) = await rig.trail()
    assert (entry.state, entry.result) == (CommandState.SUCCEEDED, {"state": "on"})


async def test_a_second_start_changes_nothing_more(tmp_path: Path) -> None:
    left_behind(tmp_path, CommandState.QUEUED, CommandState.SENT)
    async with run(tmp_path) as rig:
        before = await rig.trail()
    async with run(tmp_path) as rig:
        assert await rig.trail() == before
        assert not (tmp_path / NAME).exists()


async def test_a_hub_that_is_told_to_stop_says_what_became_of_its_commands(tmp_path: Path) -> None:
    async with run(tmp_path) as rig:
        rig.link.gate = asyncio.Event()
        waiting = [asyncio.ensure_future(rig.led()) for _ in range(2)]
        await until(lambda: rig.link.sent)
    await asyncio.gather(*waiting, return_exceptions=True)
    async with run(tmp_path) as rig:
        errors = [(entry.error or "").partition(":")[0] for entry in await rig.trail()]
    assert sorted(errors) == ["not sent", "unknown"]


async def test_a_line_that_was_cut_short_hides_no_other(tmp_path: Path) -> None:
    left_behind(tmp_path, CommandState.QUEUED, CommandState.SUCCEEDED)
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"result":{"id":"c2","devi')
    async with run(tmp_path) as rig:
        assert [entry.id for entry in await rig.trail()] == ["c1"]


@given(junk=st.binary(max_size=200))
def test_junk_in_the_journal_is_left_out(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    folder = tmp_path_factory.mktemp("journal")
    (folder / NAME).write_bytes(junk + b"\n")
    left_behind(folder, CommandState.QUEUED)
    assert [command.id for command, _ in Journal(folder, lambda: True).read()] == ["c1"]


def test_the_journal_is_bounded_and_keeps_the_newest(tmp_path: Path) -> None:
    journal = Journal(tmp_path, lambda: True, full_bytes=4000)
    command = Command(
        id="", device="d", command="c", params={}, ttl_ms=1, caller="u", origin="http", created_time=1
    )
    for number in range(500):
        outcome = CommandResult(
            id=f"{number}", device="d", command="c", state=CommandState.QUEUED, time=number
        )
        journal.put(outcome, command)
    journal.close()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 9000
    assert [outcome.id for _, outcome in journal.read()][-3:] == ["497", "498", "499"]


def test_nothing_is_dropped_from_the_journal_while_the_store_is_stuck(tmp_path: Path) -> None:
    journal = Journal(tmp_path, lambda: False, full_bytes=100)
    left_behind(tmp_path, CommandState.QUEUED)
    for number in range(50):
        journal.put(CommandResult(id="c1", device="d", command="c", state=CommandState.SENT, time=number))
    journal.close()
    assert len(journal.read()) == 51


def test_a_journal_that_cannot_be_written_stops_no_command(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(tmp_path / "gone", lambda: True)
    for _ in range(3):
        journal.put(CommandResult(id="c", device="d", command="c", state=CommandState.SENT, time=1))
    assert caplog.text.count("cannot be written") == 1


# --- keys ---------------------------------------------------------------------------------------------


async def test_a_key_gets_the_first_result_after_a_restart_too(tmp_path: Path) -> None:
    async with run(tmp_path) as rig:
        first = await rig.led(key="k1")
    async with run(tmp_path) as rig:
        again = await rig.led(key="k1")
        assert (again, rig.link.sent) == (first, [])
        await rig.led(key="k2")
        await rig.led(key="k1", caller="user:b")
        assert len(rig.link.sent) == 2


async def test_a_key_of_a_command_that_was_in_flight_at_a_kill_runs_nothing(tmp_path: Path) -> None:
    left_behind(tmp_path, CommandState.QUEUED, CommandState.SENT, key="k1")
    async with run(tmp_path) as rig:
        again = await rig.led(key="k1")
        assert (again.id, again.state, rig.link.sent) == ("c1", CommandState.FAILED, [])


async def test_a_key_that_was_used_for_another_command_is_refused(tmp_path: Path) -> None:
    async with run(tmp_path) as rig:
        await rig.led(key="k1")
        with pytest.raises(BadParams, match="key"):
            await rig.led(key="k1", params={"state": "off"})
        assert len(rig.link.sent) == 1


# --- taking back, pace, filters -----------------------------------------------------------------------


async def test_a_command_that_waits_can_be_taken_back_and_is_never_sent(tmp_path: Path) -> None:
    async with run(tmp_path) as rig:
        rig.link.gate = asyncio.Event()
        first, second = (asyncio.ensure_future(rig.led()) for _ in range(2))
        await until(lambda: rig.link.sent)
        sent, waits = sorted(await rig.trail(), key=lambda entry: entry.state is CommandState.QUEUED)
        assert rig.commands.cancel(waits.id, "user:b")
        result = await second
        assert (result.state, result.error) == (CommandState.CANCELLED, "not sent: cancelled by user:b")
        rig.link.gate.set()
        assert (await first).state is CommandState.SUCCEEDED
        with pytest.raises(NoSuchCommand):
            rig.commands.cancel(sent.id, "user:b")
        assert len(rig.link.sent) == 1


async def test_a_caller_that_is_too_fast_is_told_to_wait_and_no_other_is(tmp_path: Path) -> None:
    async with run(tmp_path, PaceLimit(per_s=0.1, burst=3)) as rig:
        for _ in range(3):
            await rig.led()
        with pytest.raises(TooFast, match="wait"):
            await rig.led()
        await rig.led(caller="user:b")
        assert len(rig.link.sent) == 4


@given(st.lists(st.floats(0, 2), max_size=60))
def test_a_caller_never_gets_more_than_its_pace_and_waits_no_longer_than_told(steps: list[float]) -> None:
    pace, now_s = Pace(PaceLimit(per_s=2, burst=5)), 0.0
    for taken, step in enumerate(steps, 1):
        now_s += step
        wait_ms = pace.take("a", now_s)
        if wait_ms:
            now_s += wait_ms / 1000
            assert pace.take("a", now_s) == 0
        assert taken <= 5 + 2 * now_s + 1e-6


async def test_the_trail_is_filtered_by_state_caller_and_time(tmp_path: Path) -> None:
    async with run(tmp_path) as rig:
        await rig.led()
        await rig.led(caller="user:b", key="k")
        rig.link.answer = lambda _: 1 / 0
        await rig.led()

        async def count(**wanted: Any) -> int:
            return len((await rig.store.commands(CommandFilter(**wanted)))[0])

        assert await count(state=CommandState.FAILED) == 1
        assert await count(caller="user:b") == 1
        assert await count(keyed=True) == 1
        assert await count(from_ms=NOW_MS, to_ms=NOW_MS + 1) == 3
        assert await count(to_ms=NOW_MS) == 0


async def test_an_update_tells_who_asked_and_by_which_way(tmp_path: Path) -> None:
    async with run(tmp_path) as rig:
        result = await rig.led(origin="websocket")
    assert (result.caller, result.origin) == ("user:a", "websocket")
