"""When letting go acts: not on a clock that nobody knows to be right, and after a grace for changed rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.store.lifetime import clock_doubt
from hub.store.lifetime.clock_doubt import BUILT_MS, JUMP_MS, PATIENCE_S, Evidence, doubt
from hub.store.lifetime.policy import Policy, everything
from hub.store.lifetime.retention import Retention
from hub.store.settings import StoreSettings
from tests.sample_file import DAY, START, SampleFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

AGES = everything(86_400)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SampleFile]:
    found = SampleFile(tmp_path)
    found.put([(START, 1)])
    found.seal()
    found.roll(START + 2 * DAY)
    yield found
    found.committer.close()


def keeper(
    file: SampleFile,
    now_ms: list[int],
    policy: Policy = AGES,
    *,
    grace_s: float = 0.0,
    synchronised: bool = False,
) -> Retention:
    settings = StoreSettings(policy=policy, grace_s=grace_s)
    return Retention(
        file.committer,
        settings,
        lambda: now_ms[0],
        interrupted=lambda: False,
        synchronised=lambda: synchronised,
    )


def run(retention: Retention) -> int:
    """Do a pass; return how many rows went since the start."""
    retention.run()
    return retention.state.deleted_rows


def believe(file: SampleFile, at_ms: int, policy: Policy = AGES) -> None:
    """Leave a file whose clock was right at that time, and whose rules act."""

    def note(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT OR REPLACE INTO state VALUES ('clock', ?)", (at_ms,))
        connection.execute("INSERT OR REPLACE INTO state VALUES ('rules', ?)", (policy.fingerprint,))

    file.committer.work(note)


def test_what_is_too_old_goes_by_a_clock_that_ran_on(file: SampleFile) -> None:
    believe(file, START + 2 * DAY)
    assert run(keeper(file, [START + 3 * DAY])) > 0


def test_nothing_goes_by_a_clock_that_jumped_ahead(file: SampleFile) -> None:
    believe(file, START)
    retention = keeper(file, [START + 400 * DAY])
    assert run(retention) == 0
    assert "400 days after it was last seen right" in (retention.state.hold or "")


def test_a_clock_that_a_time_server_set_is_believed(file: SampleFile) -> None:
    believe(file, START)
    retention = keeper(file, [START + 400 * DAY], synchronised=True)
    assert run(retention) > 0
    assert retention.state.hold is None


def test_it_goes_on_when_the_clock_is_put_right(file: SampleFile) -> None:
    believe(file, START + 2 * DAY)
    now_ms = [START + 400 * DAY]
    retention = keeper(file, now_ms)
    assert run(retention) == 0
    now_ms[0] = START + 3 * DAY
    retention.due_at = 0.0
    assert run(retention) > 0
    assert retention.state.hold is None


def test_the_newest_sample_stands_for_the_clock_of_a_store_without_one(file: SampleFile) -> None:
    file.committer.work(
        lambda c: c.execute("INSERT INTO state VALUES ('rules', ?)", (AGES.fingerprint,)).fetchall()
    )
    retention = keeper(file, [START + JUMP_MS + 1000])
    run(retention)
    assert retention.state.hold is not None


def test_rules_that_changed_wait_and_say_until_when(file: SampleFile) -> None:
    believe(file, START + 2 * DAY, everything(365 * 86_400))
    now_ms = START + 3 * DAY
    retention = keeper(file, [now_ms], grace_s=3600.0)
    assert run(retention) == 0
    assert retention.state.grace_until == now_ms + 3_600_000
    retention.due_at = 0.0
    assert run(retention) > 0
    assert retention.state.grace_until is None


def test_the_same_rules_act_at_once_after_a_restart(file: SampleFile) -> None:
    believe(file, START + 2 * DAY)
    retention = keeper(file, [START + 3 * DAY], grace_s=3600.0)
    assert run(retention) > 0


def test_a_new_store_has_no_grace(tmp_path: Path) -> None:
    file = SampleFile(tmp_path / "new")
    retention = keeper(file, [START], grace_s=3600.0)
    run(retention)
    assert retention.state.grace_until is None
    file.committer.close()


# --- the clock, as a pure question --------------------------------------------------------------------


def evidence(
    now_ms: int, believed_ms: int | None, *, doubted_s: float = 0.0, synchronised: bool = False
) -> Evidence:
    return Evidence(now_ms=now_ms, believed_ms=believed_ms, doubted_s=doubted_s, synchronised=synchronised)


@pytest.mark.parametrize(
    "found",
    [
        evidence(START, None),
        evidence(START, START + 400 * DAY),
        evidence(START + JUMP_MS, START),
        evidence(START + 9 * JUMP_MS, START, synchronised=True),
        evidence(START + 9 * JUMP_MS, START, doubted_s=PATIENCE_S),
    ],
    ids=["nothing known", "behind", "a little ahead", "set by a server", "ran on for a week"],
)
def test_a_clock_is_believed(found: Evidence) -> None:
    assert doubt(found) is None


@pytest.mark.parametrize(
    "found",
    [
        evidence(0, None),
        evidence(BUILT_MS - 1, BUILT_MS - 2, synchronised=True),
        evidence(START + JUMP_MS + 1, START),
        evidence(2**53, START),
    ],
    ids=["1970", "before the first hub", "ahead", "no date"],
)
def test_a_clock_is_doubted(found: Evidence) -> None:
    assert (doubt(found) or "").startswith("the hub's clock says ")


def test_a_time_server_leaves_its_mark(tmp_path: Path) -> None:
    assert not clock_doubt.synchronised(tmp_path / "synchronized")
    (tmp_path / "synchronized").touch()
    assert clock_doubt.synchronised(tmp_path / "synchronized")
