"""WHEP's HTTP side, snapshots and MJPEG. The camera is a fake: pictures and WebRTC have their own tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from hub.camera.errors import CameraError, TooManyViewers
from hub.camera.viewing.ice import IceServers
from hub.config import ConfigError, WebrtcConfig
from hub.model import Role
from hub.web.video import pictures
from hub.web.video.whep import ice_links
from tests.fakes import until
from tests.web_hub import WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.web_hub import Answered

WHEP = "cameras/front/whep"
SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


async def offer(hub: WebHub, data: bytes | str = b"v=0\r\n", **more: Any) -> Answered:
    return await hub.call("POST", WHEP, headers=SDP, data=data, **more)


async def test_the_cameras_are_listed_with_their_state(hub: WebHub) -> None:
    hub.camera.error = "the cable is loose"
    listed = (await hub.get("cameras")).json()
    assert listed == {
        "items": [
            {
                "id": "front",
                "name": "Front door",
                "state": "idle",
                "error": "the cable is loose",
                "viewers": 0,
                "encoders": 0,
            }
        ],
        "next": None,
    }


# --- WHEP ---------------------------------------------------------------------------------------------


async def test_an_offer_makes_a_viewer_at_its_location(hub: WebHub) -> None:
    answered = await offer(hub)
    assert answered.status == 201
    assert answered.headers["Content-Type"] == "application/sdp"
    assert answered.body == b"v=0\r\ns=answer\r\n"
    assert answered.headers["Location"] == "/api/v1/cameras/front/whep/viewer1"
    assert answered.headers["ETag"] == '"tag-viewer1"'
    assert answered.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"
    assert hub.camera.offers == ["v=0\r\n"]


async def test_a_viewer_takes_candidates_and_ends(hub: WebHub) -> None:
    location = (await offer(hub)).headers["Location"]
    for match in ({}, {"If-Match": '"tag-viewer1"'}, {"If-Match": "*"}):
        patched = await hub.call("PATCH", location, headers={**FRAGMENT, **match}, data=b"a=candidate")
        assert (patched.status, patched.body) == (204, b"")
    assert len(hub.camera.fragments) == 3
    assert (await hub.call("DELETE", location)).status == 200
    assert hub.camera.open == set()
    assert (await hub.call("DELETE", location)).status == 404
    assert (await hub.call("PATCH", location, headers=FRAGMENT, data=b"a=candidate")).status == 404


async def test_candidates_of_another_ice_session_fail_their_precondition(hub: WebHub) -> None:
    location = (await offer(hub)).headers["Location"]
    headers = {**FRAGMENT, "If-Match": '"tag-other"'}
    answered = await hub.call("PATCH", location, headers=headers, data=b"a=candidate")
    assert answered.status == 412
    answered.problem()
    assert hub.camera.fragments == []


async def test_options_tell_what_an_offer_is_to_everybody(hub: WebHub) -> None:
    answered = await hub.call("OPTIONS", WHEP, role=None)
    assert answered.status == 200
    assert answered.headers["Accept-Post"] == "application/sdp"


async def test_what_has_no_representation_answers_get_with_no_content_while_it_is_there(hub: WebHub) -> None:
    location = (await offer(hub)).headers["Location"]
    for method in ("GET", "HEAD"):
        for path in (WHEP, location):
            answered = await hub.call(method, path)
            assert (answered.status, answered.body) == (204, b"")
    await hub.call("DELETE", location)
    assert (await hub.call("GET", location)).status == 404


async def test_options_tell_what_a_viewer_takes(hub: WebHub) -> None:
    answered = await hub.call("OPTIONS", f"{WHEP}/nobody", role=None)
    assert (answered.status, answered.headers["Accept-Patch"]) == (200, "application/trickle-ice-sdpfrag")


async def test_ending_a_viewer_needs_no_match_of_its_ice_session(hub: WebHub) -> None:
    location = (await offer(hub)).headers["Location"]
    assert (await hub.call("DELETE", location, headers={"If-Match": '"tag-other"'})).status == 200


@pytest.mark.parametrize(
    ("method", "path", "headers", "data", "status"),
    [
        ("POST", WHEP, SDP, b"hello", 400),
        ("POST", WHEP, SDP, b"", 400),
        ("POST", WHEP, SDP, b"\xff\xfe", 400),
        ("POST", WHEP, {"Content-Type": "application/sdp; charset=nonsense"}, b"v=0", 400),
        ("POST", WHEP, {"Content-Type": "application/json"}, b"{}", 415),
        ("POST", WHEP, SDP, b"v=0" + b"x" * 70_000, 413),
        ("POST", "cameras/nope/whep", SDP, b"v=0", 404),
        ("PATCH", f"{WHEP}/viewer1", SDP, b"a=candidate", 415),
        ("PATCH", f"{WHEP}/viewer1", FRAGMENT, b"nothing", 422),
        ("PATCH", f"{WHEP}/viewer1", FRAGMENT, b"\xff", 400),
        ("PATCH", f"{WHEP}/nobody", FRAGMENT, b"a=candidate", 404),
        ("DELETE", f"{WHEP}/nobody", {}, b"", 404),
        ("DELETE", "cameras/nope/whep/viewer1", {}, b"", 404),
        ("PUT", WHEP, SDP, b"v=0", 405),
    ],
)
async def test_what_whep_cannot_take_is_a_problem(
    hub: WebHub, method: str, path: str, headers: dict[str, str], data: bytes, status: int
) -> None:
    await offer(hub)
    answered = await hub.call(method, path, headers=headers, data=data)
    assert answered.status == status
    answered.problem()
    assert hub.camera.open == {"viewer1"}


@pytest.mark.parametrize("error", [CameraError("no source"), TooManyViewers("16 is all it may")])
async def test_a_camera_that_gives_nothing_now_says_when_to_come_back(hub: WebHub, error: Exception) -> None:
    hub.camera.fails = error
    for answered in (
        await offer(hub),
        await hub.get("cameras/front/snapshot.jpg"),
        await hub.get("cameras/front/stream.mjpg"),
    ):
        assert answered.status == 503
        assert int(answered.headers["Retry-After"]) > 0
        assert answered.problem()["detail"] == str(error)


async def test_ice_servers_are_offered_in_link_headers_to_those_who_may_watch(tmp_path: Path) -> None:
    told: list[list[str]] = []
    password = tmp_path / "turn"
    password.write_text('se"cret\n')
    webrtc = WebrtcConfig(
        ice_servers=("stun:stun.example:3478", "turn:turn.example:3478?transport=udp"),
        username="us\\er",
        password_file=str(password),
    )
    async with web_hub(tmp_path, webrtc=webrtc) as hub:
        for method, data in (("POST", b"v=0"), ("OPTIONS", None)):  # browsers need them before they offer
            headers = {**hub.bearer(), **(SDP if data else {})}
            async with hub.session.request(method, hub.url(WHEP), headers=headers, data=data) as response:
                links = response.headers.getall("Link")
                assert response.headers["Cache-Control"] == "no-store"
            told.append(links)
        for headers in ({}, {"Authorization": "Bearer wrong"}, hub.bearer(Role.DEVICE)):
            async with hub.session.options(hub.url(WHEP), headers=headers) as response:
                assert (response.status, response.headers.getall("Link", [])) == (200, [])
        assert told[0] == told[1]
        assert links == [
            '<stun:stun.example:3478>; rel="ice-server"',
            '<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="us\\\\er"; '
            'credential="se\\"cret"; credential-type="password"',
        ]


def test_without_ice_servers_there_are_no_links() -> None:
    assert ice_links(IceServers()) == []


async def test_a_turn_password_that_cannot_be_read_is_an_error_at_start(tmp_path: Path) -> None:
    webrtc = WebrtcConfig(
        ice_servers=("turn:turn.example",), username="u", password_file=str(tmp_path / "none")
    )
    with pytest.raises(ConfigError, match="password_file"):
        async with web_hub(tmp_path, webrtc=webrtc):
            pass


# --- the fallbacks ------------------------------------------------------------------------------------


async def test_a_snapshot_is_a_jpeg_that_is_not_sent_twice(hub: WebHub) -> None:
    answered = await hub.get("cameras/front/snapshot.jpg")
    assert answered.headers["Content-Type"] == "image/jpeg"
    assert answered.body == hub.camera.jpeg
    tag = {"If-None-Match": answered.headers["ETag"]}
    again = await hub.get("cameras/front/snapshot.jpg", headers=tag)
    assert (again.status, again.body) == (304, b"")
    hub.camera.jpeg += b"another"
    assert (await hub.get("cameras/front/snapshot.jpg", headers=tag)).status == 200


async def test_mjpeg_is_a_stream_of_whole_pictures_and_ends_with_its_client(hub: WebHub) -> None:
    async with hub.session.get(hub.url("cameras/front/stream.mjpg"), headers=hub.bearer()) as response:
        assert response.headers["Content-Type"].startswith("multipart/x-mixed-replace; boundary=")
        reader = aiohttp.MultipartReader(response.headers, response.content)
        for _ in range(3):
            part = await reader.next()
            assert isinstance(part, aiohttp.BodyPartReader)
            assert part.headers["Content-Type"] == "image/jpeg"
            assert await part.read() == hub.camera.jpeg
    await until(hub.camera.frames_closed.is_set)


async def test_a_client_of_mjpeg_that_takes_nothing_loses_its_place(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "STALL_S", 0.2)
    hub.camera.jpeg = bytes(1 << 20)
    async with hub.session.get(hub.url("cameras/front/stream.mjpg"), headers=hub.bearer()) as response:
        await until(hub.camera.frames_closed.is_set)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_a_client_of_mjpeg_that_goes_while_the_camera_gives_nothing_loses_its_place(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = asyncio.Event()

    async def dark(owner: str) -> AsyncIterator[bytes]:
        yield b"the last picture"
        try:
            await asyncio.Event().wait()
        finally:
            left.set()

    monkeypatch.setattr(hub.camera, "frames", dark)
    async with hub.session.get(hub.url("cameras/front/stream.mjpg"), headers=hub.bearer()) as response:
        await response.content.readuntil(b"picture")
    await until(left.is_set)


@pytest.mark.parametrize("path", ["snapshot.jpg", "stream.mjpg"])
async def test_an_unknown_camera_is_not_found(hub: WebHub, path: str) -> None:
    answered = await hub.get(f"cameras/nope/{path}")
    assert answered.status == 404
    assert "front" in answered.problem()["detail"]
