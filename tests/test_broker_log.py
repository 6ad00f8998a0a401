"""What the log says of brokers that are none, are old, or throw the hub out.

The other end is a fake: a socket that answers as such a broker would, since no real one misbehaves on demand.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from hub.config import MqttConfig
from hub.links.broker_log import BrokerLog
from hub.links.mqtt import MqttLink
from hub.log_pace import LINES
from tests.fakes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OLD_PROTOCOL = b"\x20\x02\x00\x01"
"""As MQTT 3.1.1 refuses a protocol that it does not know (section 3.2.2.3)."""


@contextlib.asynccontextmanager
async def facing(answer: bytes) -> AsyncIterator[list[int]]:
    """Run a link against a socket that answers CONNECT so and closes; yields its connections, as numbers."""
    came: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(len(came))
        if answer:
            await reader.read(1024)
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = MqttLink(MqttConfig(host="127.0.0.1", port=port), now_ms=lambda: 0)
    task = asyncio.create_task(link.run(lambda _event: None))
    try:
        yield came
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        server.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "takes the connection and gives no MQTT answer"),
        (OLD_PROTOCOL, "it must speak MQTT 5, as Mosquitto does since 1.6"),
    ],
)
async def test_what_keeps_the_hub_from_a_broker_is_told_in_the_log(
    answer: bytes, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with facing(answer):
        await until(lambda: words in caplog.text)


@pytest.mark.slow
async def test_a_server_that_is_no_broker_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    async with facing(b"") as came:
        await until(lambda: len(came) == 2, 30)
    assert caplog.text.count("is it a broker") == 1


def test_a_broker_that_throws_the_hub_out_each_time_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    said = BrokerLog("broker", asked_for=True, now_ms=lambda: 0)
    with caplog.at_level(logging.INFO, "hub.links"):
        for _ in range(100):
            said.connected()
            said.lost(ReasonCode(PacketTypes.DISCONNECT, "Protocol error"))
    assert len(caplog.records) == LINES
    assert "no more of them" in caplog.records[-1].getMessage()
