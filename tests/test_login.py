"""Logging in by name and password: who gets in, who must wait, and what it costs the hub."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import pytest

from hub.model import Role
from hub.store.identity import users
from hub.web.gate import logins
from hub.web.gate.auth import COOKIE
from tests.web_hub import NOW_MS, Answered, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PASSWORD = "correct horse battery"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        running.parts.store.accounts.users.create("eva", Role.OPERATOR, PASSWORD, NOW_MS)
        yield running


class Verified:
    """Counts passwords that are really checked, how many at a time, and checks them."""

    def __init__(self, slow_s: float = 0) -> None:
        self.count = self.now = self.most = 0
        self._slow_s = slow_s
        self._lock = threading.Lock()

    def __call__(self, hashed: str | None, password: str) -> bool:
        with self._lock:
            self.count += 1
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            time.sleep(self._slow_s)
            return users.verify(hashed, password)
        finally:
            with self._lock:
                self.now -= 1


async def log_in(
    hub: WebHub, password: str = PASSWORD, name: str = "eva", address: str | None = None
) -> Answered:
    headers = {"Origin": hub.origin}
    if address is not None:
        headers["X-Forwarded-For"] = address
    return await hub.call(
        "POST", "session", role=None, headers=headers, json={"name": name, "password": password}
    )


async def test_a_user_logs_in_and_has_the_users_role(hub: WebHub) -> None:
    answered = await log_in(hub)
    assert (answered.status, answered.json()) == (200, {"name": "user:eva", "role": "operator"})
    cookie = answered.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "SameSite=Strict"):
        assert part in cookie
    session = await hub.get("session", role=None, headers={"Cookie": cookie.partition(";")[0]})
    assert session.json() == {"name": "user:eva", "role": "operator"}


@pytest.mark.parametrize(
    ("name", "password"), [("eva", "wrong"), ("nobody", PASSWORD), ("EVA", PASSWORD), ("eva ", PASSWORD)]
)
async def test_a_wrong_name_and_a_wrong_password_are_told_alike(
    hub: WebHub, name: str, password: str
) -> None:
    answered = await log_in(hub, password, name)
    assert answered.status == 403
    assert answered.problem()["detail"] == "wrong name or password"
    assert "Set-Cookie" not in answered.headers


async def test_a_fourth_try_within_a_minute_must_wait_and_is_told_how_long(hub: WebHub) -> None:
    for _ in range(3):
        assert (await log_in(hub, "wrong")).status == 403
    answered = await log_in(hub)
    assert answered.status == 429
    assert 0 < int(answered.headers["Retry-After"]) <= 60
    hub.clock.now_ms += 60_000
    assert (await log_in(hub)).status == 200


@pytest.mark.slow
async def test_of_a_thousand_tries_in_an_hour_ten_are_verified(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = Verified()
    monkeypatch.setattr(logins, "verify", verified)
    for number in range(1000):
        hub.clock.now_ms += 3_590
        # Each from an address of its own: the account's limit holds by itself.
        await log_in(hub, f"guess {number}", address=f"198.51.{number // 250}.{number % 250}")
    assert 0 < verified.count <= 10
    hub.clock.now_ms += 3_600_000
    assert (await log_in(hub)).status == 200  # no lock for ever


@pytest.mark.slow
async def test_of_a_thousand_tries_from_one_address_at_once_three_are_verified(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = Verified()
    monkeypatch.setattr(logins, "verify", verified)
    answers = [await log_in(hub, "guess", name=f"user{number}") for number in range(1000)]
    assert verified.count == 3
    assert {answered.status for answered in answers} == {403, 429}


async def test_right_passwords_use_no_try_up(hub: WebHub) -> None:
    for _ in range(12):
        assert (await log_in(hub)).status == 200


async def test_no_more_than_two_passwords_are_hashed_at_a_time_and_few_wait(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = Verified(slow_s=0.05)
    monkeypatch.setattr(logins, "verify", verified)
    answers = await asyncio.gather(
        *(log_in(hub, "guess", name=f"user{n}", address=f"203.0.113.{n}") for n in range(20))
    )
    assert verified.most <= 2
    assert {answered.status for answered in answers} == {403, 503}
    assert verified.count == logins.HASHES_WAITING


async def test_a_login_from_another_site_is_refused(hub: WebHub) -> None:
    answered = await hub.call(
        "POST",
        "session",
        role=None,
        headers={"Origin": "http://evil.example"},
        json={"name": "eva", "password": PASSWORD},
    )
    assert answered.status == 403
    assert "Set-Cookie" not in answered.headers


async def test_a_client_cannot_name_itself_another_address(hub: WebHub) -> None:
    # The last address is what the proxy on this machine appended; those before it are the client's claims.
    for number in range(3):
        await log_in(hub, "x", name=f"user{number}", address=f"203.0.113.{number}, 198.51.100.9")
    answered = await log_in(hub, "x", name="user9", address="203.0.113.77, 198.51.100.9")
    assert answered.status == 429


async def test_no_password_is_logged(hub: WebHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await log_in(hub)
    await log_in(hub, "a-wrong-secret")
    assert PASSWORD not in caplog.text
    assert "a-wrong-secret" not in caplog.text
    events = (await hub.get("security/events", role=Role.ADMIN)).body
    assert b"a-wrong-secret" not in events


# --- sessions -----------------------------------------------------------------------------------------


async def browser(hub: WebHub, name: str = "eva") -> dict[str, str]:
    answered = await log_in(hub, name=name)
    return {"Cookie": answered.headers["Set-Cookie"].partition(";")[0], "Origin": hub.origin}


async def test_one_sees_ones_own_sessions_and_an_admin_all(hub: WebHub) -> None:
    first = await browser(hub)
    await browser(hub)
    hub.cookie()
    mine = (await hub.get("sessions", role=None, headers=first)).json()["items"]
    assert [item["name"] for item in mine] == ["eva", "eva"]
    assert sorted(item["current"] for item in mine) == [False, True]
    everybodys = (await hub.get("sessions", role=Role.ADMIN)).json()["items"]
    assert sorted(item["name"] for item in everybodys) == ["eva", "eva", "tester"]


async def test_one_can_end_ones_other_session_but_nobody_elses(hub: WebHub) -> None:
    here, there = await browser(hub), await browser(hub)
    hub.cookie()
    items = (await hub.get("sessions", role=Role.ADMIN)).json()["items"]
    foreign = next(item["id"] for item in items if item["name"] == "tester")
    refused = await hub.call("DELETE", f"sessions/{foreign}", role=None, headers=here)
    assert refused.status == 404
    mine = (await hub.get("sessions", role=None, headers=here)).json()["items"]
    other = next(item["id"] for item in mine if not item["current"])
    assert (await hub.call("DELETE", f"sessions/{other}", role=None, headers=here)).status == 204
    assert (await hub.get("devices", role=None, headers=there)).status == 401
    assert (await hub.get("devices", role=None, headers=here)).status == 200
