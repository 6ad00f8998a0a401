"""What an admin changes: users, tokens, links; and the security log that tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hub.model import Role
from hub.store.identity import rights
from hub.store.identity.rights import SecurityEvent, SecurityKind
from hub.web.gate.trail import REFUSALS, Trail
from tests.web_hub import NOW_MS, Answered, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PASSWORD = "correct horse battery"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


async def admin(hub: WebHub, method: str, path: str, body: Any = None) -> Answered:
    more = {} if body is None else {"json": body}
    return await hub.call(method, path, role=Role.ADMIN, **more)


# --- users --------------------------------------------------------------------------------------------


async def test_a_user_is_made_listed_changed_and_removed(hub: WebHub) -> None:
    made = await admin(hub, "POST", "users", {"name": "eva", "role": "viewer", "password": PASSWORD})
    assert made.status == 201
    assert b"correct" not in made.body
    assert (await admin(hub, "PATCH", "users/eva", {"role": "operator"})).status == 204
    (listed,) = (await admin(hub, "GET", "users")).json()["items"]
    assert (listed["name"], listed["role"]) == ("eva", "operator")
    assert set(listed) == {"name", "role", "created_time", "last_login_time"}
    assert (await admin(hub, "DELETE", "users/eva")).status == 204
    assert (await admin(hub, "DELETE", "users/eva")).status == 404


@pytest.mark.parametrize(
    "password",
    ["", "short", "evaevaeva123"[:11], "aaaaaaaaaaaaaaaa", "evaluation-a"[:3] * 4, "x" * 257, "\ud800" * 12],
    ids=lambda text: ascii(text)[:20],
)
async def test_a_weak_password_is_refused_naming_the_field(hub: WebHub, password: str) -> None:
    body = {"name": "eva", "role": "viewer", "password": password}
    answered = await admin(hub, "POST", "users", body)
    assert answered.status == 400
    assert (await admin(hub, "GET", "users")).json()["items"] == []


@pytest.mark.parametrize("name", ["", " eva", "e/va", "e\nva", "x" * 65])
async def test_a_name_that_is_none_is_refused(hub: WebHub, name: str) -> None:
    answered = await admin(hub, "POST", "users", {"name": name, "role": "viewer", "password": PASSWORD})
    assert answered.status == 400


async def test_a_name_that_is_taken_is_a_conflict(hub: WebHub) -> None:
    body = {"name": "eva", "role": "viewer", "password": PASSWORD}
    assert [(await admin(hub, "POST", "users", body)).status for _ in range(2)] == [201, 409]


async def test_a_new_role_holds_for_sessions_that_are_open(hub: WebHub) -> None:
    accounts = hub.parts.store.accounts
    accounts.users.create("eva", Role.ADMIN, PASSWORD, NOW_MS)
    secret = accounts.sessions.begin("eva", Role.ADMIN, NOW_MS)
    assert accounts.sessions.identity(secret, NOW_MS) is not None
    await admin(hub, "PATCH", "users/eva", {"role": "viewer"})
    identity = accounts.sessions.identity(secret, NOW_MS)
    assert identity is not None
    assert identity.role is Role.VIEWER


@pytest.mark.parametrize("way", ["password", "removal"])
async def test_a_new_password_and_a_removal_end_the_sessions(hub: WebHub, way: str) -> None:
    accounts = hub.parts.store.accounts
    accounts.users.create("eva", Role.ADMIN, PASSWORD, NOW_MS)
    secret = accounts.sessions.begin("eva", Role.ADMIN, NOW_MS)
    if way == "password":
        await admin(hub, "PATCH", "users/eva", {"password": "another good one"})
    else:
        await admin(hub, "DELETE", "users/eva")
    assert accounts.sessions.identity(secret, NOW_MS) is None


def test_a_password_is_kept_as_argon2id_alone(tmp_path: Path) -> None:
    from hub.store.identity.accounts import Accounts

    users = Accounts.open(tmp_path).users
    users.create("eva", Role.VIEWER, PASSWORD, NOW_MS)
    kept = users.hash_of("eva")
    assert kept is not None
    assert kept[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    assert PASSWORD.encode() not in content


# --- tokens and links ---------------------------------------------------------------------------------


async def test_a_token_made_by_the_api_works_is_listed_without_its_secret_and_revoked(hub: WebHub) -> None:
    made = (await admin(hub, "POST", "tokens", {"name": "grafana", "role": "viewer"})).json()
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert (await hub.get("devices", role=None, headers=headers)).status == 200
    listed = await admin(hub, "GET", "tokens")
    assert "grafana" in [item["name"] for item in listed.json()["items"]]
    assert made["token"].encode() not in listed.body
    assert (await admin(hub, "POST", "tokens", {"name": "grafana", "role": "viewer"})).status == 409
    assert (await admin(hub, "DELETE", "tokens/grafana")).status == 204
    assert (await hub.get("devices", role=None, headers=headers)).status == 401


async def test_a_new_link_works_without_a_restart_and_the_one_before_does_not(hub: WebHub) -> None:
    before = hub.parts.claim.path()
    made = (await admin(hub, "POST", "link")).json()
    assert made["expires_time"] == hub.clock() + 600_000
    refused = await hub.get(before, role=None)
    assert refused.status == 403
    assert b"outpost link" in refused.body
    assert (await hub.get(made["path"], role=None)).status == 303


async def test_a_new_link_revives_a_claim_that_was_guessed_to_death(hub: WebHub) -> None:
    for _ in range(5):
        await hub.get("/claim?code=wrong", role=None)
    made = (await admin(hub, "POST", "link")).json()
    assert (await hub.get(made["path"], role=None)).status == 303


# --- the security log ---------------------------------------------------------------------------------


async def log(hub: WebHub, query: str = "") -> list[tuple[str, str, str]]:
    items = (await admin(hub, "GET", f"security/events{query}")).json()["items"]
    return [(item["kind"], item["actor"], item["detail"]) for item in items]


async def test_the_log_tells_of_logins_refusals_and_changes(hub: WebHub) -> None:
    await hub.get(hub.parts.claim.path(), role=None)
    await hub.get("users", role=Role.VIEWER)
    await hub.get("devices", role=None, headers={"Authorization": "Bearer x"})
    await admin(hub, "POST", "users", {"name": "eva", "role": "viewer", "password": PASSWORD})
    await admin(hub, "PATCH", "users/eva", {"role": "admin"})
    hub.bearer(Role.OPERATOR)
    await admin(hub, "DELETE", "tokens/test-operator")
    got = await log(hub)
    assert ("login", "user:admin", "by link") in got
    assert ("request_refused", "token:test-viewer", "GET /api/v1/users: needs the role admin") in got
    assert ("request_refused", "nobody", "a Bearer token that is none") in got
    assert ("user_made", "token:test-admin", "eva (viewer)") in got
    assert ("role_changed", "token:test-admin", "eva: admin") in got
    assert ("token_revoked", "token:test-admin", "test-operator") in got
    assert ("token_made", "console", "test-admin (admin)") in got


async def test_the_log_is_paged_and_filtered(hub: WebHub) -> None:
    for number in range(5):
        hub.parts.store.put_security(
            SecurityEvent(time=NOW_MS, kind=SecurityKind.LOGIN, actor=f"user:{number}")
        )
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await admin(hub, "GET", f"security/events?kind=login&limit=2{cursor}")).json()
        seen += [item["actor"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == [f"user:{number}" for number in reversed(range(5))]
    assert (await admin(hub, "GET", "security/events?cursor=x")).problem()["parameter"] == "cursor"


async def test_the_log_is_bounded(hub: WebHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "KEPT_EVENTS", 10)
    for number in range(25):
        hub.parts.store.put_security(
            SecurityEvent(time=NOW_MS, kind=SecurityKind.LOGIN, actor=f"user:{number}")
        )
    got = await log(hub)
    assert len(got) == 10
    assert got[0][1] == "user:24"


def test_a_flood_of_refusals_pushes_nothing_else_out_of_the_log() -> None:
    put: list[SecurityEvent] = []
    trail = Trail(put.append)
    for _ in range(1000):
        trail.tell(SecurityEvent(time=NOW_MS, kind=SecurityKind.REQUEST_REFUSED, actor="nobody"))
    trail.tell(SecurityEvent(time=NOW_MS, kind=SecurityKind.LOGIN, actor="user:eva"))
    assert len(put) == REFUSALS.tries + 1
    late = SecurityEvent(time=NOW_MS + REFUSALS.span_ms, kind=SecurityKind.REQUEST_REFUSED, actor="nobody")
    trail.tell(late)
    assert f"{1000 - REFUSALS.tries} refusals before" in put[-1].detail


async def test_security_txt_says_where_to_report_and_is_not_out_of_date(hub: WebHub) -> None:
    answered = await hub.get("/.well-known/security.txt", role=None)
    lines = dict(line.split(": ", 1) for line in answered.body.decode().splitlines())
    assert answered.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert lines["Contact"].startswith("https://")
    assert lines["Expires"] == "2026-12-17T00:00:00Z"
