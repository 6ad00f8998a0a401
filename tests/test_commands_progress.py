"""Long commands: how far they are, giving up what a device has, and jobs that the hub itself carries out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from hub.bus import Batch, Bus
from hub.commands import AlreadySent, BadParams, Commands, JobReport, QueueFull
from hub.commands.carried import Carried
from hub.devices import Registry, UnknownDevice
from hub.health import Health
from hub.links.link import Cancelled, NoAnswer, Refused
from hub.model import (
    Birth,
    Command,
    CommandProgress,
    CommandResult,
    CommandState,
    CommandType,
    LinkKind,
    Progress,
)
from tests.fakes import FakeLink, until
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOW_MS = 1_781_950_000_000
BIRTH = Birth(device="board", name="Board", commands=(CommandType(name="sweep"),))


class Rig:
    def __init__(self, commands: Commands, link: FakeLink, bus: Bus, registry: Registry) -> None:
        self.commands, self.link, self.registry = commands, link, registry
        self.seen: list[CommandResult] = []
        bus.subscribe(self._take)

    def _take(self, batch: Batch) -> None:
        self.seen += [event.data for event in batch.events]

    @property
    def states(self) -> list[str]:
        return [told.state for told in self.seen if told.progress is None]

    @property
    def told(self) -> list[Progress]:
        return [told.progress for told in self.seen if told.progress is not None]

    async def sent(self) -> tuple[asyncio.Task[CommandResult], str]:
        """Send a command that the device keeps; return its end and its id."""
        self.link.gate = asyncio.Event()
        asked = asyncio.ensure_future(
            self.commands.send(device="board", command="sweep", params={}, caller="user:a", origin="http")
        )
        await until(lambda: self.link.sent)
        return asked, self.link.sent[0].id

    async def job(self, job: Any, **more: Any) -> CommandResult:
        wanted = {"device": "board", "command": "update", "params": {"version": "2"}, "caller": "user:a"}
        return await self.commands.run_job(job, **{**wanted, **more})

    def release(self, error: Exception | None = None) -> None:
        def answer(_: Command) -> str:
            if error is not None:
                raise error
            return "done"

        self.link.answer = answer
        assert self.link.gate is not None
        self.link.gate.set()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    health = Health()
    store = open_fresh(tmp_path, health=health, now_ms=lambda: NOW_MS)
    await store.start()
    registry, link, bus = Registry(), FakeLink(), Bus(epoch="0badcafe", now_ms=lambda: NOW_MS, tick_s=0.001)
    registry.attach(link)
    registry.born(BIRTH, LinkKind.SERIAL, 1)
    commands = Commands(registry=registry, store=store, bus=bus, health=health, now_ms=lambda: NOW_MS)
    yield Rig(commands, link, bus, registry)
    await store.close()


# --- progress -----------------------------------------------------------------------------------------


async def test_what_a_device_tells_of_its_command_is_announced(rig: Rig) -> None:
    asked, identity = await rig.sent()
    rig.commands.progress(CommandProgress("board", identity, 40, "axis x"))
    await until(lambda: rig.told)
    assert rig.commands.progress_of(identity) == Progress(percent=40, text="axis x")
    rig.release()
    result = await asked
    assert (result.state, result.progress) == (CommandState.SUCCEEDED, None)
    assert rig.told == [Progress(percent=40, text="axis x")]
    assert rig.commands.progress_of(identity) is None


async def test_a_flood_of_progress_is_thinned_and_its_newest_told(rig: Rig) -> None:
    asked, identity = await rig.sent()
    for percent in range(100):
        rig.commands.progress(CommandProgress("board", identity, percent, ""))
    await until(lambda: rig.told and rig.told[-1].percent == 99)
    assert [told.percent for told in rig.told] == [0, 99]
    rig.release()
    await asked


@pytest.mark.parametrize("event", [("other", None), ("board", "deadbeef")])
async def test_progress_of_a_command_that_the_device_does_not_have_is_left_out(
    rig: Rig, event: tuple[str, str | None]
) -> None:
    asked, identity = await rig.sent()
    rig.commands.progress(CommandProgress(event[0], event[1] or identity, 5, "lies"))
    assert rig.commands.progress_of(identity) is None
    rig.release()
    await asked


async def test_a_percent_out_of_range_and_an_endless_text_are_bounded() -> None:
    told: list[Carried] = []
    request = Command(
        id="c", device="d", command="c", params={}, ttl_ms=1, caller="u", origin="http", created_time=1
    )
    carried = Carried(request, told.append)
    carried.state = CommandState.SENT
    carried.report(900, "x" * 10_000)
    carried.ends()
    assert carried.progress is not None
    assert (carried.progress.percent, len(carried.progress.text)) == (100, 200)


async def test_progress_that_comes_before_sending_or_after_the_end_is_left_out() -> None:
    told: list[Carried] = []
    request = Command(
        id="c", device="d", command="c", params={}, ttl_ms=1, caller="u", origin="http", created_time=1
    )
    carried = Carried(request, told.append)
    carried.report(1, "")
    carried.state = CommandState.SUCCEEDED
    carried.report(2, "")
    assert told == []


# --- giving up ----------------------------------------------------------------------------------------


async def test_a_command_that_the_device_has_is_cancelled_when_the_device_confirms(rig: Rig) -> None:
    asked, identity = await rig.sent()
    assert rig.commands.cancel(identity, "user:b") is False
    assert rig.link.cancelled == [identity]
    rig.release(Cancelled("stopped at 40 %"))
    result = await asked
    assert (result.state, result.error) == (CommandState.CANCELLED, "cancelled by user:b: stopped at 40 %")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (None, CommandState.SUCCEEDED),
        (Refused("too hot"), CommandState.FAILED),
        (NoAnswer("no answer within 10 s"), CommandState.TIMED_OUT),
    ],
)
async def test_a_command_that_the_device_does_not_give_up_goes_its_way(
    rig: Rig, error: Exception | None, state: CommandState
) -> None:
    asked, identity = await rig.sent()
    rig.commands.cancel(identity, "user:b")
    rig.release(error)
    assert (await asked).state is state


async def test_what_went_with_its_device_cannot_be_given_up(rig: Rig) -> None:
    asked, identity = await rig.sent()
    rig.registry.gone("board", "unplugged")
    with pytest.raises(AlreadySent, match="unplugged"):
        rig.commands.cancel(identity, "user:b")
    rig.release()
    await asked


# --- jobs ---------------------------------------------------------------------------------------------


async def test_a_job_is_one_command_with_progress_and_a_result(rig: Rig) -> None:
    async def job(report: JobReport) -> dict[str, int]:
        report.progress(10, "erasing")
        await until(lambda: rig.told)
        return {"bytes": 7}

    result = await rig.job(job)
    assert (result.state, result.result, result.origin) == (CommandState.SUCCEEDED, {"bytes": 7}, "job")
    await until(lambda: len(rig.states) == 3)
    assert rig.states == ["queued", "sent", "succeeded"]
    assert rig.told == [Progress(percent=10, text="erasing")]


async def test_commands_of_the_device_wait_while_a_job_runs(rig: Rig) -> None:
    done = asyncio.Event()

    async def job(_: JobReport) -> None:
        await done.wait()

    running = asyncio.ensure_future(rig.job(job))
    await asyncio.sleep(0.01)
    asked = asyncio.ensure_future(
        rig.commands.send(device="board", command="sweep", params={}, caller="user:a", origin="http")
    )
    await asyncio.sleep(0.01)
    assert rig.link.sent == []
    done.set()
    await asyncio.gather(running, asked)
    assert len(rig.link.sent) == 1


async def test_a_cancelled_job_cleans_up_and_is_cancelled(rig: Rig) -> None:
    cleaned: list[str] = []

    async def job(report: JobReport) -> None:
        try:
            report.progress(1)
            await asyncio.sleep(60)
        finally:
            cleaned.append(report.command.id)

    first = rig.commands.start_job(job, device="board", command="update", params={}, caller="user:a")
    await until(lambda: rig.told)
    assert rig.commands.cancel(first.command.id, "user:b") is False
    result = await first.outcome
    assert (result.state, cleaned) == (CommandState.CANCELLED, [result.id])
    assert result.error == "cancelled by user:b: the job gave it up"


async def test_a_job_past_its_point_of_no_return_goes_its_way(rig: Rig) -> None:
    async def job(report: JobReport) -> str:
        try:
            report.progress(1)
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "too late to stop"
        return ""

    first = rig.commands.start_job(job, device="board", command="update", params={}, caller="user:a")
    await until(lambda: rig.told)
    rig.commands.cancel(first.command.id, "user:b")
    result = await first.outcome
    assert (result.state, result.result) == (CommandState.SUCCEEDED, "too late to stop")


async def test_a_job_that_takes_too_long_is_ended_and_timed_out(rig: Rig) -> None:
    ended = asyncio.Event()

    async def job(_: JobReport) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    result = await rig.job(job, ttl_ms=30)
    assert result.state is CommandState.TIMED_OUT
    assert ended.is_set()


@pytest.mark.parametrize(
    ("error", "words"), [(Refused("no room on the board"), "no room"), (ZeroDivisionError(), "its log says")]
)
async def test_what_goes_wrong_in_a_job_fails_its_command(rig: Rig, error: Exception, words: str) -> None:
    async def job(_: JobReport) -> None:
        raise error

    result = await rig.job(job)
    assert result.state is CommandState.FAILED
    assert words in (result.error or "")


async def test_the_same_key_starts_a_job_once(rig: Rig) -> None:
    runs: list[JobReport] = []

    async def job(report: JobReport) -> None:
        runs.append(report)

    first, second = await asyncio.gather(rig.job(job, key="k"), rig.job(job, key="k"))
    assert (first, len(runs)) == (second, 1)


async def test_a_job_is_refused_before_it_begins(rig: Rig) -> None:
    async def job(_: JobReport) -> None:
        raise AssertionError

    with pytest.raises(UnknownDevice):
        await rig.job(job, device="nobody")
    with pytest.raises(BadParams, match="ttl_ms"):
        await rig.job(job, ttl_ms=10**9)
    asked, _ = await rig.sent()
    waiting = [asyncio.ensure_future(rig.job(_idle)) for _ in range(31)]
    await asyncio.sleep(0.01)
    with pytest.raises(QueueFull):
        await rig.job(job)
    rig.release()
    await asyncio.gather(asked, *waiting)


async def _idle(_: JobReport) -> None:
    return None
