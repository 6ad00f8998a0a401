"""MQTT: payloads of strangers, the devices they make known, and the link on a real Mosquitto."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from hub.config import ConfigError, MqttConfig
from hub.health import Health
from hub.links.handover import Handover
from hub.links.link import Refused
from hub.links.mqtt import MqttLink, probe
from hub.links.mqtt_devices import DEVICES, METRICS_A_DEVICE, Arrival, MqttDevices
from hub.links.payload import BadMessage, address, kind_of, parse
from hub.links.refusals import QUIET_MS, Refusals
from hub.model import Birth, Born, Command, Gone, Kind, LinkHealth, LinkKind, Quality, Reading
from tests.broker import Broker, free_port
from tests.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from hub.model import LinkEvent, Value

NOW_MS = 1_763_700_000_000


def only(payload: bytes, metric: str | None = "m") -> Value:
    (field,) = parse(payload, metric).fields
    return field.value


# --- payloads -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"21.5", 21.5),
        (b" 21.5\r\n", 21.5),
        (b"-3", -3),
        (b"+4", 4.0),
        (b".5", 0.5),
        (b"007", 7.0),
        (b"1e3", 1000.0),
        (b"true", True),
        (b"false", False),
        (b"null", None),
        (b'"on"', "on"),
        (b"ON", "ON"),
        ("kühl".encode(), "kühl"),
        (b'{"value": 3}', 3),
        (b'{"value": null}', None),
        (b'{"value": 3, "battery": 80}', 3),
    ],
)
def test_a_payload_for_one_metric_is_its_value(payload: bytes, value: Value) -> None:
    found = only(payload)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"NaN", "not finite"),
        (b"-Infinity", "not finite"),
        (b'"inf"', "not finite"),
        (b"1e999", "not finite"),
        (b"+1e999", "not finite"),
        (b"9007199254740993", "too big"),
        (b"9" * 4000, "too big"),
        (b"x" * 257, "too long"),
        (b"x" * 20_000, "too long"),
        (b"a\x00b", "control characters"),
        (b'"\\u001b[31m"', "control characters"),
        (b'"\\u202e"', "control characters"),
        (b'{"value": 1', "not JSON"),
        (b'"\\ud800"', "not JSON"),
        (b"[" * 10_000, "not JSON"),
        (b"[1, 2]", "not a scalar"),
        (b"{}", "no value"),
        (b'{"temperature": 3}', "no value"),
        (b'{"value": {"value": 1}}', "not a scalar"),
        (b'{"value": 1, "unit": 7}', "bad unit"),
        (b'{"value": 1, "unit": "aaaaaaaaaaaaaaaaa"}', "bad unit"),
        (b'{"value": 1, "quality": "so-so"}', "bad quality"),
        (b'{"value": 1, "quality": []}', "bad quality"),
        (b'{"value": 1, "time": "yesterday"}', "bad time"),
        (b'{"value": 1, "time": "2025-11-21T10:00:00"}', "bad time"),
        (b'{"value": 1, "time": true}', "bad time"),
        (b'{"value": 1, "time": 1e300}', "bad time"),
    ],
)
def test_a_hostile_payload_is_refused_with_its_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(BadMessage) as refused:
        parse(payload, "m")
    assert refused.value.reason == reason


def test_an_object_may_give_unit_time_and_quality() -> None:
    message = parse(
        b'{"value": 1, "unit": "lx", "time": "2025-11-21T10:00:00.250+01:00", "quality": "bad"}', "m"
    )
    assert message.fields[0].unit == "lx"
    assert (message.time_ms, message.quality) == (1_763_715_600_250, Quality.BAD)


def test_an_object_under_a_device_is_one_reading_of_many_metrics() -> None:
    message = parse(
        b'{"t": 21.5, "door": true, "h": {"value": 40, "unit": "%"}, "time": 1763700000000}', None
    )
    assert [(field.metric, field.value, field.unit) for field in message.fields] == [
        ("t", 21.5, None),
        ("door", True, None),
        ("h", 40, "%"),
    ]
    assert message.time_ms == 1_763_700_000_000


def test_a_bad_member_does_not_cost_the_others() -> None:
    message = parse(b'{"t": 21.5, "list": [1], "../x": 1}', None)
    assert [field.metric for field in message.fields] == ["t"]
    assert [error.reason for error in message.refused] == ["not a scalar", "name"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"21.5", "not an object"),
        (b"{}", "no value"),
        (b'{"time": 1}', "no value"),
        (json.dumps({f"m{n}": n for n in range(257)}).encode(), "too many metrics"),
    ],
)
def test_a_device_without_usable_metrics_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(BadMessage) as refused:
        parse(payload, None)
    assert refused.value.reason == reason


@given(st.one_of(st.binary(max_size=300), st.text(max_size=80).map(str.encode)), st.sampled_from(["m", None]))
def test_no_payload_does_more_than_refuse(payload: bytes, metric: str | None) -> None:
    with contextlib.suppress(BadMessage):
        for field in parse(payload, metric).fields:
            assert kind_of(field.value) in (None, Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
_MEMBERS = st.sampled_from(["value", "unit", "time", "quality", "t", "h"])


@given(st.dictionaries(_MEMBERS, _JSON, max_size=6), st.sampled_from(["m", None]))
def test_no_json_object_does_more_than_refuse(content: dict[str, Any], metric: str | None) -> None:
    with contextlib.suppress(BadMessage):
        parse(json.dumps(content).encode(), metric)


@pytest.mark.parametrize(
    ("topic", "device", "metric"),
    [
        ("outpost/a/t", "a", "t"),
        ("outpost/a", "a", None),
        ("outpost/AA:bb-1.x_2/cpu.load", "AA:bb-1.x_2", "cpu.load"),
    ],
)
def test_a_topic_names_device_and_metric(topic: str, device: str, metric: str | None) -> None:
    found = address(topic, "outpost")
    assert (found.device, found.metric) == (device, metric)


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("", "topic"),
        ("other/a/t", "topic"),
        ("outpost/a/b/c", "topic"),
        ("outpost", "topic"),
        ("outpost//t", "name"),
        ("outpost/a/", "name"),
        ("outpost/../t", "name"),
        ("outpost/a/<script>", "name"),
        ("outpost/a b/t", "name"),
        ("outpost/" + "x" * 65 + "/t", "name"),
        ("outpost/a/t\n", "name"),
        ("outpost/ünder/t", "name"),
    ],
)
def test_a_hostile_topic_is_refused(topic: str, reason: str) -> None:
    with pytest.raises(BadMessage) as refused:
        address(topic, "outpost")
    assert refused.value.reason == reason


# --- devices ------------------------------------------------------------------------------------------


@pytest.fixture
def refusals() -> Refusals:
    return Refusals(LinkKind.MQTT, health=None, now_ms=lambda: NOW_MS)


@pytest.fixture
def devices(refusals: Refusals) -> MqttDevices:
    return MqttDevices("outpost", refusals)


def came(topic: str, payload: bytes, *, retained: bool = False, time_ms: int = NOW_MS) -> Arrival:
    return Arrival(f"outpost/{topic}", payload, retained, time_ms)


def births(events: list[LinkEvent]) -> list[list[str]]:
    return [[metric.name for metric in event.birth.metrics] for event in events if isinstance(event, Born)]


def readings(events: list[LinkEvent]) -> list[Reading]:
    return [event for event in events if isinstance(event, Reading)]


def test_a_device_is_born_at_its_first_message_before_its_reading(devices: MqttDevices) -> None:
    born, reading = devices.take([came("a/t", b'{"value": 1, "unit": "C"}')])
    assert isinstance(born, Born)
    assert isinstance(reading, Reading)
    assert (born.birth.device, born.birth.metrics[0].unit, born.link) == ("a", "C", LinkKind.MQTT)
    assert (reading.device, reading.metrics, reading.values) == ("a", ("t",), (1,))
    assert (reading.boot_id, reading.seq) == (None, None)


def test_metrics_that_come_together_make_one_birth(devices: MqttDevices) -> None:
    events = devices.take([came("a/t", b"1"), came("a/h", b"2"), came("a/p", b"3")])
    assert births(events) == [["t", "h", "p"]]
    assert isinstance(events[0], Born)


def test_a_new_metric_makes_a_grown_birth(devices: MqttDevices) -> None:
    devices.take([came("a/t", b"1")])
    assert births(devices.take([came("a/t", b"2")])) == []
    assert births(devices.take([came("a/h", b"2")])) == [["t", "h"]]


def test_known_births_keep_their_metrics(refusals: Refusals) -> None:
    earlier = MqttDevices("outpost", refusals)
    (born, _) = earlier.take([came("a", b'{"t": 1, "door": true}')])[:2]
    assert isinstance(born, Born)
    later = MqttDevices("outpost", refusals, known=[born.birth])
    assert births(later.take([came("a/t", b"2")])) == [["t", "door"]]


def test_the_257th_metric_is_refused(devices: MqttDevices, refusals: Refusals) -> None:
    devices.take([came(f"a/m{n}", b"1") for n in range(METRICS_A_DEVICE)])
    events = devices.take([came("a/one_more", b"1"), came("a/m0", b"2")])
    assert [reading.metrics for reading in readings(events)] == [("m0",)]
    assert refusals.counts == {"too many metrics": 1}


def test_the_1001st_device_is_refused(devices: MqttDevices, refusals: Refusals) -> None:
    devices.take([came(f"d{n}/t", b"1") for n in range(DEVICES)])
    events = devices.take([came("one_more/t", b"1"), came("d0/t", b"2")])
    assert [reading.device for reading in readings(events)] == ["d0"]
    assert refusals.counts == {"too many devices": 1}


def test_a_refused_message_makes_no_device(devices: MqttDevices) -> None:
    assert devices.take([came("ghost/t", b"NaN")]) == []
    assert births(devices.take([came("ghost/h", b"1")])) == [["h"]]


def test_one_odd_kind_is_refused_and_the_metric_stays(devices: MqttDevices, refusals: Refusals) -> None:
    events = devices.take([came("a/t", payload) for payload in (b"1", b"oops", b"2", b"oops", b"3")])
    assert [reading.values for reading in readings(events)] == [(1,), (2,), (3,)]
    assert refusals.counts == {"form changed": 2}


def test_three_agreeing_messages_change_the_kind(devices: MqttDevices) -> None:
    devices.take([came("a/t", b"starting")])
    events = devices.take([came("a/t", b"1"), came("a/t", b"2"), came("a/t", b"3")])
    (born,) = (event for event in events if isinstance(event, Born))
    assert born.birth.metrics[0].kind is Kind.NUMBER
    assert [reading.values for reading in readings(events)] == [(3,)]


def test_a_value_in_another_unit_is_not_stored_under_the_old_one(devices: MqttDevices) -> None:
    events = devices.take(
        [came("a/t", b'{"value": 20, "unit": "C"}'), came("a/t", b'{"value": 68, "unit": "F"}')]
    )
    assert [reading.values for reading in readings(events)] == [(20,)]


def test_a_unit_that_comes_late_is_taken(devices: MqttDevices) -> None:
    devices.take([came("a/t", b"20")])
    (born, _) = devices.take([came("a/t", b'{"value": 20, "unit": "C"}')])
    assert isinstance(born, Born)
    assert born.birth.metrics[0].unit == "C"


@pytest.mark.parametrize(
    ("payload", "retained", "time_ms", "quality"),
    [
        (b"1", False, NOW_MS, Quality.GOOD),
        (b"1", True, NOW_MS, Quality.UNCERTAIN),
        (b'{"value": 1, "time": 1763600000000}', True, 1_763_600_000_000, Quality.GOOD),
        (b'{"value": 1, "time": 12}', False, NOW_MS, Quality.UNCERTAIN),
        (b'{"value": 1, "time": 4000000000000}', False, NOW_MS, Quality.UNCERTAIN),
        (b'{"value": 1, "quality": "bad"}', True, NOW_MS, Quality.BAD),
    ],
)
def test_time_and_quality_of_a_sample(
    devices: MqttDevices, payload: bytes, retained: bool, time_ms: int, quality: Quality
) -> None:
    (reading,) = readings(devices.take([came("a/t", payload, retained=retained)]))
    assert (reading.source_time_ms, reading.quality, reading.hub_time_ms) == (time_ms, quality, NOW_MS)


def test_samples_of_one_millisecond_keep_apart_and_in_order(devices: MqttDevices) -> None:
    events = devices.take([came("a/t", str(n).encode()) for n in range(50)])
    times = [reading.source_time_ms for reading in readings(events)]
    assert times == [NOW_MS + n for n in range(50)]


def test_a_flood_on_one_metric_is_cut_and_others_go_on(devices: MqttDevices, refusals: Refusals) -> None:
    events = devices.take([*[came("a/t", b"1")] * 5000, came("b/t", b"2")])
    assert max(reading.source_time_ms for reading in readings(events)) == NOW_MS + 1000
    assert refusals.counts["too fast"] == 5000 - 1001
    assert readings(events)[-1].device == "b"


def test_a_clock_that_jumps_back_refuses_nothing(devices: MqttDevices, refusals: Refusals) -> None:
    devices.take([came("a/t", b"1")])
    (reading,) = readings(devices.take([came("a/t", b"2", time_ms=NOW_MS - 3_600_000)]))
    assert reading.source_time_ms == NOW_MS - 3_600_000
    assert not refusals.counts


def test_status_takes_a_device_offline_and_back(devices: MqttDevices) -> None:
    events = devices.take(
        [came("a/t", b"1"), came("a/status", b"offline"), came("a/status", b"online"), came("a/t", b"2")]
    )
    assert [type(event) for event in events] == [Born, Reading, Gone, Born, Reading]


def test_status_says_nothing_else(devices: MqttDevices, refusals: Refusals) -> None:
    assert devices.take([came("a/status", b"21")]) == []
    assert refusals.counts == {"status": 1}


def test_retained_values_do_not_revive_a_device_that_said_goodbye(devices: MqttDevices) -> None:
    events = devices.take([came("a/status", b"offline", retained=True), came("a/t", b"1", retained=True)])
    assert [type(event) for event in events] == [Born, Gone, Reading]
    assert births(devices.take([came("a/t", b"2")])) == [["t"]]


def test_a_lost_broker_takes_all_devices_and_each_comes_back_by_itself(devices: MqttDevices) -> None:
    devices.take([came("a/t", b"1"), came("b/t", b"1")])
    assert devices.lost("broker x is lost") == [Gone("a", "broker x is lost"), Gone("b", "broker x is lost")]
    assert devices.lost("again") == []
    assert births(devices.take([came("b/t", b"1")])) == [["t"]]


def test_figures_come_for_what_changed(devices: MqttDevices) -> None:
    devices.take([came("a", b'{"t": 1, "x": []}')])
    assert devices.figures() == [LinkHealth("a", {"messages": 1, "refused": 1})]
    assert devices.figures() == []


# --- refusals -----------------------------------------------------------------------------------------


def test_refusals_are_counted_and_logged_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    health, clock = Health(), [NOW_MS]
    refusals = Refusals(LinkKind.MQTT, health=health, now_ms=lambda: clock[0])
    for _ in range(100):
        refusals.add("name", "outpost/\x1b[31m", "bad")
    clock[0] += QUIET_MS
    refusals.add("name", "outpost/x", "bad")
    assert [record.getMessage() for record in caplog.records] == [
        "mqtt: refused from outpost/\ufffd[31m: bad",
        "mqtt: refused from outpost/x: bad (and 99 more since the last such line)",
    ]
    counted = health.registry.get_sample_value(
        "outpost_readings_refused_total", {"link": "mqtt", "reason": "name"}
    )
    assert counted == 101


# --- handover -----------------------------------------------------------------------------------------


def put_all(handover: Handover[int], count: int) -> None:
    for n in range(count):
        handover.put(n)


async def test_the_handover_keeps_order_and_makes_a_fast_thread_wait() -> None:
    taken: list[int] = []
    handover = Handover[int](asyncio.get_running_loop(), taken.extend)
    thread = threading.Thread(target=put_all, args=(handover, 30_000))
    thread.start()
    # The loop is held here: the thread must stop by itself at the bound.
    thread.join(0.3)
    assert thread.is_alive()
    assert taken == []
    async with asyncio.timeout(30):
        while len(taken) < 30_000:
            await asyncio.sleep(0)
    thread.join()
    assert taken == list(range(30_000))


async def test_a_closed_handover_lets_a_waiting_thread_go() -> None:
    handover = Handover[int](asyncio.get_running_loop(), lambda _items: None)
    thread = threading.Thread(target=put_all, args=(handover, 10_001))
    thread.start()
    thread.join(0.2)
    handover.close()
    thread.join(10)
    assert not thread.is_alive()


# --- the link on a real broker ------------------------------------------------------------------------


class Publisher:
    """An MQTT device: paho as anyone would use it."""

    def __init__(self, broker: Broker, user: tuple[str, str] | None = None) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2)
        if user is not None:
            self._client.username_pw_set(*user)
        self._client.max_queued_messages_set(0)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()

    def send(self, topic: str, payload: bytes | str) -> None:
        """Publish without waiting for the broker's answer, so that many are in flight."""
        self._client.publish(topic, payload, qos=1)

    async def publish(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        await asyncio.to_thread(info.wait_for_publish, 20)
        assert info.is_published()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def config_of(broker: Broker, **more: Any) -> MqttConfig:
    return MqttConfig(host=broker.host, port=broker.port, **more)


def wall_ms() -> int:
    return NOW_MS


@contextlib.asynccontextmanager
async def running(config: MqttConfig, health: Health | None = None) -> AsyncIterator[tuple[MqttLink, Watch]]:
    link, watch = MqttLink(config, now_ms=wall_ms, health=health), Watch()
    task = asyncio.create_task(link.run(watch))
    try:
        yield link, watch
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as broker:
        yield broker


async def knock(publisher: Publisher, watch: Watch) -> None:
    """Wait until the link hears: publish until something comes."""
    while not watch.readings:
        await publisher.publish("outpost/knock/t", "0")
        await asyncio.sleep(0.02)


@pytest.mark.slow
async def test_messages_become_readings_in_order(broker: Broker) -> None:
    async with running(config_of(broker)) as (_, watch):
        publisher = Publisher(broker)
        await knock(publisher, watch)
        for n in range(500):
            publisher.send("outpost/a/t", str(n))
        await watch.until(lambda w: len([r for r in w.readings if r.device == "a"]) == 500)
        publisher.close()
        values = [reading.values[0] for reading in watch.readings if reading.device == "a"]
        assert values == list(range(500))


HOSTILE: list[tuple[str, bytes]] = [
    ("outpost/bad/t", b"NaN"),
    ("outpost/bad/t", b"-Infinity"),
    ("outpost/bad/t", b"1e999"),
    ("outpost/bad/t", b"9" * 100),
    ("outpost/bad/t", b"\xff\xfe\x00"),
    ("outpost/bad/t", b""),
    ("outpost/bad/t", b"\x00"),
    ("outpost/bad/t", b"{"),
    ("outpost/bad/t", b'{"value":'),
    ("outpost/bad/t", b'{"value": []}'),
    ("outpost/bad/t", b'{"value": 1, "time": "now"}'),
    ("outpost/bad/t", b"[" * 10_000),
    ("outpost/bad/t", b"x" * 5_000),
    ("outpost/bad/t", b"y" * 30_000),
    ("outpost/bad", b"[1, 2, 3]"),
    ("outpost/bad", json.dumps({f"m{n}": n for n in range(1000)}).encode()),
    ("outpost/bad", b"null"),
    ("outpost/../t", b"1"),
    ("outpost/<img src=x onerror=alert(1)>/t", b"1"),
    ("outpost/bad/" + "n" * 300, b"1"),
    ("outpost//", b"1"),
    ("outpost/bad/status", b"maybe"),
]


@pytest.mark.slow
async def test_hostile_messages_are_counted_and_the_next_good_one_arrives(broker: Broker) -> None:
    health = Health()
    async with running(config_of(broker), health) as (link, watch):
        publisher = Publisher(broker)
        await knock(publisher, watch)
        for topic, payload in HOSTILE:
            await publisher.publish(topic, payload)
        # Too large for the packet that the hub lets the broker send: it never comes here.
        await publisher.publish("outpost/bad/t", b"z" * 1_000_000)
        await publisher.publish("outpost/good/t", "1")
        await watch.until(lambda w: any(r.device == "good" for r in w.readings))
        publisher.close()
        assert sum(link.refusals.counts.values()) == len(HOSTILE)
        born = {event.birth.device for event in watch.born}
        assert born == {"knock", "good"}


@pytest.mark.slow
async def test_a_killed_broker_takes_devices_offline_and_its_return_brings_them_back(broker: Broker) -> None:
    async with running(config_of(broker)) as (_, watch):
        publisher = Publisher(broker)
        await knock(publisher, watch)
        broker.kill()
        publisher.close()
        await watch.until(lambda w: w.gone)
        assert "broker" in watch.gone[0].reason
        broker.start()
        publisher = Publisher(broker)
        watch.events.clear()
        await knock(publisher, watch)
        publisher.close()
        assert isinstance(watch.events[0], Born)


@pytest.mark.slow
async def test_a_broker_that_comes_late_is_found(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    async with running(config_of(broker)) as (_, watch):
        await asyncio.sleep(0.3)
        with broker:
            publisher = Publisher(broker)
            await knock(publisher, watch)
            publisher.close()
        assert isinstance(watch.events[0], Born)


@pytest.mark.slow
async def test_retained_messages_are_read_as_uncertain(broker: Broker) -> None:
    publisher = Publisher(broker)
    await publisher.publish("outpost/old/t", "17", retain=True)
    publisher.close()
    async with running(config_of(broker)) as (_, watch):
        await watch.until(lambda w: w.readings)
        assert watch.readings[0].quality is Quality.UNCERTAIN


@pytest.mark.slow
async def test_a_last_will_takes_its_device_offline(broker: Broker) -> None:
    async with running(config_of(broker)) as (_, watch):
        publisher = Publisher(broker)
        await knock(publisher, watch)
        device = Client(CallbackAPIVersion.VERSION2)
        device.will_set("outpost/a/status", "offline", qos=1)
        device.connect(broker.host, broker.port)
        device.loop_start()
        device.publish("outpost/a/t", "1", qos=1)
        await watch.until(lambda w: any(r.device == "a" for r in w.readings))
        sock = device.socket()
        assert isinstance(sock, socket.socket)
        device.loop_stop()
        sock.shutdown(socket.SHUT_RDWR)  # the cable is cut: no DISCONNECT, so the broker speaks its will
        await watch.until(lambda w: any(gone.device == "a" for gone in w.gone))
        publisher.close()


@pytest.mark.slow
async def test_user_and_password_come_from_the_configuration(tmp_path: Path) -> None:
    user = ("hub", "correct horse")
    secret = tmp_path / "secret"
    secret.write_text("correct horse\n")
    with Broker(tmp_path, user=user) as broker:
        async with running(config_of(broker, username="hub", password_file=str(secret))) as (_, watch):
            publisher = Publisher(broker, user)
            await knock(publisher, watch)
            publisher.close()


@pytest.mark.slow
async def test_a_broker_that_refuses_the_hub_is_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Broker(tmp_path, user=("hub", "right")) as broker:
        async with running(config_of(broker)), asyncio.timeout(20):
            while "refuses the hub" not in caplog.text:
                await asyncio.sleep(0.05)
        assert "mqtt.password_file" in caplog.text


async def test_a_password_file_that_cannot_be_read_is_a_configuration_error(tmp_path: Path) -> None:
    config = MqttConfig(username="u", password_file=str(tmp_path / "none"))
    with pytest.raises(ConfigError, match=r"mqtt\.password_file"):
        MqttLink(config, now_ms=wall_ms)


@pytest.mark.parametrize("host", ["", "a..b", "x" * 70])
async def test_a_host_that_is_no_name_is_a_configuration_error(host: str) -> None:
    with pytest.raises(ConfigError, match=r"mqtt\.host"):
        MqttLink(MqttConfig(host=host), now_ms=wall_ms)


async def test_commands_to_mqtt_devices_are_refused_in_words() -> None:
    command = Command(
        id="1", device="a", command="led", params={}, ttl_ms=1000, caller="t", origin="t", created_time=0
    )
    with pytest.raises(Refused, match="not offered"):
        await MqttLink(MqttConfig(), now_ms=wall_ms, known=[Birth(device="a", name="a")]).send(command)


@pytest.mark.slow
async def test_the_probe_finds_a_broker(broker: Broker) -> None:
    assert await probe(broker.host, broker.port)


@pytest.mark.slow
async def test_the_probe_finds_a_broker_that_wants_a_password(tmp_path: Path) -> None:
    with Broker(tmp_path, user=("u", "p")) as broker:
        assert await probe(broker.host, broker.port)


async def test_the_probe_finds_nobody_on_a_free_port() -> None:
    assert not await probe("127.0.0.1", free_port())


async def test_the_probe_takes_a_silent_or_foreign_server_for_no_broker() -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    for server in (web, silent):
        async with await asyncio.start_server(server, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            assert not await probe("127.0.0.1", port, timeout_s=0.2)
