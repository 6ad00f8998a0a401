"""A whole hub records its camera on command; the file plays, by API and in parts, and can be deleted."""

from __future__ import annotations

import io
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import av
import pytest

from hil.hub import HubProcess
from hub.camera.sources import planes, stamp
from tests.e2e.api import Api
from tests.e2e.one_camera import CONFIG

if TYPE_CHECKING:
    from pathlib import Path


def fetch(hub: HubProcess, path: str, method: str = "GET", **headers: str) -> bytes:
    request = urllib.request.Request(
        f"{hub.url}/api/v1/{path}",
        method=method,
        headers={"Authorization": f"Bearer {hub.token}", **headers},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return bytes(answer.read())


@pytest.mark.e2e
def test_a_recording_with_its_pre_roll_is_made_played_and_deleted(tmp_path: Path) -> None:
    with HubProcess(tmp_path / "data", config=f"{CONFIG}pre_roll_s = 2\n") as hub:
        api = Api(hub)
        time.sleep(2.5)
        begun = api.post("cameras/front/recordings", {"seconds": 1})
        assert (begun["state"], begun["reason"]) == ("running", "command")
        items: list[Any] = []
        deadline = time.monotonic() + 20
        while not items or items[0]["state"] != "kept":
            assert time.monotonic() < deadline
            time.sleep(0.1)
            items = api.get("cameras/front/recordings")["items"]
        path = f"cameras/front/recordings/{begun['id']}"
        data = fetch(hub, path)
        assert len(data) == items[0]["size_bytes"]
        assert fetch(hub, path, Range="bytes=4-7") == data[4:8] == b"ftyp"
        with av.open(io.BytesIO(data), "r") as container:
            seen = [stamp.read(planes.views(frame)[0]) for frame in container.decode(video=0)]
        first, last = seen[0], seen[-1]
        assert first is not None
        assert last is not None
        assert first < begun["time"] - 1_000
        assert last > begun["time"]
        fetch(hub, path, "DELETE")
        assert api.get("cameras/front/recordings")["items"] == []
