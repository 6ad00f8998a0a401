"""The board's MQTT: packets as the standard has them, and what comes from a broker, however split."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vm import ROOT, needs_vm, run_on_vm

if TYPE_CHECKING:
    from types import ModuleType


def _firmware(name: str) -> ModuleType:
    """Load a file of the firmware that runs on CPython, too; the folder is not on the path of tests."""
    spec = importlib.util.spec_from_file_location(f"firmware_{name}", ROOT / "firmware" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


mqtt = _firmware("mqtt")

CONNACK = bytes.fromhex("20020000")
SUBACK = bytes.fromhex("9003000100")
PINGRESP = bytes.fromhex("d000")


def sent(topic: bytes, payload: bytes) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + payload
    assert len(body) < 16384
    length = bytes([len(body)]) if len(body) < 128 else bytes([len(body) & 127 | 128, len(body) >> 7])
    return b"\x30" + length + body


# By hand from sections 3.1, 3.3 and 3.8 of the standard.
PACKETS = {
    'mqtt.connect("ab", "", "", 30, ("w", b"x"))': "1014 0004 4d515454 04 06 001e 0002 6162 0001 77 0001 78",
    'mqtt.connect("ab", "u", "pw", 30, ("w", b"x"))': (
        "101b 0004 4d515454 04 c6 001e 0002 6162 0001 77 0001 78 0001 75 0002 7077"
    ),
    'mqtt.subscribe("a/b")': "8208 0001 0003 612f62 00",
    'mqtt.publish("a/b", 2)': "3007 0003 612f62",
    'mqtt.publish("t", 124)': "307f 0001 74",
    'mqtt.publish("t", 125)': "308001 0001 74",
    'mqtt.publish("t", 20000)': "30a39c01 0001 74",
}


@pytest.mark.parametrize(("call", "expected"), PACKETS.items())
def test_what_the_board_says_is_as_the_standard_has_it(call: str, expected: str) -> None:
    assert eval(call, {"mqtt": mqtt}) == bytes.fromhex(expected)


@needs_vm
@pytest.mark.slow
def test_the_same_packets_come_of_the_same_code_on_a_board() -> None:
    calls = ", ".join(f"binascii.hexlify({call}).decode()" for call in PACKETS)
    said = json.loads(run_on_vm(f"import binascii, json, mqtt\nprint(json.dumps([{calls}]))"))
    assert said == [expected.replace(" ", "") for expected in PACKETS.values()]


@given(
    payloads=st.lists(st.binary(min_size=0, max_size=400), max_size=5),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=10),
)
def test_payloads_come_out_whole_however_the_stream_is_split(payloads: list[bytes], cuts: list[int]) -> None:
    stream = CONNACK + SUBACK + b"".join(PINGRESP + sent(b"a/b", payload) for payload in payloads)
    incoming = mqtt.Incoming()
    got = b""
    at = index = 0
    while at < len(stream):
        size = cuts[index % len(cuts)]
        got += b"".join(incoming.feed(stream[at : at + size]))
        at, index = at + size, index + 1
    assert got == b"".join(payloads)
    assert incoming.connected
    assert incoming.subscribed


@given(st.binary(max_size=300))
def test_bytes_that_are_no_mqtt_end_the_connection_and_nothing_else(data: bytes) -> None:
    incoming = mqtt.Incoming()
    try:
        pieces = incoming.feed(data)
    except mqtt.MqttError as error:
        assert str(error)
    else:
        assert sum(map(len, pieces)) <= len(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("20020005", "may not connect"),
        ("20020004", "user and password"),
        ("2002000a", "code 10"),
        ("200100", "two bytes"),
        ("9003000180", "does not let the board subscribe"),
        ("3202000178", "another QoS"),
        ("3003000578", "shorter than its topic"),
        ("3000", "shorter than its topic"),
        ("30ffffffff", "over four bytes"),
        ("2020", "few belong"),
        ("f000", "never gets"),
    ],
)
def test_a_broker_that_refuses_or_errs_is_told_in_words(data: str, words: str) -> None:
    with pytest.raises(mqtt.MqttError, match=words):
        mqtt.Incoming().feed(bytes.fromhex(data))
