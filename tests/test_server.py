"""What every answer has in common: problem documents, headers, and an end when the hub stops."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from hub.model import Role
from tests.web_hub import DEVICE, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


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


async def test_viewers_are_made_ready_for_when_a_browser_asks_for_the_cameras_alone(hub: WebHub) -> None:
    assert (await hub.get("cameras")).status == 200
    assert hub.camera.expected == 0
    assert (await hub.call("GET", "cameras", role=None, headers=hub.cookie())).status == 200
    assert hub.camera.expected == 1


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


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"\xffGET / HTTP/1.1\r\n\r\n", "method"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "Content-Length"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n", "more than 8190 bytes"),
    ],
)
async def test_what_is_no_http_gets_a_problem_document_with_the_reason(
    hub: WebHub, sent: bytes, reason: str
) -> None:
    reader, writer = await asyncio.open_connection(*hub.address)
    writer.write(sent)
    async with asyncio.timeout(30):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert b"Content-Type: application/problem+json" in head
    assert b"X-Content-Type-Options: nosniff" in head
    document = msgspec.json.decode(body)
    assert document["status"] == int(head.split()[1]) == 400
    assert document["detail"].startswith("this is no HTTP request: ")
    assert reason in document["detail"], document


# --- headers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/nothing", "devices", "nothing", "/healthz", "stream"])
async def test_every_answer_has_its_security_headers(hub: WebHub, path: str) -> None:
    async with hub.session.get(hub.url(path), headers=hub.bearer()) as response:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "require-trusted-types-for 'script'" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Server"] == "Outpost"


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
