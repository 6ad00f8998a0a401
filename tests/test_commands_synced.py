"""The journal of commands reaches the medium soon, in groups, and costs no command a wait."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from hub.commands.durable import Durable
from hub.commands.journal import NAME, Journal
from hub.model import CommandResult, CommandState
from tests import power_cut
from tests.fakes import until
from tests.journal_child import COMMAND, LINES
from tests.soak import times

if TYPE_CHECKING:
    from tests.power_cut import Recording

CHILD = Path(__file__).with_name("journal_child.py")
CUTS = times(40, 400)


def put(journal: Journal, number: int) -> None:
    state = CommandState.QUEUED
    journal.put(CommandResult(id=f"{number}", device="d", command="c", state=state, time=number), COMMAND)


async def test_lines_are_synced_in_groups_and_nobody_waits(tmp_path: Path) -> None:
    durable = Durable(tmp_path, sync_s=0.01)
    journal = Journal(tmp_path, lambda: True, durable=durable)
    with patch("os.fdatasync", wraps=os.fdatasync) as synced:
        for number in range(1000):
            put(journal, number)
        assert (synced.called, durable.settled) == (False, False)
        await until(lambda: durable.settled)
        assert synced.call_count == 1
        put(journal, 1000)
        await until(lambda: durable.settled)
        assert synced.call_count == 2
    journal.close()


async def test_a_quiet_journal_syncs_nothing(tmp_path: Path) -> None:
    durable = Durable(tmp_path, sync_s=0)
    assert durable.settled
    Journal(tmp_path, lambda: True, durable=durable).close()
    assert durable.settled


async def test_a_file_is_synced_before_another_takes_its_place(tmp_path: Path) -> None:
    durable = Durable(tmp_path, sync_s=60)
    journal = Journal(tmp_path, lambda: True, full_bytes=400, durable=durable)
    with patch("os.fdatasync", wraps=os.fdatasync) as synced:
        for number in range(4):
            put(journal, number)
        await until(lambda: synced.called)
    assert (tmp_path / f"{NAME}.1").exists()
    journal.close()
    await until(lambda: durable.settled)


async def test_a_medium_that_fails_is_told_once_and_stops_no_command(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    durable = Durable(tmp_path, sync_s=0)
    journal = Journal(tmp_path, lambda: True, durable=durable)
    with patch("os.fdatasync", side_effect=OSError(5, "Input/output error")):
        for number in range(3):
            put(journal, number)
            await until(lambda: durable.settled)
    assert caplog.text.count("cannot be synced") == 1
    put(journal, 3)
    await until(lambda: durable.settled)
    assert len(journal.read()) == 4
    journal.close()


def recording(place: Path, way: str) -> Recording:
    reason = power_cut.reason_against()
    if reason is not None:
        pytest.skip(reason)
    folder = place / "hub"
    folder.mkdir()
    return power_cut.record([sys.executable, str(CHILD), str(folder), way], folder, place / "strace")


def lost(found: Recording, folder: Path, rng: random.Random) -> set[str]:
    """Return what was told to be on the medium before a cut, and is not there after it."""
    told = set(found.cut(folder, rng.randrange(len(found.calls)), rng).decode().split())
    return told - {outcome.id for _, outcome in Journal(folder, lambda: True).read()}


@pytest.mark.slow
@pytest.mark.parametrize(("way", "some_lost"), [("synced", False), ("left to the kernel", True)])
def test_a_power_cut_takes_nothing_that_was_synced(tmp_path: Path, way: str, some_lost: bool) -> None:
    found = recording(tmp_path, way)
    rng = random.Random(20261121)
    losses = [lost(found, tmp_path / str(number), rng) for number in range(CUTS)]
    assert any(losses) == some_lost
    assert len(found.calls) > LINES
