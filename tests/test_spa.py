"""The built dashboard: served without a session, cached by its names, and nothing beside it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.web_hub import WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


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


@pytest.mark.parametrize("path", ["/", "/assets/app-1a2b3c.js"])
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"Range": "bytes=99-"}, 416),
        ({"Range": "bytes=a-b"}, 416),
        ({"If-Match": '"another"'}, 412),
        ({"If-Unmodified-Since": "Sun, 01 Jan 2012 00:00:00 GMT"}, 412),
    ],
)
async def test_a_part_or_a_version_that_a_file_has_not_is_a_problem_document(
    tmp_path: Path, built: Path, path: str, asked: dict[str, str], status: int
) -> None:
    async with web_hub(tmp_path, static=built) as hub:
        answered = await hub.get(path, role=None, headers=asked)
        assert (answered.status, answered.problem()["status"]) == (status, status)
        if status == 416:
            size = len((await hub.get(path, role=None)).body)
            assert answered.headers["Content-Range"] == f"bytes */{size}"


async def test_the_version_that_a_file_has_and_a_part_of_it_are_given(tmp_path: Path, built: Path) -> None:
    async with web_hub(tmp_path, static=built) as hub:
        tag = (await hub.get("/", role=None)).headers["ETag"]
        for wanted in (tag, "*", f'"another", {tag}'):
            assert (await hub.get("/", role=None, headers={"If-Match": wanted})).status == 200
        part = await hub.get("/", role=None, headers={"Range": "bytes=0-6", "If-Match": tag})
        assert (part.status, part.body) == (206, b"<title>")


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
