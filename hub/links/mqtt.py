"""The link to MQTT devices: paho's client on its own thread, a bounded handover to the event loop."""

from __future__ import annotations

import asyncio
import logging
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from hub.config import ConfigError
from hub.links.handover import Handover
from hub.links.link import Refused
from hub.links.mqtt_devices import Arrival, MqttDevices
from hub.links.refusals import Refusals
from hub.model import LinkKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from paho.mqtt.client import ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

    from hub.config import MqttConfig
    from hub.health import Health
    from hub.links.link import Sink
    from hub.model import Birth, Command, LinkEvent

log = logging.getLogger(__name__)

KEEPALIVE_S = 30
CONNECT_S = 5
RETRY_S = (1, 30)
FIGURES_S = 10
# Larger packets the broker keeps to itself (MQTT 5, section 3.1.2.11.4): no stranger fills the hub's memory.
PACKET_BYTES = 64 * 1024


class _Lost(NamedTuple):
    reason: str


class MqttLink:
    """Samples that devices publish under `<topic>/<device>[/<metric>]` on one broker.

    Subscribes at QoS 1; a message is acknowledged to the broker once it is handed to the event loop (after
    the commit is for later). `known` are MQTT births that the store remembers. Raises ConfigError where the
    host is no name or the password's file cannot be read.
    """

    kind = LinkKind.MQTT

    def __init__(
        self,
        config: MqttConfig,
        *,
        now_ms: Callable[[], int],
        health: Health | None = None,
        known: Iterable[Birth] = (),
    ) -> None:
        _check_host(config.host)
        self.name = f"{config.host}:{config.port}"
        self.refusals = Refusals(self.kind, health=health, now_ms=now_ms)
        self._config = config
        self._password = _password(config)
        self._now_ms = now_ms
        self._devices = MqttDevices(config.topic, self.refusals, known)
        self._connected = False
        self._complaint = ""

    async def run(self, sink: Sink) -> None:
        """Yield events until cancelled; the broker may come and go."""

        def take(items: list[Arrival | _Lost]) -> None:
            for event in self._events(items):
                sink(event)

        handover = Handover[Arrival | _Lost](asyncio.get_running_loop(), take)
        client = self._client(handover)
        client.connect_async(
            self._config.host, self._config.port, keepalive=KEEPALIVE_S, properties=_connect_properties()
        )
        try:
            while True:
                # Does nothing while paho's thread lives; a packet that broke it costs one interval.
                client.loop_start()
                await asyncio.sleep(FIGURES_S)
                for event in self._devices.figures():
                    sink(event)
        finally:
            handover.close()
            client.disconnect()
            for event in self._devices.lost("the hub stops"):
                sink(event)
            # It waits for the thread, which may be in the middle of connecting.
            await asyncio.to_thread(client.loop_stop)

    async def send(self, command: Command) -> Any:
        """Raise Refused: commands to MQTT devices are not offered."""
        raise Refused(f"{command.device} is an MQTT device; commands over MQTT are not offered")

    def cancel(self, command_id: str) -> None:
        """Do nothing: no commands go over MQTT."""

    def ack(self, device: str, boot_id: str, seq: int) -> None:
        """Do nothing: MQTT devices keep no outbox that the hub knows of."""

    def _events(self, items: list[Arrival | _Lost]) -> Iterable[LinkEvent]:
        arrivals: list[Arrival] = []
        for item in items:
            if isinstance(item, Arrival):
                arrivals.append(item)
                continue
            yield from self._devices.take(arrivals)
            arrivals = []
            yield from self._devices.lost(item.reason)
        yield from self._devices.take(arrivals)

    # --- paho's thread ---

    def _client(self, handover: Handover[Arrival | _Lost]) -> Client:
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
            if code.is_failure:
                self._complain(f"refuses the hub: {code}; see `mqtt.username` and `mqtt.password_file`")
                return
            self._connected = True
            self._complaint = ""
            log.info("mqtt: connected to %s", self.name)
            client.subscribe([(f"{self._config.topic}/+", 1), (f"{self._config.topic}/+/+", 1)])

        def on_subscribe(
            _client: Client, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Properties | None
        ) -> None:
            refused = [str(code) for code in codes if code.is_failure]
            if refused:
                self._complain(f"refuses the subscription to {self._config.topic}/#: {', '.join(refused)}")

        def on_disconnect(
            _client: Client,
            _data: Any,
            _flags: DisconnectFlags,
            code: ReasonCode,
            _properties: Properties | None,
        ) -> None:
            if self._connected and code.is_failure:
                log.warning("mqtt: lost %s (%s); connecting again", self.name, code)
            self._connected = False
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
        client.on_connect_fail = lambda _client, _data: self._complain(
            "does not answer; trying again until it does"
        )
        return client

    def _complain(self, text: str) -> None:
        """Log a complaint about the broker once, until another or a connection comes."""
        if text != self._complaint:
            self._complaint = text
            log.warning("mqtt: broker %s %s", self.name, text)


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
        raise ConfigError(f"`mqtt.password_file`: cannot be read: {error}") from error


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
