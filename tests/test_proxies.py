"""The shipped examples for nginx and Caddy, in the real programs: HTTP/2, no buffering, WebSocket, TLS."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from hub.model import Role
from tests.broker import free_port
from tests.curl import curl, streams, tool
from tests.web_hub import NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = pytest.mark.e2e

EXAMPLES = Path(__file__).parent.parent / "systemd"
HUB = "127.0.0.1:8080"


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """Replace what is of the test's own place; each must stand in the example."""
    for old, new in pairs:
        assert old in text, f"the example does not say {old!r} any more"
        text = text.replace(old, new)
    return text


def nginx(folder: Path, hub: str, port: int) -> list[str]:
    """Write a configuration around the example and return the command that runs it."""
    files = ("-keyout", str(folder / "key"), "-out", str(folder / "cert"))
    subprocess.run(
        [tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", *files],
        check=True,
        capture_output=True,
    )
    site = replaced(
        (EXAMPLES / "nginx.conf").read_text(),
        (HUB, hub),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("greenhouse.local", "localhost"),
        ("/etc/ssl/outpost/cert.pem", str(folder / "cert")),
        ("/etc/ssl/outpost/key.pem", str(folder / "key")),
    )
    # One address will do here.
    site, count = re.subn(r"\n *listen \[::\]:443[^\n]*", "", site)
    assert count == 1
    (folder / "site.conf").write_text(site)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error;\n"
        + (f"user {getpass.getuser()};\n" if os.getuid() == 0 else "")
        + "events {}\nhttp {\naccess_log off;\n"
        + temporary
        + f"include {folder}/site.conf;\n}}\n"
    )
    return [tool("nginx"), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error")]


def caddy(folder: Path, hub: str, port: int) -> list[str]:
    """Write a configuration around the example and return the command that runs it."""
    site = replaced(
        (EXAMPLES / "Caddyfile").read_text(),
        (HUB, hub),
        ("\ngreenhouse.local {", f"\nhttps://localhost:{port} {{"),
    )
    own = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n"
    (folder / "Caddyfile").write_text(own + site)
    return [tool("caddy"), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


@pytest.fixture(params=[nginx, caddy])
async def proxied(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[WebHub, str]]:
    """A hub, and the URL under which a proxy serves it."""
    make: Callable[[Path, str, int], list[str]] = request.param
    folder = tmp_path / "proxy"
    folder.mkdir()
    async with web_hub(tmp_path) as hub:
        port = free_port()
        command = make(folder, hub.origin.removeprefix("http://"), port)
        environ = {
            **os.environ,
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        }
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=log, stderr=log)
        try:
            await serves(f"https://localhost:{port}", process, folder / "log")
            yield hub, f"https://localhost:{port}"
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def tail(log: Path) -> str:
    """Return the last words of a program."""
    return log.read_text()[-2000:]


async def serves(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    """Wait until the proxy answers for the hub."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        while True:
            assert process.returncode is None, f"the proxy ended:\n{tail(log)}"
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with session.get(f"{url}/healthz", ssl=False) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("more", [(), ("--compressed",)], ids=["plain", "compressed"])
async def test_each_event_passes_at_once_over_http_2(
    proxied: tuple[WebHub, str], more: tuple[str, ...]
) -> None:
    hub, url = proxied
    bearer = f"Authorization: {hub.bearer()['Authorization']}"
    async with curl("-N", "-k", "-i", "--http2", *more, "-H", bearer, f"{url}/api/v1/stream") as process:
        assert process.stdout is not None
        assert (await process.stdout.readline()).startswith(b"HTTP/2 200")
        head = b""
        while (line := await process.stdout.readline()).strip():
            head += line.lower()
        assert (b"content-encoding: deflate" in head) is bool(more)
        async with asyncio.timeout(30):
            # The opening, too, is here before anything happens.
            while not (await process.stdout.readline()).startswith(b"retry:"):
                pass
            for value in range(3):
                hub.take(value, time_ms=NOW_MS + value)
                while not (line := await process.stdout.readline()).startswith(b"data: "):
                    pass
                assert json.loads(line[6:])[0][3] == value
    # The proxy tells the hub that the client went.
    async with asyncio.timeout(30):
        while streams(hub):
            hub.take(0, time_ms=NOW_MS + 10)
            await asyncio.sleep(0.05)


async def test_commands_pass_by_websocket(proxied: tuple[WebHub, str]) -> None:
    hub, url = proxied
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(
            f"{url}/api/v1/control",
            protocols=("outpost.v1",),
            headers={**hub.bearer(Role.OPERATOR), "Origin": url},
            ssl=False,
        )
        params = {"device": "pico-1", "command": "read", "params": {}}
        await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": "command.send", "params": params})
        async with asyncio.timeout(30):
            while (answer := await socket.receive_json()).get("id") != 1:
                pass
        assert answer["result"]["state"] == "succeeded"
        await socket.close()


async def test_the_sessions_cookie_is_for_tls_alone(proxied: tuple[WebHub, str]) -> None:
    hub, url = proxied
    async with aiohttp.ClientSession() as session:
        claim = f"{url}{hub.parts.claim.path()}"
        async with session.get(claim, ssl=False, allow_redirects=False) as answer:
            assert answer.status == 303
            assert "secure" in answer.headers["Set-Cookie"].lower()


async def test_a_long_poll_passes(proxied: tuple[WebHub, str]) -> None:
    hub, url = proxied
    hub.take(1.0)
    async with aiohttp.ClientSession(headers=hub.bearer()) as session:
        async with session.get(f"{url}/api/v1/latest", ssl=False) as answer:
            tag = answer.headers["ETag"]
        poll = asyncio.create_task(
            session.get(f"{url}/api/v1/latest?wait=60", headers={"If-None-Match": tag}, ssl=False)
        )
        await asyncio.sleep(0.1)
        assert not poll.done()
        hub.take(2.0, time_ms=NOW_MS + 1)
        async with asyncio.timeout(30):
            assert (await (await poll).json())["items"][0]["value"] == 2.0
