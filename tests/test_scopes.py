"""Tokens for some devices only: for them there are no others, on any route."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.model import Role, Scope
from hub.web.live.filters import EVERYWHERE, Filter, Reach
from hub.web.route import Reaches
from hub.web.server import ROUTES
from tests.fakes import until
from tests.scoped_hub import OTHER, PLAIN, asked, busy, scoped_hub
from tests.sse_client import SseClient
from tests.web_hub import DEVICE, NOW_MS, WebHub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


NONE, ONE, SOME, WHOLE = Reaches.NONE, Reaches.ONE, Reaches.SOME, Reaches.WHOLE
API = "/api/v1"
TABLE: dict[tuple[str, str], Reaches] = {
    ("GET", "/"): NONE,
    ("GET", "/claim"): NONE,
    ("GET", "/healthz"): NONE,
    ("GET", "/readyz"): NONE,
    ("GET", "/.well-known/security.txt"): NONE,
    ("GET", "/{path:(?!api/).*}"): NONE,
    ("GET", "/metrics"): WHOLE,
    ("GET", f"{API}/alerts"): SOME,
    ("POST", f"{API}/alerts/{{alert}}/acknowledge"): SOME,
    ("GET", f"{API}/cameras"): SOME,
    ("GET", f"{API}/cameras/{{id}}/recordings"): ONE,
    ("POST", f"{API}/cameras/{{id}}/recordings"): ONE,
    ("GET", f"{API}/cameras/{{id}}/recordings/{{recording}}"): ONE,
    ("DELETE", f"{API}/cameras/{{id}}/recordings/{{recording}}"): ONE,
    ("POST", f"{API}/cameras/{{id}}/recordings/{{recording}}/stop"): ONE,
    ("GET", f"{API}/cameras/{{id}}/timelapses"): ONE,
    ("GET", f"{API}/cameras/{{id}}/timelapses/{{film}}"): ONE,
    ("DELETE", f"{API}/cameras/{{id}}/timelapses/{{film}}"): ONE,
    ("GET", f"{API}/cameras/{{id}}/snapshot.jpg"): ONE,
    ("GET", f"{API}/cameras/{{id}}/stream.mjpg"): ONE,
    ("OPTIONS", f"{API}/cameras/{{id}}/whep"): NONE,
    ("OPTIONS", f"{API}/cameras/{{id}}/whep/{{viewer}}"): NONE,
    ("GET", f"{API}/cameras/{{id}}/whep"): ONE,
    ("GET", f"{API}/cameras/{{id}}/whep/{{viewer}}"): ONE,
    ("POST", f"{API}/cameras/{{id}}/whep"): ONE,
    ("PATCH", f"{API}/cameras/{{id}}/whep/{{viewer}}"): ONE,
    ("DELETE", f"{API}/cameras/{{id}}/whep/{{viewer}}"): ONE,
    ("GET", f"{API}/commands"): SOME,
    ("POST", f"{API}/commands/{{command}}/cancel"): SOME,
    ("GET", f"{API}/control"): SOME,
    ("GET", f"{API}/devices"): SOME,
    ("GET", f"{API}/devices/{{id}}"): ONE,
    ("DELETE", f"{API}/devices/{{id}}"): ONE,
    ("GET", f"{API}/devices/{{id}}/console"): ONE,
    ("GET", f"{API}/devices/{{id}}/link"): ONE,
    ("POST", f"{API}/devices/{{id}}/commands"): ONE,
    ("GET", f"{API}/devices/{{id}}/desired"): ONE,
    ("PUT", f"{API}/devices/{{id}}/desired"): ONE,
    ("DELETE", f"{API}/devices/{{id}}/desired"): ONE,
    ("GET", f"{API}/devices/{{id}}/firmware"): ONE,
    ("POST", f"{API}/devices/{{id}}/update"): ONE,
    ("GET", f"{API}/enrolments"): SOME,
    ("POST", f"{API}/enrolments/{{id}}/accept"): ONE,
    ("POST", f"{API}/enrolments/{{id}}/reject"): ONE,
    ("DELETE", f"{API}/enrolments/{{id}}"): ONE,
    ("GET", f"{API}/hub"): SOME,
    ("GET", f"{API}/latest"): SOME,
    ("POST", f"{API}/link"): WHOLE,
    ("GET", f"{API}/openapi.json"): NONE,
    ("GET", f"{API}/retention"): SOME,
    ("GET", f"{API}/retention/rules"): WHOLE,
    ("PUT", f"{API}/retention/rules"): WHOLE,
    ("DELETE", f"{API}/retention/rules"): WHOLE,
    ("POST", f"{API}/retention/preview"): WHOLE,
    ("GET", f"{API}/rules"): WHOLE,
    ("PUT", f"{API}/rules"): WHOLE,
    ("POST", f"{API}/rules/preview"): WHOLE,
    ("GET", f"{API}/rules/{{rule}}"): WHOLE,
    ("PUT", f"{API}/rules/{{rule}}"): WHOLE,
    ("DELETE", f"{API}/rules/{{rule}}"): WHOLE,
    ("GET", f"{API}/samples"): SOME,
    ("GET", f"{API}/security/events"): WHOLE,
    ("POST", f"{API}/serial/release"): WHOLE,
    ("POST", f"{API}/serial/resume"): WHOLE,
    ("GET", f"{API}/session"): NONE,
    ("DELETE", f"{API}/session"): NONE,
    ("POST", f"{API}/session"): NONE,
    ("POST", f"{API}/session/password"): NONE,
    ("POST", f"{API}/session/wall"): NONE,
    ("DELETE", f"{API}/session/wall"): NONE,
    ("GET", f"{API}/sessions"): WHOLE,
    ("DELETE", f"{API}/sessions/{{session}}"): WHOLE,
    ("GET", f"{API}/stream"): SOME,
    ("GET", f"{API}/tokens"): WHOLE,
    ("POST", f"{API}/tokens"): WHOLE,
    ("DELETE", f"{API}/tokens/{{name}}"): WHOLE,
    ("GET", f"{API}/users"): WHOLE,
    ("POST", f"{API}/users"): WHOLE,
    ("PATCH", f"{API}/users/{{name}}"): WHOLE,
    ("DELETE", f"{API}/users/{{name}}"): WHOLE,
}

ASKED = {
    ("GET", f"{API}/alerts"): ("alerts", "alerts?device="),
    ("GET", f"{API}/commands"): ("commands", "commands?format=csv", "commands?device="),
    ("GET", f"{API}/devices"): ("devices",),
    ("GET", f"{API}/enrolments"): ("enrolments",),
    ("GET", f"{API}/hub"): ("hub",),
    ("GET", f"{API}/latest"): ("latest", "latest?device="),
    ("GET", f"{API}/retention"): ("retention",),
    ("GET", f"{API}/samples"): (f"samples?at={NOW_MS + 1}",),
}
"""What is asked on the routes of some devices: each answer names the other device to who may know of it."""
BY_HAND = {
    ("GET", f"{API}/cameras"): "test_cameras_are_devices_to_a_scope",
    ("GET", f"{API}/control"): "test_a_control_socket_knows_the_scope_alone",
    ("GET", f"{API}/stream"): "test_a_stream_carries_the_scope_alone",
    ("GET", f"{API}/samples"): "test_history_outside_is_as_that_of_a_device_that_is_not_there",
    ("POST", f"{API}/commands/{{command}}/cancel"): "test_a_command_outside_cannot_be_taken_back",
    ("POST", f"{API}/alerts/{{alert}}/acknowledge"): "test_an_alert_outside_cannot_be_acknowledged",
}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with scoped_hub(tmp_path) as running:
        yield running


def filled(path: str, device: str) -> str:
    for part in ("recording", "viewer", "film"):
        path = path.replace(f"{{{part}}}", "nobody")
    return path.replace("{id}", device)


# --- every route --------------------------------------------------------------------------------------


def test_the_table_says_of_every_route_what_it_reaches() -> None:
    assert {(route.method, route.path): route.reaches for route in ROUTES} == TABLE


def test_every_route_of_some_devices_is_tried() -> None:
    some = {route for route, reaches in TABLE.items() if reaches is SOME}
    assert ASKED.keys() | BY_HAND.keys() == some
    assert all(name in globals() for name in BY_HAND.values())


def test_a_route_of_one_device_names_it_in_its_path() -> None:
    assert all(("{id}" in route.path) == (route.reaches is ONE) or route.reaches is NONE for route in ROUTES)


async def test_a_device_outside_is_not_there_on_any_route_of_one(hub: WebHub) -> None:
    headers = hub.scoped(Role.ADMIN, DEVICE)
    for route in ROUTES:
        if route.reaches is not ONE:
            continue
        media = {"Content-Type": route.body_media} if route.body_media else {}
        answers = []
        for device in ("front" if "cameras" in route.path else OTHER, "nobody"):
            answered = await asked(hub, route.method, filled(route.path, device), {**headers, **media})
            answers.append((answered.status, answered.problem()["detail"].replace(device, "…")))
        assert answers[0] == answers[1], route.path
        assert answers[0][0] == 404, route.path


async def test_a_device_inside_is_there_on_every_route_of_one(hub: WebHub) -> None:
    headers = hub.scoped(Role.ADMIN, DEVICE, tags=("yard",))
    for route in ROUTES:
        if route.reaches is ONE:
            media = {"Content-Type": route.body_media} if route.body_media else {}
            path = filled(route.path, "front" if "cameras" in route.path else DEVICE)
            async with hub.session.request(
                route.method, hub.url(path), headers={**headers, **media}
            ) as response:
                refused = response.status == 404 and b"is known here" in await response.read()
            assert not refused, route.path


async def test_what_is_of_the_whole_hub_is_refused_even_to_an_admin(hub: WebHub) -> None:
    headers = hub.scoped(Role.ADMIN, DEVICE)
    for route in ROUTES:
        if route.reaches is WHOLE:
            media = {"Content-Type": route.body_media} if route.body_media else {}
            path = route.path.replace("{", "").replace("}", "")
            answered = await asked(hub, route.method, path, {**headers, **media})
            assert (answered.status, "some devices only" in answered.problem()["detail"]) == (403, True), path


async def test_lists_hold_what_is_inside_and_nothing_else(hub: WebHub) -> None:
    await busy(hub)
    inside = hub.scoped(Role.VIEWER, "pico-*")
    by_tag = hub.scoped(Role.VIEWER, tags=("lab",))
    for path in (path for paths in ASKED.values() for path in paths):
        of_other, of_own = (path + device if path.endswith("=") else path for device in (OTHER, DEVICE))
        whole = await hub.get(of_other)
        assert OTHER.encode() in whole.body, path
        for headers in (inside, by_tag):
            assert OTHER.encode() not in (await asked(hub, "GET", of_other, headers)).body, path
            own = await asked(hub, "GET", of_own, headers)
            assert own.status == 200
            assert DEVICE.encode() in own.body, path


async def test_the_hub_counts_the_devices_inside(hub: WebHub) -> None:
    answered = (await asked(hub, "GET", "hub", hub.scoped(Role.VIEWER, DEVICE))).json()["health"]
    assert (answered["devices"], answered["devices_online"]) == (1, 1)
    assert (await hub.get("hub")).json()["health"]["devices"] == 2


# --- the others, one by one ---------------------------------------------------------------------------


async def test_cameras_are_devices_to_a_scope(hub: WebHub) -> None:
    for headers, count in (
        (hub.scoped(Role.VIEWER, DEVICE), 0),
        (hub.scoped(Role.VIEWER, "front"), 1),
        (hub.scoped(Role.VIEWER, tags=("yard",)), 1),
    ):
        assert len((await asked(hub, "GET", "cameras", headers)).json()["items"]) == count


async def test_a_viewer_of_a_camera_sees_the_metrics_of_the_scope_alone(hub: WebHub) -> None:
    await busy(hub)
    headers = {**hub.scoped(Role.VIEWER, "front", DEVICE), "Content-Type": "application/sdp"}
    assert (await asked(hub, "POST", "cameras/front/whep", headers, data="v=0\r\n")).status == 201
    assert hub.camera.instruments is not None
    rows = hub.camera.instruments.last([(OTHER, "temperature"), (DEVICE, "temperature")])
    assert [row[0] for row in rows] == [DEVICE]


async def test_a_stream_carries_the_scope_alone(hub: WebHub) -> None:
    async with (
        hub.session.get(hub.url("stream"), headers={**hub.scoped(Role.VIEWER, DEVICE), **PLAIN}) as response,
        hub.session.get(
            hub.url("stream?max_hz=40"), headers={**hub.scoped(Role.VIEWER, DEVICE), **PLAIN}
        ) as paced,
    ):
        assert response.status == 200
        await busy(hub)
        hub.take(99.0, metric="temperature", device=OTHER)
        hub.take(7.5)
        for stream in (response, paced):
            told = b""
            async with asyncio.timeout(10):
                while b"7.5" not in told:
                    told += await stream.content.readany()
            assert OTHER.encode() not in told
            assert b"event: samples" in told


async def test_a_resumed_stream_carries_the_scope_alone(hub: WebHub) -> None:
    at = f"{hub.parts.bus.epoch}-{hub.parts.bus.last_n}"
    await busy(hub)
    hub.take(7.5)
    headers = {**hub.scoped(Role.VIEWER, DEVICE), **PLAIN, "Last-Event-ID": at}
    async with hub.session.get(hub.url("stream"), headers=headers) as response:
        kinds = set()
        async with asyncio.timeout(10):
            async for event in SseClient(response).events():
                kinds.add(event.kind)
                assert OTHER not in str(event.data)
                if "7.5" in str(event.data):
                    break
    assert {"samples", "command", "log"} <= kinds


async def test_callers_of_one_scope_share_what_is_encoded(hub: WebHub) -> None:
    reaches = [
        Reach.of(Scope(devices=("a", "b*")), ("c",)),
        Reach.of(Scope(devices=("b*", "a")), ("c",)),
    ]
    assert len({Filter.of((), (), None, reach) for reach in reaches}) == 1
    assert Filter.of((), (), None, EVERYWHERE) == Filter.of((), ())


async def test_a_control_socket_knows_the_scope_alone(hub: WebHub) -> None:
    async with hub.session.ws_connect(
        hub.url("control"), headers=hub.scoped(Role.OPERATOR, DEVICE), protocols=("outpost.v1",)
    ) as socket:
        command = {"jsonrpc": "2.0", "id": 1, "method": "command.send"}
        for device in (OTHER, "nobody"):
            await socket.send_json({**command, "params": {"device": device, "command": "read"}})
            refused = (await socket.receive_json(timeout=10))["error"]
            assert (refused["code"], device in refused["message"]) == (-32002, True)
        assert hub.link.sent == []
        await hub.call("POST", f"devices/{OTHER}/commands", role=Role.OPERATOR, json={"command": "read"})
        await socket.send_json({**command, "params": {"device": DEVICE, "command": "read"}})
        told = [await socket.receive_json(timeout=10) for _ in range(4)]
    assert {one["params"]["device"] for one in told if "method" in one} == {DEVICE}
    assert [one.get("id") for one in told if "result" in one] == [1]


async def test_history_outside_is_as_that_of_a_device_that_is_not_there(hub: WebHub) -> None:
    await busy(hub)
    headers = hub.scoped(Role.VIEWER, DEVICE)
    for question in ("device=%s&metric=temperature", "metric=%s/temperature", "device=%s&at=2026-01-01"):
        answers = []
        for device in (OTHER, "nobody"):
            answered = await asked(hub, "GET", f"samples?{question % device}", headers)
            answers.append((answered.status, str(answered.json()).replace(device, "…")))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    assert (await asked(hub, "GET", f"samples?metric={DEVICE}/temperature", headers)).status == 200


async def test_a_command_outside_cannot_be_taken_back(hub: WebHub) -> None:
    hub.link.gate = asyncio.Event()
    sending = asyncio.create_task(
        hub.call("POST", f"devices/{OTHER}/commands", role=Role.OPERATOR, json={"command": "read"})
    )
    await until(lambda: hub.link.sent)
    identity = hub.link.sent[0].id
    answers = [
        await asked(hub, "POST", f"commands/{wanted}/cancel", hub.scoped(Role.OPERATOR, DEVICE))
        for wanted in (identity, "nobody")
    ]
    assert [answered.status for answered in answers] == [404, 404]
    assert hub.link.cancelled == []
    assert (
        await asked(hub, "POST", f"commands/{identity}/cancel", hub.scoped(Role.OPERATOR, OTHER))
    ).status == 202
    hub.link.gate.set()
    await sending


async def test_an_alert_outside_cannot_be_acknowledged(hub: WebHub) -> None:
    await busy(hub)
    headers = hub.scoped(Role.OPERATOR, DEVICE)
    status = {
        alert.device: (await asked(hub, "POST", f"alerts/{alert.id}/acknowledge", headers)).status
        for alert in hub.parts.alerts.active()
    }
    assert status == {DEVICE: 200, OTHER: 404}


async def test_a_long_poll_does_not_wake_for_what_is_outside(hub: WebHub) -> None:
    headers = hub.scoped(Role.DEVICE, DEVICE)
    tag = (await asked(hub, "GET", "latest", headers)).headers["ETag"]
    waiting = asyncio.create_task(
        asked(hub, "GET", "latest?wait=30", {**headers, "If-None-Match": tag}, timeout=None)
    )
    polls = hub.parts.health.registry.get_sample_value
    await until(lambda: polls("outpost_long_polls") == 1)
    hub.take(1.0, device=OTHER)
    hub.take(2.0)
    items = (await waiting).json()["items"]
    assert [(item["device"], item["value"]) for item in items] == [(DEVICE, 2.0)]
