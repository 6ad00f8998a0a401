"""Host and Origin: against DNS rebinding, and against pages of other sites."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.config import HubConfig
from hub.model import Role
from hub.web.gate.hosts import Hosts, same_origin, split_host
from hub.web.server import ROUTES
from tests.web_hub import DEVICE, WebHub, filled, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CHANGES = [route for route in ROUTES if route.method not in ("GET", "OPTIONS")]


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


# --- Host ---------------------------------------------------------------------------------------------

HOSTILE_HOSTS = [
    "evil.example",
    "evil.example:8080",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "203.0.113.9",
    "[2001:db8::1]:80",
    "[::1",
    "127.0.0.1:99999",
    "127.0.0.1@evil.example",
    "127.0.0.1 evil.example",
    "",
]


@pytest.mark.parametrize("host", HOSTILE_HOSTS)
async def test_a_request_for_an_unknown_host_is_misdirected(hub: WebHub, host: str) -> None:
    answered = await hub.get("devices", headers={"Host": host})
    assert answered.status == 421
    assert "allowed_hosts" in answered.problem()["detail"]


@pytest.mark.parametrize(
    "path", sorted({filled(route.path) for route in ROUTES} | {"/nothing", "/api/v1/no"})
)
async def test_dns_rebinding_finds_no_route_open(hub: WebHub, path: str) -> None:
    answered = await hub.get(path, role=Role.ADMIN, headers={"Host": "evil.example"})
    assert answered.status == 421
    assert hub.parts.health.registry.get_sample_value("outpost_refusals_total", {"reason": "host"}) == 1


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.:1", "127.0.0.1:80", "[::1]:8080", "hub.example"])
async def test_the_hub_answers_to_its_own_names(tmp_path: Path, host: str) -> None:
    async with web_hub(tmp_path, hub=HubConfig(allowed_hosts=("hub.example",))) as hub:
        assert (await hub.get("/healthz", headers={"Host": host})).status == 200


async def test_a_request_without_a_host_is_refused(hub: WebHub) -> None:
    reader, writer = await asyncio.open_connection(*hub.address)
    writer.write(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert b" 400 " in (await reader.read()).split(b"\r\n")[0]
    writer.close()


async def test_a_request_with_two_hosts_is_refused(hub: WebHub) -> None:
    reader, writer = await asyncio.open_connection(*hub.address)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).split(b" ")[1] in (b"400", b"421")
    writer.close()


def test_a_host_may_be_the_machine_the_listen_address_and_its_interfaces_only() -> None:
    hosts = Hosts(
        listen="192.0.2.7",
        allowed=(),
        hostname="Greenhouse",
        now_s=lambda: 0.0,
        addresses=lambda: {"192.0.2.8", "fe80::1"},
    )
    for known in ("192.0.2.7", "greenhouse", "GREENHOUSE.local:80", "192.0.2.8:81", "[fe80:0::1]"):
        assert hosts.allows(known), known
    for unknown in ("192.0.2.9", "greenhouse.example", "local", "[fe80::2]"):
        assert not hosts.allows(unknown), unknown


def test_listening_everywhere_is_no_name() -> None:
    hosts = Hosts(listen="0.0.0.0", allowed=(), hostname="x", now_s=lambda: 0.0, addresses=set)
    assert not hosts.allows("0.0.0.0")


def test_new_interfaces_are_found_but_not_looked_for_at_every_request() -> None:
    asked: list[float] = []
    now = [0.0]
    own: set[str] = set()

    def addresses() -> set[str]:
        asked.append(now[0])
        return set(own)

    hosts = Hosts(listen="127.0.0.1", allowed=(), hostname="x", now_s=lambda: now[0], addresses=addresses)
    assert not hosts.allows("192.0.2.1")
    own.add("192.0.2.1")
    assert not hosts.allows("192.0.2.1")
    now[0] = 10.0
    assert hosts.allows("192.0.2.1")
    assert hosts.allows("192.0.2.1")
    assert asked == [0.0, 10.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Example.ORG.", ("example.org", None)),
        ("[::0001]:8080", ("::1", 8080)),
        ("a:70000", None),
        ("a b", None),
        ("a/b", None),
        ("[::g]", None),
        ("ä", None),
        (".", None),
    ],
)
def test_a_host_header_is_split_by_its_grammar(text: str, expected: object) -> None:
    assert split_host(text) == expected


# --- Origin -------------------------------------------------------------------------------------------

HOSTILE_ORIGINS = [
    "null",
    "http://evil.example",
    "https://evil.example",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example:{port}",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://evil@127.0.0.1:{port}",
    "http://127.0.0.1:{port}.evil.example",
    "http://127.0.0.1:{port}/",
    "file://127.0.0.1:{port}",
    "http://[::1]:{port}",
    "",
]


@pytest.mark.parametrize("origin", HOSTILE_ORIGINS)
async def test_a_change_from_a_foreign_page_is_refused(hub: WebHub, origin: str) -> None:
    headers = {**hub.cookie(), "Origin": origin.format(port=hub.address[1])}
    for route in CHANGES:
        media = {"Content-Type": route.body_media} if route.body_media else {}
        answered = await hub.call(
            route.method, filled(route.path), role=None, headers={**headers, **media}, data=b"{}"
        )
        assert answered.status == 403, route
        assert "origin" in answered.problem()["detail"]


async def test_a_foreign_page_cannot_use_a_token_either(hub: WebHub) -> None:
    body = {"command": "read"}
    headers = {"Origin": "https://evil.example"}
    answered = await hub.call(
        "POST", f"devices/{DEVICE}/commands", role=Role.ADMIN, headers=headers, json=body
    )
    assert answered.status == 403
    assert hub.link.sent == []


async def test_a_change_by_cookie_needs_an_origin(hub: WebHub) -> None:
    answered = await hub.call("DELETE", "session", role=None, headers=hub.cookie())
    assert answered.status == 403
    assert "Origin" in answered.problem()["detail"]


async def test_the_dashboards_own_pages_may_change(hub: WebHub) -> None:
    headers = {**hub.cookie(), "Origin": hub.origin}
    answered = await hub.call(
        "POST", f"devices/{DEVICE}/commands", role=None, headers=headers, json={"command": "read"}
    )
    assert answered.status == 200


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://hub.local", "hub.local", True),
        ("https://hub.local", "hub.local", True),
        ("https://hub.local", "hub.local:443", True),
        ("http://HUB.local:8080", "hub.local:8080", True),
        ("http://[::1]:8080", "[::1]:8080", True),
        ("http://hub.local:8080", "hub.local:8081", False),
        ("http://hub.local", "hub.local:443", False),
        ("http://other.local", "hub.local", False),
        ("http://[::1", "[::1]", False),
    ],
)
def test_an_origin_is_the_same_by_name_and_port(origin: str, host: str, same: bool) -> None:
    assert same_origin(origin, host) is same


async def test_a_configured_site_may_call_the_api_with_a_token(tmp_path: Path) -> None:
    site = "https://site.example"
    async with web_hub(tmp_path, hub=HubConfig(allowed_origins=(site,))) as hub:
        asked = {"Origin": site, "Access-Control-Request-Method": "POST"}
        preflight = await hub.call("OPTIONS", f"devices/{DEVICE}/commands", role=None, headers=asked)
        assert preflight.status == 204
        assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
        answered = await hub.get("devices", headers={"Origin": site})
        assert answered.headers["Access-Control-Allow-Origin"] == site
        assert "Access-Control-Allow-Credentials" not in answered.headers
        assert answered.headers["Vary"] == "Origin"


async def test_a_configured_site_may_use_every_method_that_a_route_has(tmp_path: Path) -> None:
    site = "https://site.example"
    async with web_hub(tmp_path, hub=HubConfig(allowed_origins=(site,))) as hub:
        asked = {"Origin": site, "Access-Control-Request-Method": "PUT"}
        preflight = await hub.call("OPTIONS", "rules/hot", role=None, headers=asked)
        allowed = preflight.headers["Access-Control-Allow-Methods"].split(", ")
    assert {route.method for route in ROUTES} - {"OPTIONS"} <= set(allowed)


async def test_no_other_site_gets_a_preflight(hub: WebHub) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answered = await hub.call("OPTIONS", "devices", role=None, headers=asked)
    assert answered.status == 403
    assert "Access-Control-Allow-Origin" not in answered.headers
