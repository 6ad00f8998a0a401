"""What every request passes: Host, Origin, declared routes; problem documents, headers, the dashboard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.config import HubConfig
from hub.model import Role
from hub.web.hosts import Hosts, same_origin, split_host
from hub.web.server import ROUTES
from tests.web_hub import DEVICE, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CHANGES = [route for route in ROUTES if route.method not in ("GET", "OPTIONS")]


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


def filled(path: str) -> str:
    """Return a route's path with its variable parts filled in."""
    path = path.replace("{path:(?!api/).*}", "devices")
    return path.replace("{id}", "front" if "cameras" in path else DEVICE).replace("{viewer}", "nobody")


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


async def test_no_other_site_gets_a_preflight(hub: WebHub) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answered = await hub.call("OPTIONS", "devices", role=None, headers=asked)
    assert answered.status == 403
    assert "Access-Control-Allow-Origin" not in answered.headers


# --- problem documents --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nothing", 404),
        ("POST", "nothing", 404),
        ("GET", "/api", 404),
        ("PUT", "devices", 405),
        ("GET", f"devices/{DEVICE}/commands", 405),
        ("POST", "/metrics", 405),
        ("PROPFIND", "devices", 405),
    ],
)
async def test_what_is_not_there_gets_a_problem_document(
    hub: WebHub, method: str, path: str, status: int
) -> None:
    answered = await hub.call(method, path)
    assert answered.status == status
    answered.problem()
    assert ("Allow" in answered.headers) == (status == 405)


async def test_a_body_that_is_too_large_gets_a_problem_document(hub: WebHub) -> None:
    answered = await hub.call(
        "POST",
        f"devices/{DEVICE}/commands",
        role=Role.OPERATOR,
        headers={"Content-Type": "application/json"},
        data=b"{" + b" " * 70_000 + b"}",
    )
    assert answered.status == 413
    assert "65536" in answered.problem()["detail"]


async def test_a_compressed_body_is_measured_by_what_it_becomes(hub: WebHub) -> None:
    import gzip

    answered = await hub.call(
        "POST",
        f"devices/{DEVICE}/commands",
        role=Role.OPERATOR,
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        data=gzip.compress(b" " * 50_000_000),
    )
    assert answered.status in (400, 413)


async def test_an_unforeseen_error_says_nothing_outside_and_all_in_the_log(
    hub: WebHub, caplog: pytest.LogCaptureFixture
) -> None:
    hub.camera.state = "secret \ud800"
    del hub.camera.encoders
    answered = await hub.get("cameras")
    assert answered.status == 500
    assert "encoders" not in answered.problem()["detail"]
    assert "AttributeError" in caplog.text


async def test_text_that_has_no_utf8_form_is_shown_with_question_marks(hub: WebHub) -> None:
    hub.take("a\ud800b", metric="note")
    assert (await hub.get("latest")).json()["items"][0]["value"] == "a?b"


async def test_garbage_instead_of_http_costs_a_line_of_log_at_most(
    hub: WebHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for garbage in (
        b"\x00\xff\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ):
        reader, writer = await asyncio.open_connection(*hub.address)
        writer.write(garbage)
        writer.write_eof()
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()
    assert (await hub.get("/healthz")).status == 200
    assert "Traceback" not in caplog.text
    assert len(caplog.records) <= 4


# --- headers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/nothing", "devices", "nothing", "/healthz", "stream"])
async def test_every_answer_has_its_security_headers(hub: WebHub, path: str) -> None:
    async with hub.session.get(hub.url(path), headers=hub.bearer()) as response:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Server"] == "Outpost"


# --- the dashboard ------------------------------------------------------------------------------------


@pytest.fixture
def built(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<title>dashboard</title>")
    (static / "assets" / "app-1a2b3c.js").write_text("app()")
    (static / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    (static / "out.txt").symlink_to(tmp_path / "secret.txt")
    return static


HTML = {"Accept": "text/html,*/*"}


async def test_the_dashboard_is_served_without_a_session(tmp_path: Path, built: Path) -> None:
    async with web_hub(tmp_path, static=built) as hub:
        page = await hub.get("/", role=None)
        assert (page.status, page.body) == (200, b"<title>dashboard</title>")
        assert page.headers["Cache-Control"] == "no-cache"
        asset = await hub.get("/assets/app-1a2b3c.js", role=None)
        assert asset.body == b"app()"
        assert "immutable" in asset.headers["Cache-Control"]
        assert asset.headers["Content-Type"].endswith("/javascript")
        icon = await hub.get("/icon.svg", role=None)
        assert icon.headers["Cache-Control"] == "no-cache"
        again = await hub.get("/", role=None, headers={"If-None-Match": page.headers["ETag"]})
        assert again.status == 304


async def test_a_page_that_the_dashboard_routes_itself_is_its_index(tmp_path: Path, built: Path) -> None:
    async with web_hub(tmp_path, static=built) as hub:
        page = await hub.get("/devices/pico.1", role=None, headers=HTML)
        assert page.body == b"<title>dashboard</title>"
        for missing in ("/assets/gone.js", "/api/v1/gone"):
            assert (await hub.get(missing, role=None, headers=HTML)).status == 404
        assert (await hub.get("/gone.js", role=None, headers={"Accept": "*/*"})).status == 404


TRAVERSALS = [
    "../secret.txt",
    "..%2fsecret.txt",
    "%2e%2e/secret.txt",
    "%2e%2e%2fsecret.txt",
    "assets/../../secret.txt",
    "assets/..%2f..%2fsecret.txt",
    "..%5csecret.txt",
    "%252e%252e%252fsecret.txt",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "out.txt",
    "index.html%00",
    "a" * 5000,
]


@pytest.mark.parametrize("path", TRAVERSALS, ids=lambda path: path[:30])
async def test_no_path_leads_out_of_the_dashboards_folder(tmp_path: Path, built: Path, path: str) -> None:
    async with web_hub(tmp_path, static=built) as hub:
        reader, writer = await asyncio.open_connection(*hub.address)
        writer.write(f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        assert b" 404 " in answer.split(b"\r\n")[0]
        assert b"root:" not in answer
        assert b"\r\n\r\nsecret" not in answer


async def test_without_a_built_dashboard_a_page_says_what_to_run(hub: WebHub) -> None:
    page = await hub.get("/", role=None, headers=HTML)
    assert page.status == 503
    assert b"make run" in page.body
    assert page.headers["Content-Type"].startswith("text/html")


async def test_the_hub_stops_at_once_while_streams_and_sockets_are_open(tmp_path: Path) -> None:
    async with web_hub(tmp_path) as hub:
        stream = await hub.session.get(hub.url("stream"), headers=hub.bearer())
        await stream.content.readline()
        mjpeg = await hub.session.get(hub.url("cameras/front/stream.mjpg"), headers=hub.bearer())
        await mjpeg.content.readline()
        socket = await hub.session.ws_connect(
            hub.url("control"), protocols=("outpost.v1",), headers=hub.bearer()
        )
        tag = (await hub.get("latest")).headers["ETag"]
        poll = asyncio.create_task(hub.get("latest?wait=60", headers={"If-None-Match": tag}))
        await asyncio.sleep(0.05)
        began = asyncio.get_running_loop().time()
        closing = asyncio.create_task(hub.stop())
        assert (await poll).status == 304
        await stream.content.read()
        await socket.receive()
        await closing
        # Far below the time after which connections would be cut.
        assert asyncio.get_running_loop().time() - began < 4
