"""Tokens and sessions."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hub.health import Health
from hub.model import Identity, Role
from hub.store.folder import StoreError
from hub.store.identity.accounts import Accounts
from hub.store.identity.rights import BadName, NameTaken
from hub.store.identity.sessions import SESSION_IDLE_MS, SESSION_LIFE_MS
from hub.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

DAY_MS = 86_400_000


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return Accounts.open(tmp_path)


def test_a_token_is_known_by_its_secret_with_its_role(accounts: Accounts) -> None:
    plain = accounts.tokens.create("grafana", Role.VIEWER, 1)
    assert accounts.tokens.identity(plain, 2) == Identity("token:grafana", Role.VIEWER)


def test_a_token_is_a_prefix_and_256_random_bits(accounts: Accounts) -> None:
    plain = accounts.tokens.create("a", Role.VIEWER, 1)
    assert (plain[:8], len(plain)) == ("outpost_", 8 + 43)
    assert plain != accounts.tokens.create("b", Role.VIEWER, 1)


def test_no_secret_is_in_the_file(accounts: Accounts, tmp_path: Path) -> None:
    secrets = [accounts.tokens.create("a", Role.ADMIN, 1), accounts.sessions.begin("u", Role.ADMIN, 1)]
    accounts.tokens.identity(secrets[0], 2)
    for file in tmp_path.iterdir():
        data = file.read_bytes()
        assert not any(secret.encode() in data for secret in secrets)


@pytest.mark.parametrize(
    "plain", ["", "outpost_", "outpost_" + "A" * 43, "x" * 1000, "\ud800", "' OR 1=1 --"]
)
def test_an_unknown_secret_is_nobody(accounts: Accounts, plain: str) -> None:
    accounts.tokens.create("a", Role.ADMIN, 1)
    assert accounts.tokens.identity(plain, 1) is None
    assert accounts.sessions.identity(plain, 1) is None


def test_a_session_is_no_token_and_a_token_no_session(accounts: Accounts) -> None:
    assert accounts.tokens.identity(accounts.sessions.begin("u", Role.ADMIN, 1), 1) is None
    assert accounts.sessions.identity(accounts.tokens.create("a", Role.ADMIN, 1), 1) is None


def test_a_name_is_taken_once(accounts: Accounts) -> None:
    accounts.tokens.create("a", Role.VIEWER, 1)
    with pytest.raises(NameTaken, match="'a'"):
        accounts.tokens.create("a", Role.ADMIN, 1)


@pytest.mark.parametrize("name", ["", " a", "a\n", "x" * 65, "a\x1b[31m"])
def test_a_name_nobody_could_read_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(BadName):
        accounts.tokens.create(name, Role.VIEWER, 1)


def test_a_revoked_token_is_nobody_at_once(accounts: Accounts) -> None:
    plain = accounts.tokens.create("a", Role.VIEWER, 1)
    assert accounts.tokens.revoke("a", 9) is True
    assert accounts.tokens.identity(plain, 1) is None
    assert accounts.tokens.revoke("a", 9) is False


def test_use_is_recorded_once_a_minute(accounts: Accounts) -> None:
    plain = accounts.tokens.create("a", Role.VIEWER, 0)
    seen = []
    for now in (1_000, 30_000, 60_999, 61_000):
        accounts.tokens.identity(plain, now)
        seen.append(accounts.tokens.all()[0].last_used_time)
    assert seen == [1_000, 1_000, 1_000, 61_000]


def test_a_locked_database_does_not_lock_people_out(accounts: Accounts, tmp_path: Path) -> None:
    plain = accounts.tokens.create("a", Role.VIEWER, 0)
    with contextlib.closing(sqlite3.connect(tmp_path / "outpost.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert accounts.tokens.identity(plain, 1) is not None


def test_a_session_ends_after_seven_idle_days(accounts: Accounts) -> None:
    plain = accounts.sessions.begin("u", Role.OPERATOR, 0)
    assert accounts.sessions.identity(plain, SESSION_IDLE_MS - 1) == Identity("user:u", Role.OPERATOR)
    assert accounts.sessions.identity(plain, 2 * SESSION_IDLE_MS - 1) is None


def test_a_session_in_daily_use_ends_after_thirty_days(accounts: Accounts) -> None:
    plain = accounts.sessions.begin("u", Role.OPERATOR, 0)
    for day in range(30):
        assert accounts.sessions.identity(plain, day * DAY_MS) is not None
    assert accounts.sessions.identity(plain, SESSION_LIFE_MS) is None


def test_an_ended_session_is_nobody(accounts: Accounts) -> None:
    plain = accounts.sessions.begin("u", Role.ADMIN, 0)
    accounts.sessions.end(plain)
    assert accounts.sessions.identity(plain, 0) is None


def test_sessions_that_ended_leave_the_file(accounts: Accounts, tmp_path: Path) -> None:
    accounts.sessions.begin("u", Role.ADMIN, 0)
    accounts.sessions.begin("u", Role.ADMIN, SESSION_IDLE_MS)
    with contextlib.closing(sqlite3.connect(tmp_path / "outpost.db")) as connection:
        assert connection.execute("SELECT count(*) FROM login").fetchone() == (1,)


def test_a_file_that_is_gone_is_a_clear_error(accounts: Accounts, tmp_path: Path) -> None:
    (tmp_path / "outpost.db").unlink()
    with pytest.raises(StoreError, match="cannot be read or written"):
        accounts.tokens.all()


@pytest.mark.slow
async def test_a_token_made_by_another_process_holds_at_once_in_a_running_hub(tmp_path: Path) -> None:
    store = Store.open(tmp_path, health=Health(), now_ms=lambda: 0)
    await store.start()
    script = (
        "import sys, pathlib\n"
        "from hub.model import Role\n"
        "from hub.store.identity.accounts import Accounts\n"
        "print(Accounts.open(pathlib.Path(sys.argv[1])).tokens.create('cli', Role.ADMIN, 5))\n"
    )
    done = subprocess.run(  # noqa: ASYNC221 - the hub's writer has a thread of its own
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert store.accounts.tokens.identity(done.stdout.strip(), 6) == Identity("token:cli", Role.ADMIN)
    await store.close()
