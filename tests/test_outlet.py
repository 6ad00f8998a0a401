"""Datagrams leave in one piece for the kernel to cut, or one by one where it cannot."""

from __future__ import annotations

import errno
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from hub.camera.viewing.outlet import RelayOutlet, UdpOutlet

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = memoryview(b"a" * 1_000 + b"b" * 1_000 + b"c" * 10)


@pytest.fixture
def sink() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(5)
        yield sink


@pytest.fixture
def source() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        source.bind(("127.0.0.1", 0))
        source.setblocking(False)
        yield source


@pytest.mark.parametrize("offload", [True, False])
def test_a_burst_arrives_as_its_datagrams_from_the_port_of_the_file_it_was_given(
    sink: socket.socket, source: socket.socket, offload: bool
) -> None:
    with closing(UdpOutlet(source.fileno(), sink.getsockname(), offload=offload)) as outlet:
        assert outlet.send(DATA, 1_000)
        got = [sink.recvfrom(2_000) for _ in range(3)]
    assert [data for data, _ in got] == [b"a" * 1_000, b"b" * 1_000, b"c" * 10]
    assert {address for _, address in got} == {source.getsockname()}


class Refusing(socket.socket):
    """A socket on a machine without offload. A fake: this machine's kernel has it."""

    def sendmsg(self, *_: Any) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_a_device_without_offload_is_sent_packet_by_packet_from_then_on(
    sink: socket.socket, source: socket.socket
) -> None:
    with closing(UdpOutlet(source.fileno(), sink.getsockname())) as outlet:
        with outlet._socket as real:
            outlet._socket = Refusing(fileno=real.detach())
        for _ in range(2):
            assert outlet.send(DATA, 1_000)
            assert [len(sink.recv(2_000)) for _ in range(3)] == [1_000, 1_000, 10]
        assert not outlet._offload


def test_an_address_that_cannot_be_reached_is_a_drop_and_no_error(source: socket.socket) -> None:
    with closing(UdpOutlet(source.fileno(), ("255.255.255.255", 9))) as outlet:
        assert not outlet.send(DATA, 1_000)


class Relay:
    """A TURN allocation with a queue. A fake: tests/test_camera_relay.py has a real server."""

    def __init__(self, queued: int) -> None:
        self.queued = queued
        self.sent: list[bytes] = []

    def queued_bytes(self) -> int:
        return self.queued

    def sendto(self, data: bytes, _: tuple[str, int]) -> None:
        self.sent.append(data)


def test_a_relay_gets_each_packet_and_none_while_its_queue_is_long() -> None:
    relay, full = Relay(0), Relay(1 << 20)
    assert RelayOutlet(relay, ("192.0.2.1", 9)).send(DATA, 1_000)
    assert [len(data) for data in relay.sent] == [1_000, 1_000, 10]
    assert not RelayOutlet(full, ("192.0.2.1", 9)).send(DATA, 1_000)
    assert full.sent == []
