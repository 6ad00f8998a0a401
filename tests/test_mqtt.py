"""The MQTT link on a real Mosquitto."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from hub.app import App
from hub.config import Config, ConfigError, MqttConfig
from hub.health import Health
from hub.links.link import NotReachable, Refused
from hub.links.mqtt import MqttLink, probe
from hub.links.session import Shared
from hub.model import Birth, Born, Command, Metric, Quality
from tests.background_task import beside
from tests.broker import Broker, free_port
from tests.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from paho.mqtt.client import MQTTMessage


NOW_MS = 1_763_700_000_000


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
    async with beside(link.run(watch)):
        yield link, watch


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


@pytest.mark.slow
async def test_a_burst_comes_through_a_broker_with_its_own_limits(tmp_path: Path) -> None:
    limits = ("allow_anonymous true", "max_inflight_messages 20", "max_queued_messages 1000")
    with Broker(tmp_path, more=limits) as broker:
        async with running(config_of(broker)) as (_, watch):
            publisher = Publisher(broker)
            await knock(publisher, watch)
            for n in range(6000):
                publisher.send("outpost/a/t", f'{{"value": {n}, "time": {NOW_MS + n}}}')
            await watch.until(lambda w: bool(w.readings) and w.readings[-1].values == (5999,))
            publisher.close()
            values = [reading.values[0] for reading in watch.readings if reading.device == "a"]
            assert values == list(range(6000))


@pytest.mark.slow
async def test_a_broker_that_starts_after_the_hub_is_used(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    async with running(config_of(broker)) as (link, watch):
        with pytest.raises(NotReachable):
            link.publish("outpost/x/y", b"1")
        with broker:
            publisher = Publisher(broker)
            await asyncio.wait_for(knock(publisher, watch), 60)
            publisher.close()


@pytest.mark.parametrize(("settings", "links"), [(MqttConfig(), 1), (MqttConfig(enabled=False), 0)])
def test_a_hub_looks_for_a_broker_unless_it_is_told_not_to(
    tmp_path: Path, settings: MqttConfig, links: int
) -> None:
    app = App(Config(mqtt=settings), tmp_path, demo=False, say=print)
    shared = Shared(last_seq=lambda _device, _boot_id: -1, now_ms=wall_ms)
    assert len(app._broker(Health(), [], shared)) == links


HOSTILE: list[tuple[str, bytes]] = [
    ("outpost/bad/t", b"NaN"),
    ("outpost/bad/t", b"-Infinity"),
    ("outpost/bad/t", b"1e999"),
    ("outpost/bad/t", b"9" * 100),
    ("outpost/bad/t", b"\xff\xfe\x00"),
    ("outpost/knock/t", b""),  # of a device that is known; of others it is what clears a retained message
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


def retained_topics(broker: Broker) -> set[str]:
    """Return on which topics the broker retains a message."""
    found: set[str] = set()
    heard = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2)

    def on_message(_client: Client, _data: Any, message: MQTTMessage) -> None:
        if message.topic == "end":
            heard.set()
        elif message.retain:
            found.add(message.topic)

    client.on_message = on_message
    client.connect(broker.host, broker.port)
    client.loop_start()
    client.subscribe([("outpost/#", 1), ("end", 1)])
    while not heard.wait(0.05):  # what is retained comes before what is published after it
        client.publish("end", b"", qos=1)
    client.disconnect()
    client.loop_stop()
    return found


@pytest.mark.slow
async def test_what_the_broker_retains_of_a_forgotten_device_is_cleared(broker: Broker) -> None:
    async with running(config_of(broker)) as (link, watch):
        publisher = Publisher(broker)
        await knock(publisher, watch)
        await publisher.publish("outpost/a/t", "1", retain=True)
        await publisher.publish("outpost/a/status", "online", retain=True)
        await publisher.publish("outpost/a", '{"h": 1}', retain=True)
        await publisher.publish("outpost/b/t", "2", retain=True)
        await watch.until(lambda w: {"a", "b"} <= {reading.device for reading in w.readings})
        assert link.forget("a")
        async with asyncio.timeout(20):
            while await asyncio.to_thread(retained_topics, broker) != {"outpost/b/t"}:
                await asyncio.sleep(0.05)
        assert not link.refusals.counts
        publisher.close()


def test_a_link_without_its_broker_says_that_messages_may_be_retained() -> None:
    birth = Birth(device="a", name="a", metrics=(Metric(name="t"),))
    link = MqttLink(MqttConfig(), now_ms=wall_ms, known=[birth])
    assert (link.forget("a"), link.forget("nobody")) == (False, True)
