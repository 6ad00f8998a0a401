"""Changing one's own password: who may, what ends, and how often one may try."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.model import Role
from hub.store.identity.users import verify
from hub.web.gate.auth import COOKIE
from tests.web_hub import NOW_MS, Answered, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

OLD = "correct horse battery"
NEW = "another staple entirely"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        running.parts.store.accounts.users.create("eva", Role.VIEWER, OLD, NOW_MS)
        yield running


def browser(hub: WebHub, name: str = "eva", role: Role = Role.VIEWER) -> dict[str, str]:
    secret = hub.parts.store.accounts.sessions.begin(name, role, hub.clock())
    return {"Cookie": f"{COOKIE}={secret}", "Origin": hub.origin}


async def change(hub: WebHub, who: dict[str, str], old: str = OLD, new: str = NEW) -> Answered:
    body = {"old": old, "new": new}
    return await hub.call("POST", "session/password", role=None, headers=who, json=body)


def holds(hub: WebHub, password: str) -> bool:
    kept = hub.parts.store.accounts.users.hash_of("eva")
    assert kept is not None
    return verify(kept[0], password)


async def test_the_new_password_holds_and_the_old_one_does_not(hub: WebHub) -> None:
    assert (await change(hub, browser(hub))).status == 204
    assert holds(hub, NEW)
    assert not holds(hub, OLD)


async def test_ones_other_sessions_end_this_one_and_those_of_others_stay(hub: WebHub) -> None:
    here, there, other = browser(hub), browser(hub), browser(hub, "tom")
    assert (await change(hub, here)).status == 204
    got = [(await hub.get("session", role=None, headers=who)).status for who in (here, there, other)]
    assert got == [200, 401, 200]


async def test_a_wrong_old_password_changes_nothing_and_is_named(hub: WebHub) -> None:
    answered = await change(hub, browser(hub), old="not this one")
    assert answered.status == 403
    assert answered.problem()["parameter"] == "old"
    assert holds(hub, OLD)


@pytest.mark.parametrize("new", ["", "short", "aaaaaaaaaaaaaaaa", "x" * 257, OLD])
async def test_a_weak_or_unchanged_password_is_refused_and_uses_no_try_up(hub: WebHub, new: str) -> None:
    who = browser(hub)
    for _ in range(4):
        answered = await change(hub, who, new=new)
        assert (answered.status, answered.problem()["parameter"]) == (400, "new")
    assert holds(hub, OLD)


async def test_tries_count_with_those_of_logins(hub: WebHub) -> None:
    who = browser(hub)
    for _ in range(2):
        assert (await change(hub, who, old="not this one")).status == 403
    login = {"name": "eva", "password": "not this one"}
    refused = await hub.call("POST", "session", role=None, headers={"Origin": hub.origin}, json=login)
    assert refused.status == 403
    answered = await change(hub, who)
    assert answered.status == 429
    assert 0 < int(answered.headers["Retry-After"]) <= 60
    hub.clock.now_ms += 60_000
    assert (await change(hub, who)).status == 204


async def test_a_token_and_who_came_by_link_have_no_password_to_change(hub: WebHub) -> None:
    for who in (hub.bearer(Role.ADMIN), browser(hub, "admin", Role.ADMIN)):
        answered = await change(hub, who)
        assert answered.status == 400
        assert "has no password" in answered.problem()["detail"]


async def test_a_token_of_a_users_name_reaches_not_the_users_password(hub: WebHub) -> None:
    token = hub.parts.store.accounts.tokens.create("eva", Role.ADMIN, NOW_MS)
    assert (await change(hub, {"Authorization": f"Bearer {token}"})).status == 400
    assert holds(hub, OLD)


async def test_another_site_cannot_have_it_changed(hub: WebHub) -> None:
    answered = await change(hub, {**browser(hub), "Origin": "http://evil.example"})
    assert answered.status == 403
    assert holds(hub, OLD)


def test_what_an_admin_set_meanwhile_is_not_overwritten(hub: WebHub) -> None:
    users = hub.parts.store.accounts.users
    seen = users.hash_of("eva")
    assert seen is not None
    users.set_password("eva", "set by the admin now", NOW_MS)
    assert not users.replace_password("eva", seen[0], NEW, NOW_MS, keep=b"", by="user:eva")
    assert holds(hub, "set by the admin now")


async def test_the_log_tells_of_changes_and_refusals_and_holds_no_password(hub: WebHub) -> None:
    who = browser(hub)
    await change(hub, who, old="a-wrong-secret")
    await change(hub, who)
    answered = await hub.get("security/events", role=Role.ADMIN)
    told = [(item["kind"], item["actor"], item["detail"]) for item in answered.json()["items"]]
    assert ("password_changed", "user:eva", "eva") in told
    assert ("login_refused", "user:eva", "change of password: the old one was wrong") in told
    for secret in (b"a-wrong-secret", OLD.encode(), NEW.encode()):
        assert secret not in answered.body
