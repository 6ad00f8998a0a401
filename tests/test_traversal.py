"""No path leads out of a folder that the hub serves from: two hundred ways to write it, in each place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.model import Role
from tests.web_hub import web_hub

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "what stands in no answer"
CLIMBS = (
    "..",
    "...",
    "....",
    ".%2e",
    "%2e.",
    "%2e%2e",
    "%252e%252e",
    "%c0%ae%c0%ae",
    "..;",
    "..%00",
    ".\\.",
    "%uff0e%uff0e",
)
SLASHES = ("/", "%2f", "\\", "%5c", "%252f", "//", "/./", "%c0%af")
TARGETS = ("secret.txt", "etc/passwd")
PLACES = ("/", "/assets/", "/api/v1/cameras/front/recordings/", "/api/v1/devices/")


def ways() -> list[str]:
    """Return the paths: each climb with each slash, short and deep, to a file that is there."""
    made = [
        (climb + slash) * depth + target.replace("/", slash)
        for climb in CLIMBS
        for slash in SLASHES
        for depth, target in ((1, TARGETS[0]), (9, TARGETS[1]))
    ]
    return [
        *made,
        "/etc/passwd",
        "file:///etc/passwd",
        "%00",
        "secret.txt%00.js",
        "a" * 6000,
        "\u202e..",
        "/proc/self/environ",
        "assets/../../secret.txt",
        "~/secret.txt",
        "C:\\secret.txt",
    ]


def test_there_are_two_hundred_ways_at_least() -> None:
    assert len(set(ways())) == len(ways()) >= 200


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
async def test_no_path_leads_out_of_a_served_folder(tmp_path: Path, place: str) -> None:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<title>dashboard</title>")
    for folder in (tmp_path, static.parent, tmp_path / "recordings"):
        folder.mkdir(exist_ok=True)
        (folder / "secret.txt").write_text(SECRET)
    async with web_hub(tmp_path, static=static) as hub:
        token = hub.tokens[Role.ADMIN]
        for way in ways():
            reader, writer = await asyncio.open_connection(*hub.address)
            request = f"GET {place}{way} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            writer.write(f"{request}Accept: */*\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            status = int(answer.split(b" ", 2)[1])
            assert 400 <= status < 500, (way, status)
            assert SECRET.encode() not in answer, way
            assert b"root:" not in answer, way
