"""What rules publish goes out over the hub's own connection to a real broker, or says that it did not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from hub.config import MqttConfig
from hub.links.link import NotReachable
from hub.links.mqtt import MqttLink
from tests.broker import Broker
from tests.fakes import until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
async def test_a_message_of_a_rule_reaches_who_subscribed_and_without_a_broker_it_is_said(
    tmp_path: Path,
) -> None:
    got: list[MQTTMessage] = []
    with Broker(tmp_path) as broker:
        listener = Client(CallbackAPIVersion.VERSION2)
        listener.on_message = lambda _client, _data, message: got.append(message)
        listener.connect(broker.host, broker.port)
        listener.subscribe("alerts/#")
        listener.loop_start()
        link = MqttLink(MqttConfig(host=broker.host, port=broker.port), now_ms=lambda: 1)
        with pytest.raises(NotReachable, match="not connected"):
            link.publish("alerts/hot", b"{}")
        running = asyncio.create_task(link.run(lambda _: None))

        def published() -> bool:
            try:
                link.publish("alerts/hot", b'{"rule":"hot"}')
            except NotReachable:
                return False
            return bool(got)

        await until(published, timeout_s=30)
        assert (got[0].topic, got[0].payload, got[0].retain) == ("alerts/hot", b'{"rule":"hot"}', False)
        listener.loop_stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
