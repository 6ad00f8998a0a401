"""Who may do what: the claim link, sessions, tokens, and the whole route x role matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from hub.model import Role
from hub.web.gate.auth import COOKIE
from hub.web.gate.claim import CLAIM_TTL_MS, Claim, ClaimRefused
from hub.web.server import ROUTES, make_app
from tests.route_rights import ROLE_OF_ROUTE
from tests.web_hub import DEVICE, NOW_MS, Clock, WebHub, filled, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


# --- the matrix ---------------------------------------------------------------------------------------


def test_the_matrix_holds_every_route_with_its_role() -> None:
    assert {(route.method, route.path): route.role for route in ROUTES} == ROLE_OF_ROUTE


@pytest.mark.parametrize("caller", [None, *Role], ids=str)
async def test_a_route_lets_in_who_has_its_role_and_nobody_else(hub: WebHub, caller: Role | None) -> None:
    for route in ROUTES:
        media = {"Content-Type": route.body_media} if route.body_media else {}
        headers = {**(hub.bearer(caller) if caller is not None else {}), **media}
        # Headers alone tell: some answers never end.
        async with hub.session.request(
            route.method, hub.url(filled(route.path)), headers=headers, allow_redirects=False
        ) as response:
            if route.role is None:
                assert response.status != 401, route.path
            elif caller is None:
                assert response.status == 401, route.path
                assert response.headers["WWW-Authenticate"].startswith("Bearer")
                assert response.headers["Content-Type"] == "application/problem+json"
            else:
                assert (response.status == 403) == (not caller.includes(route.role)), route.path
                assert response.status != 401, route.path


async def test_a_route_that_is_not_declared_is_denied_to_everybody(tmp_path: Path) -> None:
    async with web_hub(tmp_path) as hub:
        app = make_app(hub.parts)

        async def open_door(_: web.Request) -> web.Response:
            return web.Response(text="in")

        app.router.add_get("/api/v1/undeclared", open_door)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        url = f"http://127.0.0.1:{port}/api/v1/undeclared"
        async with hub.session.get(url, headers=hub.bearer(Role.ADMIN)) as response:
            assert response.status == 403
        await runner.cleanup()


async def test_a_head_request_needs_the_same_role(hub: WebHub) -> None:
    assert (await hub.call("HEAD", "devices", role=None)).status == 401
    answered = await hub.call("HEAD", "devices")
    assert (answered.status, answered.body) == (200, b"")


async def test_a_role_that_is_too_low_is_told_which_one_it_takes(hub: WebHub) -> None:
    answered = await hub.call("POST", f"devices/{DEVICE}/commands", json={"command": "read"})
    assert answered.status == 403
    assert "operator" in answered.problem()["detail"]
    assert hub.link.sent == []
    assert hub.parts.health.registry.get_sample_value("outpost_refusals_total", {"reason": "role"}) == 1


# --- tokens -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    ["Bearer", "Bearer ", "Bearer wrong", "Basic dXNlcjpwYXNz", "outpost_x", "Bearer outpost_wrong", ""],
)
async def test_a_wrong_authorization_is_refused_even_beside_a_good_cookie(hub: WebHub, given: str) -> None:
    answered = await hub.get("devices", role=None, headers={**hub.cookie(), "Authorization": given})
    assert answered.status == 401
    answered.problem()


async def test_a_revoked_token_is_refused_at_once(hub: WebHub) -> None:
    assert (await hub.get("devices")).status == 200
    hub.parts.store.accounts.tokens.revoke("test-viewer", NOW_MS)
    assert (await hub.get("devices")).status == 401


async def test_a_token_in_a_url_is_no_login(hub: WebHub) -> None:
    token = hub.tokens[Role.ADMIN]
    for name in ("token", "access_token", "authorization"):
        assert (await hub.get(f"hub?{name}={token}", role=None)).status == 401


async def test_a_caller_is_told_who_it_is(hub: WebHub) -> None:
    answered = await hub.get("session", role=Role.OPERATOR)
    assert answered.json() == {"name": "token:test-operator", "role": "operator"}
    by_cookie = await hub.get("session", role=None, headers=hub.cookie())
    assert by_cookie.json() == {"name": "user:tester", "role": "admin"}


# --- sessions -----------------------------------------------------------------------------------------


async def test_an_unknown_cookie_is_no_login(hub: WebHub) -> None:
    for cookie in (f"{COOKIE}=wrong", f"{COOKIE}=", f"{COOKIE}=%00", "other=1", f'{COOKIE}="'):
        assert (await hub.get("devices", role=None, headers={"Cookie": cookie})).status == 401


async def test_a_session_ends_when_it_was_idle_for_a_week(hub: WebHub) -> None:
    cookie = hub.cookie()
    hub.clock.now_ms += 7 * 86_400_000
    assert (await hub.get("devices", role=None, headers=cookie)).status == 401


async def test_logging_out_ends_the_session_and_removes_the_cookie(hub: WebHub) -> None:
    cookie = hub.cookie()
    answered = await hub.call("DELETE", "session", role=None, headers={**cookie, "Origin": hub.origin})
    assert answered.status == 204
    assert f'{COOKIE}=""' in answered.headers["Set-Cookie"]
    assert (await hub.get("devices", role=None, headers=cookie)).status == 401


async def test_a_token_has_no_session_to_log_out_of(hub: WebHub) -> None:
    assert (await hub.call("DELETE", "session")).status == 400
    assert (await hub.get("devices")).status == 200


# --- the claim ----------------------------------------------------------------------------------------


async def test_the_claim_link_logs_in_as_admin_and_goes_to_the_dashboard(hub: WebHub) -> None:
    answered = await hub.get(hub.parts.claim.path(), role=None)
    assert answered.status == 303
    # The mark says that a session began: the dashboard forgets who was there before.
    assert answered.headers["Location"] == "/#in"
    cookie = answered.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"):
        assert part in cookie
    assert "Secure" not in cookie
    session = await hub.get("session", role=None, headers={"Cookie": cookie.partition(";")[0]})
    assert session.json() == {"name": "user:admin", "role": "admin"}


async def test_behind_tls_the_cookie_is_secure(hub: WebHub) -> None:
    answered = await hub.get(hub.parts.claim.path(), role=None, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in answered.headers["Set-Cookie"]


async def test_the_claim_link_works_once(hub: WebHub) -> None:
    path = hub.parts.claim.path()
    first = await hub.get(path, role=None)
    again = await hub.get(path, role=None)
    assert again.status == 403
    assert "Set-Cookie" not in again.headers
    assert b"used already" in again.body
    # The same browser opened it twice: it is logged in.
    cookie = first.headers["Set-Cookie"].partition(";")[0]
    known = await hub.get(path, role=None, headers={"Cookie": cookie})
    assert (known.status, known.headers["Location"]) == (303, "/")


async def test_a_wrong_code_logs_nobody_in_and_five_end_the_claim(hub: WebHub) -> None:
    path = hub.parts.claim.path()
    for _ in range(5):
        assert (await hub.get("/claim?code=wrong", role=None)).status == 403
    assert (await hub.get(path, role=None)).status == 403


async def test_a_head_request_does_not_use_the_claim_up(hub: WebHub) -> None:
    path = hub.parts.claim.path()
    await hub.call("HEAD", path, role=None)
    assert (await hub.get(path, role=None)).status == 303


@pytest.mark.parametrize("path", ["/claim", "/claim?code=a&code=b", "/claim?code=a&x=1"])
async def test_a_claim_without_one_code_is_a_bad_request(hub: WebHub, path: str) -> None:
    answered = await hub.get(path, role=None)
    assert answered.status == 400
    assert answered.problem()["parameter"] in ("code", "x")


def test_a_claim_expires() -> None:
    clock = Clock()
    claim = Claim(now_ms=clock)
    code = claim.path().partition("=")[2]
    clock.now_ms += CLAIM_TTL_MS
    with pytest.raises(ClaimRefused, match="expired"):
        claim.redeem(code)


def test_four_wrong_codes_leave_the_claim_alive() -> None:
    claim = Claim(now_ms=Clock())
    code = claim.path().partition("=")[2]
    for wrong in ("", "ä", code[:-1], code + "x"):
        with pytest.raises(ClaimRefused):
            claim.redeem(wrong)
    claim.redeem(code)
    with pytest.raises(ClaimRefused, match="used"):
        claim.path()


def test_two_claims_have_different_codes_of_256_bits() -> None:
    codes = {Claim(now_ms=Clock()).path().partition("=")[2] for _ in range(2)}
    assert len(codes) == 2
    assert all(len(code) == 43 for code in codes)


async def test_no_secret_is_logged(hub: WebHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    path = hub.parts.claim.path()
    answered = await hub.get(path, role=None)
    secret = answered.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    await hub.get("/claim?code=guess", role=None)
    await hub.get("devices", headers={"Authorization": "Bearer outpost_guess"}, role=None)
    assert path.partition("=")[2] not in caplog.text
    assert secret not in caplog.text
    assert "guess" not in caplog.text


async def test_a_broken_store_gives_a_problem_document_not_a_way_in(hub: WebHub, tmp_path: Path) -> None:
    from hub.store.identity.accounts import Accounts

    known = hub.bearer()
    hub.parts.store.accounts = Accounts(tmp_path / "gone" / "store.sqlite")
    answered = await hub.get("devices", role=None, headers=known)
    assert answered.status == 503
    assert str(tmp_path) not in answered.problem()["detail"]
    assert "Retry-After" in answered.headers
