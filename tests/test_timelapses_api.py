"""Timelapses over HTTP: listed, played while they grow, deleted when they are whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.model import Role
from tests.web_hub import WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MP4 = bytes(range(256)) * 8
ALL = "cameras/front/timelapses"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    folder = tmp_path / "recordings" / "timelapse"
    folder.mkdir(parents=True)
    (folder / "1000_500_timelapse.mp4").write_bytes(MP4)
    (folder / "2000_0_timelapse.part").write_bytes(MP4[:10])
    async with web_hub(tmp_path) as running:
        yield running


async def test_timelapses_are_listed_with_the_growing_one_first(hub: WebHub) -> None:
    items = (await hub.get(ALL)).json()["items"]
    assert [(item["id"], item["state"], item["length_ms"], item["size_bytes"]) for item in items] == [
        ("2000", "running", None, 10),
        ("1000", "kept", 500, len(MP4)),
    ]
    assert all(item["until"] > item["time"] for item in items)


async def test_a_timelapse_is_played_whole_or_by_range_also_while_it_grows(hub: WebHub) -> None:
    whole = await hub.call("GET", f"{ALL}/1000")
    assert (whole.status, whole.headers["Content-Type"], whole.body) == (200, "video/mp4", MP4)
    assert whole.headers["Content-Disposition"] == 'inline; filename="front-timelapse-1000.mp4"'
    part = await hub.call("GET", f"{ALL}/1000", headers={"Range": "bytes=100-199"})
    assert (part.status, part.body) == (206, MP4[100:200])
    behind = {"Range": f"bytes={len(MP4)}-"}
    assert (await hub.get(f"{ALL}/1000", headers=behind)).problem()["status"] == 416
    assert (await hub.call("GET", f"{ALL}/2000")).body == MP4[:10]


async def test_a_timelapse_is_deleted_when_it_grows_no_more(hub: WebHub) -> None:
    assert (await hub.call("DELETE", f"{ALL}/2000", role=Role.OPERATOR)).status == 409
    for status in (204, 404):
        assert (await hub.call("DELETE", f"{ALL}/1000", role=Role.OPERATOR)).status == status


@pytest.mark.parametrize("odd", ["..%2f..%2fetc%2fpasswd", "1000.mp4", "%00", "3"])
async def test_what_is_no_film_is_not_found(hub: WebHub, odd: str) -> None:
    assert (await hub.call("GET", f"{ALL}/{odd}")).status == 404


async def test_a_camera_that_is_unknown_or_keeps_nothing_is_told(hub: WebHub) -> None:
    assert (await hub.get("cameras/back/timelapses")).status == 404
    hub.camera.keeping = None
    assert "keeps no timelapses" in (await hub.get(ALL)).problem()["detail"]
