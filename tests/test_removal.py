"""A device that is gone is removed while the hub runs: what goes, what stays, and how it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hub.commands import Wanted
from hub.enrolment import BoardStanding
from hub.model import Birth, Born, CommandType, Gone, LinkHealth, LinkKind, Metric, Reading, Role
from hub.removal import QUIET_MS
from hub.store.identity.enrolments import Enrolled, Enrolments
from hub.store.identity.rights import SecurityKind
from tests.alerts_rig import rule
from tests.fakes import until
from tests.sse_client import open_stream
from tests.web_hub import BIRTH, DEVICE, NOW_MS, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.bus import Batch

OTHER = "far-shed"
HOST = "host"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


def leave(hub: WebHub) -> None:
    hub.sink(Gone(DEVICE, "unplugged"))


async def remove(hub: WebHub, device: str = DEVICE, status: int = 200) -> Any:
    answer = await hub.call("DELETE", f"devices/{device}", role=Role.ADMIN)
    assert answer.status == status, answer.body
    return answer.json()


def speak(hub: WebHub, value: float = 1.0) -> None:
    """Let an MQTT device, which has no session, say a value; the first time it is born."""
    sink = hub.ingest.sink_for(LinkKind.MQTT)
    if hub.parts.registry.get(OTHER) is None:
        sink(Born(Birth(device=OTHER, name=OTHER, metrics=(Metric(name="t"),)), LinkKind.MQTT))
    now_ms = hub.clock()
    sink(Reading(device=OTHER, metrics=("t",), values=(value,), source_time_ms=now_ms, hub_time_ms=now_ms))


async def test_a_removed_device_is_on_no_list_and_does_not_come_back_with_the_next_start(
    hub: WebHub, tmp_path: Path
) -> None:
    hub.take(21.5)
    leave(hub)
    removed = await remove(hub)
    assert removed == {"device": DEVICE, "time": NOW_MS, "broker_cleared": True}
    assert (await hub.get("devices")).json()["items"] == []
    assert (await hub.get("latest")).json()["items"] == []
    assert (await hub.get(f"devices/{DEVICE}")).status == 404
    assert await hub.parts.store.births() == []
    assert hub.link.forgotten == [DEVICE]
    await remove(hub, status=404)


async def test_who_removed_a_device_is_in_the_security_log(hub: WebHub) -> None:
    leave(hub)
    await remove(hub)
    (event,) = (await hub.get("security/events?kind=device_removed", role=Role.ADMIN)).json()["items"]
    assert (event["actor"], event["detail"]) == ("token:test-admin", f"{DEVICE} (Greenhouse)")


async def test_an_open_stream_tells_that_a_device_was_removed(hub: WebHub) -> None:
    leave(hub)
    stream = await open_stream(hub, f"?device={DEVICE}")
    await remove(hub)
    (event,) = await stream.take(1, "removed")
    assert event.data == {"device": DEVICE, "time": NOW_MS, "broker_cleared": True}
    stream.close()


async def test_a_board_with_a_session_is_not_removed(hub: WebHub) -> None:
    problem = await remove(hub, status=409)
    assert "disconnect it first" in problem["detail"]
    assert hub.parts.registry.get(DEVICE) is not None
    assert hub.link.forgotten == []


async def test_the_hub_itself_is_not_removed(hub: WebHub) -> None:
    hub.ingest.sink_for(LinkKind.HOST)(Born(Birth(device=HOST, name="pi", metrics=()), LinkKind.HOST))
    assert "pi (host) is this hub itself" in (await remove(hub, HOST, status=409))["detail"]


async def test_a_device_without_a_session_is_removed_once_it_is_silent(hub: WebHub) -> None:
    speak(hub)
    hub.clock.now_ms += QUIET_MS - 1
    assert "spoke 59 s ago" in (await remove(hub, OTHER, status=409))["detail"]
    hub.clock.now_ms += 1
    await remove(hub, OTHER)
    assert hub.parts.registry.get(OTHER) is None


async def test_a_removed_device_that_speaks_again_is_new_and_has_its_history(hub: WebHub) -> None:
    speak(hub, 1.0)
    hub.clock.now_ms += QUIET_MS
    await remove(hub, OTHER)
    speak(hub, 2.0)
    page = await hub.parts.store.samples_raw(OTHER, "t", 0, NOW_MS * 2, 10)
    assert [row.value for row in page.rows] == [1.0, 2.0]
    assert [birth.device for birth, _, _ in await hub.parts.store.births()] == [OTHER, DEVICE]


async def test_a_reading_that_comes_after_the_removal_makes_no_device(hub: WebHub) -> None:
    hub.take(1.0)
    leave(hub)
    await remove(hub)
    hub.take(2.0)
    assert hub.parts.registry.all() == []
    page = await hub.parts.store.samples_raw(DEVICE, "temperature", 0, NOW_MS * 2, 10)
    assert [row.value for row in page.rows] == [1.0]


async def test_a_removed_device_that_comes_back_is_acked_from_where_it_was(hub: WebHub) -> None:
    for value in range(3):
        hub.take(float(value))
    leave(hub)
    await remove(hub)
    await hub.parts.store.settle()
    hub.sink(Born(BIRTH, LinkKind.SERIAL))
    assert hub.parts.store.last_seq(DEVICE, "boot0001") == 2
    hub.take(3.0)
    await until(lambda: (DEVICE, "boot0001", 3) in hub.link.acks)


async def test_the_removal_of_a_device_costs_no_other_its_ack(hub: WebHub) -> None:
    other = Birth(device="pico-2", name="Second", boot_id="boot0002", metrics=(Metric(name="t"),))
    hub.sink(Born(other, LinkKind.SERIAL))
    for device in (DEVICE, "pico-2"):
        hub.take(1.0, device=device, metric="temperature" if device == DEVICE else "t")
    leave(hub)
    hub.parts.removal.remove(DEVICE, "user:eva")  # type: ignore[union-attr] # this hub has one
    await hub.parts.store.settle()
    await until(lambda: [ack[0] for ack in hub.link.acks] == ["pico-2"])


async def test_a_board_loses_its_key_with_its_place(hub: WebHub) -> None:
    enrolment = hub.parts.enrolment
    assert enrolment is not None
    enrolment.accept(DEVICE, "user:eva")
    leave(hub)
    await remove(hub)
    assert enrolment.items() == []
    assert hub.parts.store.enrolments.all() == []


async def test_a_board_that_was_rejected_stays_rejected(tmp_path: Path) -> None:
    rejected = Enrolled(device=DEVICE, accepted=False, time=1, by="user:eva")
    Enrolments.open(tmp_path / "data").put(rejected, SecurityKind.BOARD_REJECTED, DEVICE, 1)
    async with web_hub(tmp_path) as hub:
        leave(hub)
        await remove(hub)
        assert hub.parts.store.enrolments.all() == [rejected]
        assert hub.parts.enrolment is not None
        assert [one.state for one in hub.parts.enrolment.items()] == [BoardStanding.REJECTED]


async def test_what_a_removed_device_should_be_is_not_sent_when_it_comes_back(hub: WebHub) -> None:
    command = CommandType(name="set_relay", params={"properties": {"on": {"type": "boolean"}}})
    birth = Birth(device="relay", name="Relay", boot_id="b1", commands=(command,))
    hub.sink(Born(birth, LinkKind.SERIAL))
    hub.sink(Gone("relay", "unplugged"))
    wanted = Wanted(command="set_relay", params={"on": True})
    hub.parts.desired.put("relay", [wanted], version=None, by="user:eva")
    await remove(hub, "relay")
    told: list[Batch] = []
    hub.parts.bus.subscribe(told.append)
    hub.sink(Born(birth, LinkKind.SERIAL))
    await until(lambda: told and told[-1].events[-1].kind == "device")
    answer = await hub.get("devices/relay/desired")
    assert (answer.json()["version"], answer.json()["items"]) == (0, [])
    assert hub.link.sent == []


async def test_an_alert_of_a_removed_device_is_cleared_and_none_is_raised_of_its_silence(hub: WebHub) -> None:
    alerts = hub.parts.alerts
    alerts.rules.put(rule())
    alerts.rules.put(rule(id="silent", source="*/door", condition="silent", hold="10s", threshold=None))
    hub.take(35.0)
    await until(lambda: [alert.rule for alert in alerts.active()] == ["hot"])
    leave(hub)
    await remove(hub)
    await until(lambda: not alerts.active())
    (cleared,) = (await hub.get("alerts")).json()["items"]
    assert cleared["cleared_why"] == "the device was removed"
    hub.clock.now_ms += 60_000
    alerts.tick()
    assert alerts.active() == []


async def test_the_figures_of_a_removed_devices_link_are_told_no_more(hub: WebHub) -> None:
    hub.sink(LinkHealth(DEVICE, {"frames": 7.0}))
    assert f'device="{DEVICE}"' in (await hub.get("/metrics")).body.decode()
    leave(hub)
    await remove(hub)
    told = (await hub.get("/metrics")).body.decode()
    assert [line for line in told.splitlines() if line.startswith("outpost_link{")] == []


async def test_a_device_is_removed_all_the_same_while_the_broker_is_away(hub: WebHub) -> None:
    hub.link.clears = False
    leave(hub)
    assert (await remove(hub))["broker_cleared"] is False
    assert hub.parts.registry.get(DEVICE) is None
