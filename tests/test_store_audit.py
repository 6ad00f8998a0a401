"""The audit trail of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hub.health import Health
from hub.model import Command, CommandResult, CommandState
from hub.store import audit
from hub.store.audit import CommandFilter
from hub.store.settings import StoreSettings
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.store.store import Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    settings = StoreSettings(ack_interval_s=0.01, read_interval_s=0.0)
    store = open_fresh(tmp_path, health=Health(), now_ms=lambda: 0, settings=settings)
    await store.start()
    yield store
    await store.close()


def command(identity: str, created: int = 1, device: str = "pico", params: Any = None) -> Command:
    return Command(
        id=identity,
        device=device,
        command="led",
        params=params or {"state": "on"},
        ttl_ms=5000,
        caller="user:eva",
        origin="websocket",
        created_time=created,
        key="k1",
    )


def put(
    store: Store,
    item: Command,
    state: CommandState,
    time: int,
    *,
    result: Any = None,
    error: str | None = None,
) -> None:
    answer = CommandResult(
        id=item.id,
        device=item.device,
        command=item.command,
        state=state,
        time=time,
        result=result,
        error=error,
    )
    store.put_command(item, answer)


async def test_an_entry_holds_who_what_when_and_the_outcome(store: Store) -> None:
    item = command("c1")
    put(store, item, CommandState.QUEUED, 1)
    put(store, item, CommandState.SENT, 2)
    await store.commands()  # the states of one command may reach the file in several commits
    put(store, item, CommandState.SUCCEEDED, 9, result={"led": True})
    (entry,), following = await store.commands()
    assert following is None
    assert (entry.id, entry.device, entry.command, entry.params) == ("c1", "pico", "led", {"state": "on"})
    assert (entry.caller, entry.origin, entry.key, entry.created_time) == ("user:eva", "websocket", "k1", 1)
    assert (entry.state, entry.result, entry.error) == (CommandState.SUCCEEDED, {"led": True}, None)
    assert entry.times == {CommandState.QUEUED: 1, CommandState.SENT: 2, CommandState.SUCCEEDED: 9}


async def test_an_error_is_kept(store: Store) -> None:
    put(store, command("c1"), CommandState.FAILED, 2, error="no such pin \ud800")
    (entry,), _ = await store.commands()
    assert (entry.state, entry.error) == (CommandState.FAILED, "no such pin ?")


async def test_pages_go_from_new_to_old_without_hole_or_double(store: Store) -> None:
    for number in range(7):
        put(store, command(f"c{number}", created=number // 2), CommandState.QUEUED, 1)
    seen: list[str] = []
    cursor = None
    while True:
        items, cursor = await store.commands(limit=2, before=cursor)
        seen += [item.id for item in items]
        if cursor is None:
            break
    assert seen == [f"c{number}" for number in reversed(range(7))]


async def test_the_trail_is_bounded_and_keeps_the_newest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "KEPT_COMMANDS", 10)
    monkeypatch.setattr(audit, "TRIM_EVERY", 5)
    for number in range(41):
        put(store, command(f"c{number}", created=number), CommandState.QUEUED, 1)
    items, _ = await store.commands()
    assert [item.id for item in items] == [f"c{number}" for number in reversed(range(31, 41))]


async def test_one_device_can_be_asked_for(store: Store) -> None:
    put(store, command("c1"), CommandState.QUEUED, 1)
    put(store, command("c2", device="other"), CommandState.QUEUED, 1)
    items, _ = await store.commands(CommandFilter(device="other"))
    assert [item.id for item in items] == ["c2"]


@pytest.mark.parametrize("params", [{"n": 2**80}, {"s": "\ud800"}, {"deep": [[[1]]]}])
async def test_params_come_back_as_they_were(store: Store, params: Any) -> None:
    put(store, command("c1", params=params), CommandState.QUEUED, 1)
    (entry,), _ = await store.commands()
    assert entry.params == params
