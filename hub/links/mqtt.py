"""The link to MQTT devices: paho's client on its own thread, a bounded handover to the event loop."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from hub.config import ConfigError, MqttConfig
from hub.links.broker_log import BrokerLog
from hub.links.handover import Handover
from hub.links.link import NotReachable, Refused
from hub.links.mqtt_boards import MqttBoards
from hub.links.mqtt_devices import Arrival, MqttDevices
from hub.links.refusals import Refusals
from hub.links.session import TICK_S, Shared
from hub.model import Born, LinkKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from paho.mqtt.client import ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

    from hub.health import Health
    from hub.links.link import Sink
    from hub.model import Birth, Command, LinkEvent

KEEPALIVE_S = 30
CONNECT_S = 5
RETRY_S = (1, 30)
FIGURES_S = 10
# Without a session there is nothing to tick; a board's first message makes one, and waits for no tick.
IDLE_S = 0.5
# Larger packets the broker keeps to itself (MQTT 5, section 3.1.2.11.4): no stranger fills the hub's memory.
PACKET_BYTES = 64 * 1024


class _Lost(NamedTuple):
    reason: str


class MqttLink:
    """Samples that devices publish under `<topic>/<device>[/<metric>]` on one broker, and boards' sessions.

    What the hub has no time for waits with the sender, by TCP. `known` are MQTT births that the store
    remembers, `shared` what all links to boards share. Raises ConfigError where the host is no name or the
    password's file cannot be read.
    """

    kind = LinkKind.MQTT

    def __init__(
        self,
        config: MqttConfig,
        *,
        now_ms: Callable[[], int],
        health: Health | None = None,
        known: Iterable[Birth] = (),
        shared: Shared | None = None,
    ) -> None:
        _check_host(config.host)
        self.name = f"{config.host}:{config.port}"
        self.refusals = Refusals(self.kind, health=health, now_ms=now_ms)
        self._config = config
        self._password = _password(config)
        self._now_ms = now_ms
        # A board's metrics come with its session, not from what is published in its name.
        plain = [birth for birth in known if birth.boot_id is None]
        self._devices = MqttDevices(config.topic, self.refusals, plain)
        self._boards = MqttBoards(
            config.topic,
            shared or Shared(last_seq=lambda _device, _boot_id: -1, now_ms=now_ms),
            self.refusals,
            self._publish,
            allowed=config.boards,
        )
        self._client: Client | None = None
        self._connected = False
        self._answered = False  # CONNECT, be it with a refusal
        self._log = BrokerLog(self.name, asked_for=config != MqttConfig(), now_ms=now_ms)

    async def run(self, sink: Sink) -> None:
        """Yield events until cancelled; the broker may come and go."""

        def take(items: list[Arrival | _Lost]) -> None:
            for event in self._events(items, sink):
                device = event.birth.device if isinstance(event, Born) else event.device
                if not self._boards.online(device):  # nobody else speaks for a board
                    sink(event)

        handover = Handover[Arrival | _Lost](asyncio.get_running_loop(), take)
        client = self._client = self._made(handover)
        client.connect_async(
            self._config.host, self._config.port, keepalive=KEEPALIVE_S, properties=_connect_properties()
        )
        try:
            while True:
                # Does nothing while paho's thread lives; a packet that broke it costs one interval.
                client.loop_start()
                await self._serve_boards(FIGURES_S)
                for event in self._devices.figures():
                    sink(event)
        finally:
            handover.close()
            self._boards.lost("the hub stops")
            self._client = None
            client.disconnect()
            for event in self._devices.lost("the hub stops"):
                sink(event)
            # It waits for the thread, which may be in the middle of connecting.
            await asyncio.to_thread(client.loop_stop)

    async def send(self, command: Command) -> Any:
        """Deliver `command` to a board. Raises NotReachable, NoAnswer, Refused: other devices take none."""
        if self._devices.has(command.device):
            raise Refused(f"{command.device} is an MQTT device; commands over MQTT are not offered")
        return await self._boards.send(command)

    def cancel(self, command_id: str) -> None:
        """Ask the board that runs it to give up a command."""
        self._boards.cancel(command_id)

    def ack(self, device: str, boot_id: str, seq: int, *, again: bool = False) -> None:
        """Tell a board what is committed; other devices keep no outbox that the hub knows of."""
        self._boards.ack(device, boot_id, seq, again=again)

    def forget(self, device: str) -> bool:
        """Know nothing more of a device, and have the broker drop what it retains of it.

        False where the broker cannot be told now. What it retains of boards is never taken.
        """
        topics = self._devices.forget(device)
        return not topics or (self._connected and self._clear(topics))

    async def _serve_boards(self, seconds: float) -> None:
        """Give the boards' sessions their ticks for so long."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + seconds
        while loop.time() < end_s:
            self._boards.tick()
            await asyncio.sleep(TICK_S if self._boards.busy else IDLE_S)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish a message of the hub's own (QoS 0, not retained). Raises NotReachable."""
        if not (self._connected and self._publish(topic, payload)):
            raise NotReachable(f"broker {self.name} is not connected: {topic} was not published")

    def _publish(self, topic: str, payload: bytes) -> bool:
        client = self._client
        return client is not None and client.publish(topic, payload).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def _clear(self, topics: Iterable[str]) -> bool:
        """Have the broker drop what it retains on topics (MQTT 5, section 3.3.1.3)."""
        client = self._client
        if client is None:
            return False
        told = [client.publish(topic, b"", qos=1, retain=True).rc for topic in topics]
        return all(code == MQTTErrorCode.MQTT_ERR_SUCCESS for code in told)

    def _events(self, items: list[Arrival | _Lost], sink: Sink) -> Iterable[LinkEvent]:
        arrivals: list[Arrival] = []
        for item in items:
            if isinstance(item, _Lost):
                yield from self._devices.take(arrivals)
                arrivals = []
                yield from self._devices.lost(item.reason)
                self._boards.lost(item.reason)
            elif self._boards.mine(item.topic):
                self._boards.take(item, sink)
            else:
                arrivals.append(item)
        yield from self._devices.take(arrivals)

    # --- paho's thread ---

    def _made(self, handover: Handover[Arrival | _Lost]) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"outpost-{uuid.uuid4().hex[:12]}",
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        if self._config.username is not None:
            client.username_pw_set(self._config.username, self._password)
        client.connect_timeout = CONNECT_S
        client.reconnect_delay_set(*RETRY_S)

        def on_connect(
            client: Client, _data: Any, _flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
        ) -> None:
            self._answered = True
            if code.is_failure:
                self._log.refused(code)
                return
            self._connected = True
            self._log.connected()
            topic = self._config.topic
            boards = [(f"{topic}/board/+/{what}", 0) for what in ("up", "status")]
            # Not QoS 1: the session is a clean one, so nothing would come again, and the broker would drop
            # what is too much in flight (Mosquitto: 20, and 1,000 waiting) instead of leaving it to TCP.
            client.subscribe([(f"{topic}/+", 0), (f"{topic}/+/+", 0), *boards])

        def on_subscribe(
            _client: Client, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Properties | None
        ) -> None:
            refused = [str(code) for code in codes if code.is_failure]
            if refused:
                self._log.complain(
                    f"refuses the subscription to {self._config.topic}/#: {', '.join(refused)}"
                )

        def on_disconnect(
            _client: Client,
            _data: Any,
            _flags: DisconnectFlags,
            code: ReasonCode,
            _properties: Properties | None,
        ) -> None:
            self._part(code)
            handover.put(_Lost(f"broker {self.name} is lost"))

        def on_message(_client: Client, _data: Any, message: MQTTMessage) -> None:
            try:
                topic = message.topic
            except UnicodeDecodeError:
                topic = ""
            handover.put(Arrival(topic, bytes(message.payload), message.retain, self._now_ms()))

        client.on_connect = on_connect
        client.on_subscribe = on_subscribe
        client.on_disconnect = on_disconnect
        client.on_message = on_message
        client.on_connect_fail = lambda _client, _data: self._log.missed()
        return client

    def _part(self, code: ReasonCode) -> None:
        """Take in that a connection ended, or came to nothing."""
        if code.is_failure and self._connected:
            self._log.lost(code)
        elif code.is_failure and not self._answered:
            self._log.unanswered(code)
        self._connected = self._answered = False


def _connect_properties() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves it untyped
    properties.MaximumPacketSize = PACKET_BYTES
    return properties


def _check_host(host: str) -> None:
    try:
        if not host.encode("idna"):
            raise ConfigError("`mqtt.host`: it is empty")
    except UnicodeError as error:
        raise ConfigError(f"`mqtt.host`: {host!r} is no host name: {error}") from error


def _password(config: MqttConfig) -> str | None:
    if config.password_file is None:
        return None
    try:
        return Path(config.password_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"`mqtt.password_file`: {config.password_file}: cannot be read: {reason}"
        ) from error


async def probe(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Return whether an MQTT broker answers at `host:port`, be it with a refusal."""
    # CONNECT of MQTT 3.1.1, clean session, no client id (section 3.1); every broker since understands it.
    connect = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x0a\x00\x00"
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(connect)
                answer = await reader.readexactly(2)
                writer.write(b"\xe0\x00")  # DISCONNECT
            finally:
                writer.close()
    except (OSError, UnicodeError, TimeoutError, asyncio.IncompleteReadError):
        return False
    return answer == b"\x20\x02"  # CONNACK
