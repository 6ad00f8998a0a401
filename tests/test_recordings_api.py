"""Recordings over HTTP: begun, listed, played by Range, deleted, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.camera.errors import CameraError
from hub.camera.recording.filming import AlreadyRecording
from hub.model import Role
from tests.web_hub import WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.fake_filming import FakeFilming

MP4 = bytes(range(256)) * 40


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "1000_500_command.mp4").write_bytes(MP4)
    (folder / "2000_0_alert.mp4").write_bytes(MP4[:10])
    async with web_hub(tmp_path) as running:
        yield running


def filming(hub: WebHub) -> FakeFilming:
    assert hub.camera.filming is not None
    return hub.camera.filming


async def test_recordings_are_listed_with_the_running_one_first(hub: WebHub) -> None:
    begun = await hub.call("POST", "cameras/front/recordings", role=Role.OPERATOR, json={"seconds": 2.5})
    assert (begun.status, begun.headers["Location"]) == (201, "/api/v1/cameras/front/recordings/5000")
    assert filming(hub).asked == [2.5]
    items = (await hub.get("cameras/front/recordings")).json()["items"]
    assert [(item["id"], item["state"], item["length_ms"], item["reason"]) for item in items] == [
        ("5000", "running", None, "command"),
        ("2000", "kept", None, "alert"),
        ("1000", "kept", 500, "command"),
    ]
    assert items[2]["size_bytes"] == len(MP4)
    assert items[2]["camera"] == "front"


async def test_a_recording_is_played_whole_or_by_range(hub: WebHub) -> None:
    whole = await hub.call("GET", "cameras/front/recordings/1000")
    assert (whole.status, whole.headers["Content-Type"], whole.body) == (200, "video/mp4", MP4)
    assert whole.headers["Content-Disposition"] == 'inline; filename="front-1000.mp4"'
    part = await hub.call("GET", "cameras/front/recordings/1000", headers={"Range": "bytes=100-199"})
    assert (part.status, part.body) == (206, MP4[100:200])
    behind = {"Range": f"bytes={len(MP4)}-"}
    assert (await hub.get("cameras/front/recordings/1000", headers=behind)).problem()["status"] == 416


async def test_a_recording_is_deleted_and_then_unknown(hub: WebHub) -> None:
    for status in (204, 404):
        answered = await hub.call("DELETE", "cameras/front/recordings/1000", role=Role.OPERATOR)
        assert answered.status == status
    assert (await hub.call("GET", "cameras/front/recordings/1000")).status == 404
    for odd in ("..%2f..%2fetc%2fpasswd", "1000.mp4", "%00"):
        assert (await hub.call("GET", f"cameras/front/recordings/{odd}")).status == 404


async def test_a_running_recording_is_listed_with_what_is_written_and_played_as_far_as_that(
    hub: WebHub,
) -> None:
    await filming(hub).start(600)
    listed = (await hub.get("cameras/front/recordings")).json()["items"][0]
    assert (listed["id"], listed["size_bytes"]) == ("5000", 0)
    assert (await hub.call("GET", "cameras/front/recordings/5000")).status == 409, "no picture yet"
    filming(hub).kept.begin(5000, "command").write_bytes(MP4[:700])
    listed = (await hub.get("cameras/front/recordings")).json()["items"][0]
    assert (listed["state"], listed["size_bytes"]) == ("running", 700)
    played = await hub.call("GET", "cameras/front/recordings/5000")
    assert (played.status, played.headers["Content-Type"], played.body) == (200, "video/mp4", MP4[:700])


async def test_a_recording_that_went_on_in_a_further_file_is_stopped_by_either_id(hub: WebHub) -> None:
    films = filming(hub)
    take = await films.start(600)
    take.id, take.former = "7000", ("5000",)
    (films.kept._folder / "5000_300_command.mp4").write_bytes(MP4)
    items = (await hub.get("cameras/front/recordings")).json()["items"]
    assert [(item["id"], item["state"]) for item in items[:2]] == [("7000", "running"), ("5000", "kept")]
    assert (await hub.call("GET", "cameras/front/recordings/5000")).body == MP4
    stopped = await hub.call("POST", "cameras/front/recordings/5000/stop", role=Role.OPERATOR)
    assert (stopped.status, films.takes) == (204, ())


async def test_a_running_recording_is_stopped_and_not_deleted(hub: WebHub) -> None:
    await hub.call("POST", "cameras/front/recordings", role=Role.OPERATOR, json={})
    assert filming(hub).asked == [30.0]
    assert (await hub.call("DELETE", "cameras/front/recordings/5000", role=Role.OPERATOR)).status == 409
    for status in (204, 404):
        stopped = await hub.call("POST", "cameras/front/recordings/5000/stop", role=Role.OPERATOR)
        assert stopped.status == status


async def test_recordings_that_run_side_by_side_are_listed_and_stopped_each_on_its_own(hub: WebHub) -> None:
    films = filming(hub)
    await films.start(600, "schedule")
    await films.start(5, "alert", "too-hot")
    begun = await hub.call("POST", "cameras/front/recordings", role=Role.OPERATOR, json={})
    assert begun.status == 201
    items = (await hub.get("cameras/front/recordings")).json()["items"]
    assert [(item["id"], item["reason"], item["rule"]) for item in items if item["state"] == "running"] == [
        ("5002", "command", None),
        ("5001", "alert", "too-hot"),
        ("5000", "schedule", None),
    ]
    await hub.call("POST", "cameras/front/recordings/5001/stop", role=Role.OPERATOR)
    assert [take.id for take in films.takes] == ["5002", "5000"]


@pytest.mark.parametrize(
    ("error", "status"), [(AlreadyRecording("records already"), 409), (CameraError("no picture"), 503)]
)
async def test_what_keeps_a_recording_from_beginning_is_told(
    hub: WebHub, error: Exception, status: int
) -> None:
    filming(hub).fails = error
    answered = await hub.call("POST", "cameras/front/recordings", role=Role.OPERATOR, json={})
    assert (answered.status, answered.problem()["detail"]) == (status, str(error))


@pytest.mark.parametrize("body", [{"seconds": 0}, {"seconds": 1e9}, {"seconds": "x"}, {"minutes": 1}])
async def test_a_body_that_is_wrong_is_refused_by_name(hub: WebHub, body: dict[str, object]) -> None:
    answered = await hub.call("POST", "cameras/front/recordings", role=Role.OPERATOR, json=body)
    assert answered.status == 400
    assert answered.problem()["parameter"] in ("seconds", "minutes")


async def test_a_camera_that_is_unknown_or_records_nothing_is_told(hub: WebHub) -> None:
    assert (await hub.get("cameras/back/recordings")).status == 404
    hub.camera.filming = None
    assert "keeps no recordings" in (await hub.get("cameras/front/recordings")).problem()["detail"]
