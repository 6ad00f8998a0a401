"""Wall displays: a token that opens the dashboard in a browser, reads, never times out, and is revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.model import Role
from hub.web.gate.auth import COOKIE, WALL_COOKIE
from tests.web_hub import DEVICE, NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

YEAR_MS = 365 * 86_400_000


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


def token(hub: WebHub, name: str = "wall-hall", role: Role = Role.VIEWER) -> str:
    return hub.parts.store.accounts.tokens.create(name, role, NOW_MS)


def on_wall(plain: str, **more: str) -> dict[str, str]:
    return {"Cookie": f"{WALL_COOKIE}={plain}", **more}


async def test_a_display_shows_its_token_once_and_reads_by_cookie_from_then_on(hub: WebHub) -> None:
    plain = token(hub)
    headers = {"Authorization": f"Bearer {plain}", "Origin": hub.origin}
    answered = await hub.call("POST", "session/wall", role=None, headers=headers)
    assert answered.json() == {"name": "token:wall-hall", "role": "viewer"}
    cookie = answered.headers["Set-Cookie"]
    assert cookie.startswith(f"{WALL_COOKIE}={plain};")
    for word in ("HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={400 * 86400}"):
        assert word in cookie
    assert (await hub.get("devices", role=None, headers=on_wall(plain))).status == 200


async def test_a_display_never_times_out_and_each_visit_keeps_its_cookie(hub: WebHub) -> None:
    plain = token(hub)
    hub.clock.now_ms += 3 * YEAR_MS
    answered = await hub.get("session", role=None, headers=on_wall(plain))
    assert answered.status == 200
    assert f"Max-Age={400 * 86400}" in answered.headers["Set-Cookie"]


async def test_a_display_only_reads(hub: WebHub) -> None:
    headers = on_wall(token(hub), Origin=hub.origin)
    for method, path in (("POST", f"devices/{DEVICE}/commands"), ("POST", "tokens"), ("GET", "users")):
        answered = await hub.call(method, path, role=None, headers=headers, json={"command": "read"})
        assert answered.status == 403, path
    assert hub.link.sent == []


async def test_revoking_the_token_ends_the_display(hub: WebHub) -> None:
    plain = token(hub)
    assert (await hub.get("devices", role=None, headers=on_wall(plain))).status == 200
    hub.parts.store.accounts.tokens.revoke("wall-hall", NOW_MS)
    assert (await hub.get("devices", role=None, headers=on_wall(plain))).status == 401


@pytest.mark.parametrize(("name", "role"), [("script", Role.VIEWER), ("wall-hall", Role.ADMIN)])
async def test_no_other_token_works_in_a_cookie(hub: WebHub, name: str, role: Role) -> None:
    plain = token(hub, name, role)
    assert (await hub.get("devices", role=None, headers=on_wall(plain))).status == 401
    headers = {"Authorization": f"Bearer {plain}"}
    answered = await hub.call("POST", "session/wall", role=None, headers=headers)
    assert answered.status == 400
    assert "Set-Cookie" not in answered.headers


async def test_who_is_logged_in_stays_so_when_trying_a_displays_link(hub: WebHub) -> None:
    both = {"Cookie": f"{hub.cookie()['Cookie']}; {WALL_COOKIE}={token(hub)}"}
    answered = await hub.get("session", role=None, headers=both)
    assert answered.json()["role"] == "admin"
    assert "Set-Cookie" not in answered.headers


async def test_a_display_is_taken_down_in_its_browser_alone(hub: WebHub) -> None:
    plain = token(hub)
    answered = await hub.call("DELETE", "session/wall", role=None, headers=on_wall(plain, Origin=hub.origin))
    assert answered.status == 204
    assert f'{WALL_COOKIE}=""' in answered.headers["Set-Cookie"]
    assert (await hub.get("devices", role=None, headers=on_wall(plain))).status == 200


async def test_a_wrong_token_in_a_cookie_is_no_login(hub: WebHub) -> None:
    for text in ("", "wrong", "outpost_wrong", "%00"):
        headers = {"Cookie": f"{WALL_COOKIE}={text}; {COOKIE}=wrong"}
        assert (await hub.get("devices", role=None, headers=headers)).status == 401
