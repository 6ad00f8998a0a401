"""Alerts and rules over HTTP and SSE, and what rules do outside: a real web server, a fake broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from hub.alerts.deeds import Failed
from hub.model import Role
from hub.web.acting import Acting
from tests.fakes import until
from tests.web_hub import DEVICE, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HOT = {"id": "hot", "source": "*/temperature", "condition": "above", "threshold": 30.0}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


async def admin(hub: WebHub, method: str, path: str, **more: Any) -> Any:
    return await hub.call(method, path, role=Role.ADMIN, **more)


async def raised(hub: WebHub) -> Any:
    await until(hub.parts.alerts.active)
    (item,) = (await hub.get("alerts?active=true")).json()["items"]
    return item


async def test_a_rule_raises_an_alert_that_an_operator_acknowledges(hub: WebHub) -> None:
    assert (await admin(hub, "PUT", "rules/hot", json=HOT)).status == 200
    hub.take(31.0)
    alert = await raised(hub)
    assert (alert["rule"], alert["device"], alert["acknowledged_time"]) == ("hot", DEVICE, None)
    path = f"alerts/{alert['id']}/acknowledge"
    answered = await hub.call("POST", path, role=Role.OPERATOR)
    assert (answered.status, answered.json()["acknowledged_by"]) == (200, "token:test-operator")
    hub.take(20.0, time_ms=hub.clock() + 1)
    await until(lambda: not hub.parts.alerts.active())
    assert (await hub.call("POST", path, role=Role.OPERATOR)).problem()["parameter"] == "alert"
    assert len((await hub.get("alerts?active=false")).json()["items"]) == 1
    assert (await hub.get("alerts?cursor=x")).problem()["parameter"] == "cursor"


async def test_every_change_of_an_alert_is_an_event_of_the_stream(hub: WebHub) -> None:
    await admin(hub, "PUT", "rules/hot", json=HOT)
    plain = {**hub.bearer(), "Accept-Encoding": "identity"}
    async with hub.session.get(hub.url("stream"), headers=plain) as response:
        hub.take(31.0)
        while await response.content.readline() != b"event: alert\n":
            assert not response.content.at_eof()
        data = await response.content.readline()
    assert b'"rule":"hot"' in data


async def test_a_rule_is_guarded_by_its_version(hub: WebHub) -> None:
    made = await admin(hub, "PUT", "rules/hot", json=HOT, headers={"If-None-Match": "*"})
    assert made.headers["ETag"] == '"1"'
    assert (await admin(hub, "PUT", "rules/hot", json=HOT, headers={"If-None-Match": "*"})).status == 412
    assert (await admin(hub, "PUT", "rules/hot", json=HOT, headers={"If-Match": '"7"'})).status == 412
    changed = await admin(hub, "PUT", "rules/hot", json=HOT, headers={"If-Match": '"1"'})
    assert changed.json()["version"] == 2
    assert (await admin(hub, "GET", "rules/hot")).headers["ETag"] == '"2"'
    assert (await admin(hub, "PUT", "rules/hot", json=HOT, headers={"If-Match": "abc"})).status == 400
    assert (await admin(hub, "DELETE", "rules/hot", headers={"If-Match": '"2"'})).status == 204
    assert (await admin(hub, "DELETE", "rules/hot")).status == 404


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({**HOT, "threshold": None}, "threshold"),
        ({**HOT, "source": "x"}, "source"),
        ({**HOT, "id": "other"}, "id"),
        ({**HOT, "hold": "soon"}, "hold"),
        ({**HOT, "actions": [{"type": "webhook", "url": "file:///etc/passwd"}]}, "actions[0].url"),
        ({**HOT, "nope": 1}, "nope"),
    ],
)
async def test_a_bad_rule_is_refused_naming_the_field(hub: WebHub, body: Any, parameter: str) -> None:
    answered = await admin(hub, "PUT", "rules/hot", json=body)
    assert (answered.status, answered.problem()["parameter"]) == (400, parameter)
    assert (await admin(hub, "GET", "rules")).json()["items"] == []


async def test_rules_are_exported_and_imported_as_toml(hub: WebHub) -> None:
    await admin(hub, "PUT", "rules/hot", json=HOT)
    text = (await admin(hub, "GET", "rules?format=toml")).body
    assert b'id = "hot"' in text
    await admin(hub, "DELETE", "rules/hot")
    headers = {"Content-Type": "application/toml"}
    answered = await admin(hub, "PUT", "rules", data=text, headers=headers)
    assert [item["body"]["id"] for item in answered.json()["items"]] == ["hot"]
    bad = await admin(hub, "PUT", "rules", data=b"[[rule]]\nid = 'x'\n", headers=headers)
    assert bad.problem()["parameter"] == "rule[0].source"
    assert (await admin(hub, "PUT", "rules", data=b"\xff", headers=headers)).status == 400


async def test_a_rule_is_previewed_without_being_kept(hub: WebHub) -> None:
    hub.take(31.0, time_ms=hub.clock() - 1000)
    answered = await admin(hub, "POST", "rules/preview", json=HOT)
    assert answered.json()["raised"] == 1
    assert (await admin(hub, "GET", "rules")).json()["items"] == []
    assert (await admin(hub, "POST", "rules/preview", json={**HOT, "hold": "x"})).status == 400


# --- what rules do ------------------------------------------------------------------------------------


class Receiver:
    """A real web server that takes webhooks."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Any]] = []
        self.status = 204

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((request.headers.get("Authorization", ""), await request.json()))
        if self.status == 302:
            raise web.HTTPFound("/elsewhere")
        return web.Response(status=self.status)


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    one = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", one.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield one, f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await runner.cleanup()


def acting(hub: WebHub, folder: Path) -> Acting:
    return Acting(
        secrets=folder, commands=hub.parts.commands, cameras=hub.parts.cameras, publish=hub.broker.publish
    )


async def test_an_alert_reaches_a_webhook_a_broker_a_camera_and_a_device(
    hub: WebHub, receiver: tuple[Receiver, str], tmp_path: Path
) -> None:
    secrets = tmp_path / "data" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "ntfy").write_text("Authorization: Bearer s3cret\n")
    actions = [
        {"type": "webhook", "url": receiver[1], "secret": "ntfy"},
        {"type": "mqtt", "topic": "alerts/hot"},
        {"type": "clip", "camera": "front", "seconds": 5},
        {"type": "command", "command": "led", "params": {"state": "on"}},
    ]
    await admin(hub, "PUT", "rules/hot", json={**HOT, "actions": actions})
    hub.take(31.0)
    await until(lambda: receiver[0].got and hub.broker.published and hub.link.sent)
    header, told = receiver[0].got[0]
    assert (header, told["rule"], told["value"]) == ("Bearer s3cret", "hot", 31.0)
    assert hub.broker.published[0][0] == "alerts/hot"
    assert (hub.link.sent[0].caller, hub.link.sent[0].origin) == ("rule:hot", "alert")
    films = hub.camera.filming
    assert films is not None
    await until(lambda: bool(films.takes))
    assert (films.takes[0].reason, films.takes[0].rule) == ("alert", "hot")


@pytest.mark.parametrize(("status", "again"), [(302, False), (404, False), (429, True), (500, True)])
async def test_a_webhook_follows_no_redirect_and_knows_when_to_try_again(
    hub: WebHub, receiver: tuple[Receiver, str], tmp_path: Path, status: int, again: bool
) -> None:
    receiver[0].status = status
    with pytest.raises(Failed, match=str(status)) as caught:
        await acting(hub, tmp_path).post(receiver[1], None, b"{}")
    assert (caught.value.again, len(receiver[0].got)) == (again, 1)


async def test_a_webhook_that_nobody_takes_may_be_tried_again(hub: WebHub, tmp_path: Path) -> None:
    with pytest.raises(Failed, match="cannot be reached") as caught:
        await acting(hub, tmp_path).post("http://127.0.0.1:1/", None, b"{}")
    assert caught.value.again


@pytest.mark.parametrize("content", ["", "no header", "X: a\nY: b", "X: \x00", "Bad Name: x"])
async def test_a_secret_that_is_no_header_sends_nothing(
    hub: WebHub, receiver: tuple[Receiver, str], tmp_path: Path, content: str
) -> None:
    (tmp_path / "s").write_text(content)
    with pytest.raises(Failed, match="not one header"):
        await acting(hub, tmp_path).post(receiver[1], "s", b"{}")
    with pytest.raises(Failed, match="cannot be read"):
        await acting(hub, tmp_path).post(receiver[1], "missing", b"{}")
    assert receiver[0].got == []


async def test_a_camera_that_is_none_and_a_command_that_fails_say_why(hub: WebHub, tmp_path: Path) -> None:
    outside = acting(hub, tmp_path)
    with pytest.raises(Failed, match="no camera"):
        await outside.film("nobody", 5, "hot")
    hub.link.answer = lambda _: 1 / 0
    with pytest.raises(Failed, match="failed"):
        await outside.send(DEVICE, "led", {"state": "on"}, "rule:hot")
    silent = Acting(secrets=tmp_path, commands=hub.parts.commands, cameras={}, publish=None)
    with pytest.raises(Failed, match="no MQTT broker"):
        silent.publish("a", b"b")
