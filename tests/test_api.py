"""The API's reading side, and commands over plain HTTP: shapes, errors, long poll."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.links.link import NoAnswer
from hub.model import Gone, LinkHealth, LogLine, Role
from tests.fakes import until
from tests.web_hub import DEVICE, NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.model import Command

COMMANDS = f"devices/{DEVICE}/commands"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


# --- devices ------------------------------------------------------------------------------------------


async def test_a_birth_makes_a_device_with_its_metrics_and_commands(hub: WebHub) -> None:
    hub.take(21.5)
    listed = (await hub.get("devices")).json()
    assert listed["next"] is None
    (device,) = listed["items"]
    assert device["id"] == DEVICE
    assert device["name"] == "Greenhouse"
    assert (device["online"], device["reason"], device["last_seen"]) == (True, None, NOW_MS)
    temperature, door, mode, _ = device["metrics"]
    assert (temperature["unit"], temperature["kind"], temperature["interval_ms"]) == ("°C", "number", 1000)
    sample = {"value": 21.5, "quality": "good", "source_time": NOW_MS, "hub_time": NOW_MS}
    assert temperature["last"] == sample
    assert door["last"] is None
    assert mode["options"] == ["off", "auto"]
    assert device["commands"][0]["params"]["required"] == ["state"]
    assert (await hub.get(f"devices/{DEVICE}")).json() == device


async def test_an_offline_device_says_why(hub: WebHub) -> None:
    hub.sink(Gone(DEVICE, "the cable was pulled"))
    device = (await hub.get(f"devices/{DEVICE}")).json()
    assert (device["online"], device["reason"]) == (False, "the cable was pulled")


@pytest.mark.parametrize("path", ["devices/nope", "devices/nope/console", "devices/nope/link", "devices/%00"])
async def test_an_unknown_device_is_a_problem_that_names_the_parameter(hub: WebHub, path: str) -> None:
    answered = await hub.get(path)
    assert answered.status == 404
    assert answered.problem()["parameter"] == "id"


async def test_the_console_shows_a_devices_last_lines(hub: WebHub) -> None:
    for text in ("first", "second <script>"):
        hub.sink(LogLine(DEVICE, NOW_MS, text))
    items = (await hub.get(f"devices/{DEVICE}/console")).json()["items"]
    assert [item["text"] for item in items] == ["first", "second <script>"]
    assert items[0] == {"device": DEVICE, "time_ms": NOW_MS, "text": "first", "level": "info"}


async def test_the_link_shows_its_figures(hub: WebHub) -> None:
    hub.sink(LinkHealth(DEVICE, {"crc_errors": 2, "rtt_ms": 1.5}))
    shown = (await hub.get(f"devices/{DEVICE}/link")).json()
    assert shown["link"] == "serial"
    assert shown["figures"] == {"crc_errors": 2, "rtt_ms": 1.5}


async def test_the_hub_tells_who_and_how_it_is(hub: WebHub) -> None:
    shown = (await hub.get("hub")).json()
    assert (shown["name"], shown["time"], shown["epoch"]) == ("outpost", NOW_MS, "0123abcd")
    store = shown["health"].pop("store")
    assert store["file_bytes"] > 0
    assert (store["queue_readings"], store["card_years"]) == (0, None)
    assert shown["health"] == {
        "store_degraded": None,
        "devices": 1,
        "devices_online": 1,
        "streams": 0,
        "viewers": 0,
    }


# --- latest -------------------------------------------------------------------------------------------


async def test_latest_is_filtered_by_device_and_metric(hub: WebHub) -> None:
    hub.take(21.5)
    hub.take(True, metric="door")

    async def named(query: str) -> list[str]:
        items = (await hub.get(f"latest{query}")).json()["items"]
        return [item["metric"] for item in items]

    assert await named("") == ["door", "temperature"]
    assert await named("?metric=door") == ["door"]
    assert await named("?metric=door&metric=temperature") == ["door", "temperature"]
    assert await named(f"?device={DEVICE}&metric=note") == []
    assert await named("?device=other") == []


async def test_latest_is_not_sent_again_to_who_has_it(hub: WebHub) -> None:
    hub.take(21.5)
    first = await hub.get("latest")
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await hub.get("latest", headers={"If-None-Match": known})
        assert (again.status, again.body) == (304, b"")
    hub.take(22.0, time_ms=NOW_MS + 1)
    assert (await hub.get("latest", headers={"If-None-Match": tag})).status == 200


async def test_a_long_poll_answers_with_the_news_it_waited_for(hub: WebHub) -> None:
    hub.take(21.5)
    tag = (await hub.get("latest?metric=temperature")).headers["ETag"]
    poll = asyncio.create_task(hub.get("latest?metric=temperature&wait=30", headers={"If-None-Match": tag}))
    await asyncio.sleep(0.05)
    hub.take(True, metric="door")
    await asyncio.sleep(0.05)
    assert not poll.done()
    hub.take(22.0, time_ms=NOW_MS + 1)
    answered = await poll
    assert answered.status == 200
    assert answered.json()["items"][0]["value"] == 22.0


async def test_a_long_poll_without_news_ends_unmodified(hub: WebHub) -> None:
    tag = (await hub.get("latest")).headers["ETag"]
    answered = await hub.get("latest?wait=0.05", headers={"If-None-Match": tag})
    assert answered.status == 304


async def test_a_long_poll_of_who_has_nothing_answers_at_once(hub: WebHub) -> None:
    hub.take(21.5)
    async with asyncio.timeout(10):
        assert (await hub.get("latest?wait=60")).status == 200


@pytest.mark.parametrize("wait", ["-1", "61", "x", "nan", "inf", ""])
async def test_a_wait_out_of_range_is_a_bad_request(hub: WebHub, wait: str) -> None:
    answered = await hub.get(f"latest?wait={wait}")
    assert answered.status == 400
    assert answered.problem()["parameter"] == "wait"


@pytest.mark.parametrize(
    "query", ["?" + "&".join(["device=a"] * 65), f"?metric={'m' * 129}", "?devices=a", "?wait=1&wait=2"]
)
async def test_a_bad_query_is_a_problem_that_names_the_parameter(hub: WebHub, query: str) -> None:
    answered = await hub.get(f"latest{query}")
    assert answered.status == 400
    assert answered.problem()["parameter"]


# --- commands -----------------------------------------------------------------------------------------


async def test_a_command_by_http_answers_with_the_devices_result(hub: WebHub) -> None:
    body = {"command": "led", "params": {"state": "on"}, "ttl_ms": 5000}
    answered = await hub.call("POST", COMMANDS, role=Role.OPERATOR, json=body)
    assert answered.status == 200
    result = answered.json()
    assert (result["state"], result["result"], result["error"]) == ("succeeded", {"state": "on"}, None)
    (sent,) = hub.link.sent
    assert (sent.caller, sent.origin, sent.command) == ("token:test-operator", "http", "led")


async def test_the_same_key_runs_once(hub: WebHub) -> None:
    body = {"command": "read", "key": "once"}
    first = await hub.call("POST", COMMANDS, role=Role.OPERATOR, json=body)
    second = await hub.call("POST", COMMANDS, role=Role.OPERATOR, json=body)
    assert first.json() == second.json()
    assert len(hub.link.sent) == 1


async def test_a_command_that_fails_is_a_result_not_an_error(hub: WebHub) -> None:
    def silent(_: Command) -> None:
        raise NoAnswer("no answer within 10000 ms")

    hub.link.answer = silent
    answered = await hub.call("POST", COMMANDS, role=Role.OPERATOR, json={"command": "read"})
    assert answered.status == 200
    assert answered.json()["state"] == "timed_out"
    hub.sink(Gone(DEVICE, "unplugged"))
    answered = await hub.call("POST", COMMANDS, role=Role.OPERATOR, json={"command": "read"})
    assert answered.json()["state"] == "failed"
    assert "unplugged" in answered.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "status", "parameter"),
    [
        ("devices/nope/commands", b'{"command": "read"}', 404, "id"),
        (COMMANDS, b'{"command": "fly"}', 404, "command"),
        (COMMANDS, b'{"command": "led", "params": {"state": "blue"}}', 400, "params"),
        (COMMANDS, b'{"command": "led"}', 400, "params"),
        (COMMANDS, b'{"command": "read", "ttl_ms": 0}', 400, "ttl_ms"),
        (COMMANDS, b'{"command": "read", "params": []}', 400, "params"),
        (COMMANDS, b'{"command": 1}', 400, "command"),
        (COMMANDS, b"{}", 400, "command"),
        (COMMANDS, b'{"command": "read", "role": "admin"}', 400, "role"),
        (COMMANDS, b"[]", 400, None),
        (COMMANDS, b"", 400, None),
        (COMMANDS, b'{"command": "read"', 400, None),
        (COMMANDS, b'{"command": "\xff"}', 400, None),
        (COMMANDS, b'{"command": "\\ud800"}', 400, None),
        (COMMANDS, b"[" * 60_000, 400, None),
        (
            COMMANDS,
            b'{"command": "read", "params": {"a": ' + b'{"a":' * 9_000 + b"1" + b"}" * 9_002,
            400,
            None,
        ),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_bad_command_is_a_problem_and_reaches_no_device(
    hub: WebHub, path: str, body: bytes, status: int, parameter: str | None
) -> None:
    answered = await hub.call(
        "POST", path, role=Role.OPERATOR, headers={"Content-Type": "application/json"}, data=body
    )
    assert answered.status == status
    assert answered.problem().get("parameter") == parameter
    assert hub.link.sent == []


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_what_a_form_can_send_is_no_command(hub: WebHub, media: str) -> None:
    answered = await hub.call(
        "POST", COMMANDS, role=Role.ADMIN, headers={"Content-Type": media}, data=b'{"command": "read"}'
    )
    assert answered.status == 415
    assert answered.headers["Accept-Post"] == "application/json"
    assert hub.link.sent == []


async def test_the_trail_shows_commands_newest_first_by_pages(hub: WebHub) -> None:
    for state in ("on", "off", "on"):
        body = {"command": "led", "params": {"state": state}}
        await hub.call("POST", COMMANDS, role=Role.OPERATOR, json=body)
        hub.clock.now_ms += 1
    first = (await hub.get(f"commands?limit=2&device={DEVICE}")).json()
    assert [item["params"]["state"] for item in first["items"]] == ["on", "off"]
    newest = first["items"][0]
    assert (newest["caller"], newest["origin"], newest["state"]) == (
        "token:test-operator",
        "http",
        "succeeded",
    )
    assert newest["time"] == newest["created_time"] == NOW_MS + 2
    rest = (await hub.get(f"commands?limit=2&cursor={first['next']}")).json()
    assert (len(rest["items"]), rest["next"]) == (1, None)
    assert (await hub.get("commands?device=other")).json() == {"items": [], "next": None}


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=x", "cursor="])
async def test_a_bad_page_of_the_trail_is_a_bad_request(hub: WebHub, query: str) -> None:
    answered = await hub.get(f"commands?{query}")
    assert answered.status == 400
    answered.problem()


# --- health -------------------------------------------------------------------------------------------


async def test_metrics_are_in_prometheus_format_and_count_this_hub(hub: WebHub) -> None:
    hub.take(21.5)
    answered = await hub.get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(answered.body.decode())}
    (sample,) = families["outpost_samples"].samples[:1]
    assert sample.value == 1
    assert families["outpost_devices_online"].samples[0].value == 1


async def test_the_hub_is_alive_and_ready_for_everybody(hub: WebHub) -> None:
    for path in ("/healthz", "/readyz"):
        answered = await hub.get(path, role=None)
        assert (answered.status, answered.body) == (200, b"ok\n")


async def test_a_hub_that_cannot_commit_is_alive_and_not_ready(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "/secret/path: disk full"
    monkeypatch.setattr(type(hub.parts.store), "degraded", property(lambda _: reason))
    assert (await hub.get("/healthz", role=None)).status == 200
    answered = await hub.get("/readyz", role=None)
    assert answered.status == 503
    assert b"secret" not in answered.body
    assert (await hub.get("hub")).json()["health"]["store_degraded"] == reason


async def test_streams_are_counted(hub: WebHub) -> None:
    plain = {**hub.bearer(), "Accept-Encoding": "identity"}
    async with hub.session.get(hub.url("stream"), headers=plain) as response:
        await response.content.readline()
        assert (await hub.get("hub")).json()["health"]["streams"] == 1

    gauge = hub.parts.health.registry
    await until(lambda: gauge.get_sample_value("outpost_stream_subscribers") == 0)
