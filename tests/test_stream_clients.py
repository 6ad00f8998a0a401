"""Every way in, with clients of other makes: each has all samples in order, although it is cut off."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import httpx_sse
import pytest
from playwright.async_api import async_playwright

from hub.config import HubConfig
from hub.model import Role
from hub.web.gate.auth import COOKIE
from hub.web.live.sse import PACKED
from hub.web.live.stream import FANOUT
from tests.curl import curl, streams
from tests.e2e.browser import FLAGS, chromium
from tests.fakes import until
from tests.web_hub import NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from hub.web.live.sse import Form

pytestmark = pytest.mark.e2e

NODE = Path(__file__).parent / "e2e" / "node"
HALF = 20
ALL = list(range(2 * HALF))


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


@contextlib.asynccontextmanager
async def page_of(hub: WebHub, *, policy: bool = True) -> AsyncIterator[Page]:
    """Open a page of the hub in Chromium, logged in; without its policy, it stands for any page."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        context = await browser.new_context(bypass_csp=not policy)
        secret = hub.cookie(Role.VIEWER)["Cookie"].partition("=")[2]
        await context.add_cookies([{"name": COOKIE, "value": secret, "url": hub.origin}])
        page = await context.new_page()
        await page.goto(hub.url("/healthz"))
        yield page
        await browser.close()


def forms(hub: WebHub) -> list[Form]:
    """Return in which form each live stream gets what is said."""
    groups = hub.listener._runner.app[FANOUT]._groups.values()
    return [subscriber.form for group in groups for subscriber in group.members]


def cut(hub: WebHub) -> None:
    """Break every live stream, as a network would."""
    for group in hub.listener._runner.app[FANOUT]._groups.values():
        for subscriber in group.members:
            subscriber._transport.abort()


async def feed_and_cut(hub: WebHub) -> None:
    """Give one half of the values to who is connected, cut, and give the other while nobody is."""
    await until(lambda: streams(hub) == 1, 30)
    # Each of these clients takes deflate, without being told to.
    assert forms(hub) == [PACKED]
    for value in ALL:
        if value == HALF:
            cut(hub)
        hub.take(value, time_ms=NOW_MS + value)
        await asyncio.sleep(0.005)


# --- server-sent events -------------------------------------------------------------------------------


async def test_chromiums_event_source_resumes_without_a_hole(hub: WebHub) -> None:
    async with page_of(hub) as page:
        await page.evaluate(
            """() => {
                window.values = [];
                window.source = new EventSource("/api/v1/stream?metric=temperature");
                source.addEventListener("samples", (event) =>
                    values.push(...JSON.parse(event.data).map((row) => row[3])));
                source.addEventListener("reset", () => values.push("reset"));
            }"""
        )
        await feed_and_cut(hub)
        async with asyncio.timeout(30):
            while len(await page.evaluate("values")) < len(ALL):
                await asyncio.sleep(0.1)
        assert await page.evaluate("values") == ALL


async def test_httpx_sse_resumes_without_a_hole(hub: WebHub) -> None:
    values: list[Any] = []
    last_id = ""

    async def follow() -> None:
        nonlocal last_id
        async with httpx.AsyncClient(headers=hub.bearer(), timeout=None) as client:
            while len(values) < len(ALL):
                headers = {"Last-Event-ID": last_id} if last_id else {}
                with contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError):
                    url = hub.url("stream?metric=temperature")
                    async with httpx_sse.aconnect_sse(client, "GET", url, headers=headers) as source:
                        async for event in source.aiter_sse():
                            last_id = event.id
                            if event.event == "samples":
                                values.extend(row[3] for row in event.json())
                            if len(values) >= len(ALL):
                                return

    following = asyncio.create_task(follow())
    await feed_and_cut(hub)
    async with asyncio.timeout(30):
        await following
    assert values == ALL


@pytest.fixture(scope="module")
def node_packages() -> None:
    """Install them from their lock where they are not there."""
    if not (NODE / "node_modules" / "eventsource").is_dir():
        npm = [beside_python("npm"), "install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm, cwd=NODE, check=True, timeout=100)


def beside_python(name: str) -> str:
    """Return the path of a program that came with a Python package."""
    return str(Path(sys.executable).with_name(name))


@pytest.mark.usefixtures("node_packages")
async def test_nodes_eventsource_resumes_without_a_hole(hub: WebHub) -> None:
    url = hub.url("stream?metric=temperature")
    process = await asyncio.create_subprocess_exec(
        *(beside_python("node"), str(NODE / "stream.mjs"), url, hub.tokens[Role.VIEWER]),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        await feed_and_cut(hub)
        async with asyncio.timeout(30):
            got = [(await process.stdout.readline()).decode().strip() for _ in ALL]
    finally:
        # The package's `node` starts the real one.
        os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()
    assert got == [str(value) for value in ALL]


async def test_curl_gets_each_event_as_it_happens(hub: WebHub) -> None:
    url = hub.url("stream?metric=temperature")
    async with curl("-N", "-H", f"Authorization: {hub.bearer()['Authorization']}", url) as process:
        assert process.stdout is not None
        await until(lambda: streams(hub) == 1)
        for value in ALL[:3]:
            hub.take(value, time_ms=NOW_MS + value)
            async with asyncio.timeout(20):
                line = b""
                while not line.startswith(b"data: "):
                    line = await process.stdout.readline()
            assert json.loads(line[6:])[0][3] == value


async def test_a_page_of_a_configured_origin_streams_with_a_token_and_no_other_does(tmp_path: Path) -> None:
    async with web_hub(tmp_path / "a", hub=HubConfig()) as pages:
        site = pages.origin
        async with web_hub(tmp_path / "b", hub=HubConfig(allowed_origins=(site,))) as hub:
            asked = [hub.url("stream"), hub.tokens[Role.VIEWER]]
            async with page_of(pages, policy=False) as page:
                reading = asyncio.create_task(page.evaluate(READ_ACROSS, asked))
                await until(lambda: streams(hub) == 1 or reading.done(), 30)
                hub.take(7.5)
                assert "7.5" in await reading
                await page.goto(f"{site.replace('127.0.0.1', 'localhost')}/healthz")
                assert (await page.evaluate(READ_ACROSS, asked)).startswith("TypeError")


READ_ACROSS = """async ([url, token]) => {
    try {
        const headers = { authorization: `Bearer ${token}`, "last-event-id": "0123abcd-1" };
        const reader = (await fetch(url, { headers })).body.getReader();
        let text = "";
        while (!text.includes("7.5")) text += new TextDecoder().decode((await reader.read()).value);
        return text;
    } catch (error) {
        return String(error);
    }
}"""


# --- polling ------------------------------------------------------------------------------------------


async def test_curl_polls_by_etag_and_fetches_only_what_is_new(hub: WebHub, tmp_path: Path) -> None:
    hub.take(1.0)
    tag, body = tmp_path / "etag", tmp_path / "body"
    options: tuple[str, ...] = (
        "-H",
        f"Authorization: {hub.bearer()['Authorization']}",
        "-w",
        "%{http_code} %{size_download}",
    )
    options += ("--etag-save", str(tag), "--etag-compare", str(tag), "-o", str(body), hub.url("latest"))

    async def poll() -> tuple[int, int]:
        async with curl(*options) as process:
            out, _ = await process.communicate()
        code, size = out.split()
        return int(code), int(size)

    assert (await poll())[0] == 200
    assert await poll() == (304, 0)
    hub.take(2.0, time_ms=NOW_MS + 1)
    assert (await poll())[0] == 200
    assert json.loads(body.read_text())["items"][0]["value"] == 2.0


async def test_httpx_long_polls_and_misses_no_last_value(hub: WebHub) -> None:
    seen: list[Any] = []

    async def follow() -> None:
        tag = ""
        async with httpx.AsyncClient(headers=hub.bearer(), timeout=70) as client:
            while not seen or seen[-1] != ALL[-1]:
                headers = {"If-None-Match": tag} if tag else {}
                answer = await client.get(hub.url("latest?metric=temperature&wait=60"), headers=headers)
                tag = answer.headers["ETag"]
                seen.extend(item["value"] for item in answer.json()["items"])

    following = asyncio.create_task(follow())
    for value in ALL:
        hub.take(value, time_ms=NOW_MS + value)
        await asyncio.sleep(0.01)
    async with asyncio.timeout(30):
        await following
    assert seen == sorted(set(seen))
    assert len(seen) > 3
