"""The clients of the fan-out bench, in a process of their own: raw sockets, epoll, no parsing but of marks.

The first line of stdin is JSON (host, port, requests, clients, stalled), every other a number of seconds to
measure for; each is answered with one line of JSON.
"""

from __future__ import annotations

import select
import socket
import sys
import time

import msgspec

from bench.fan_event import MARK, many_files

SAMPLED = 20
"""Of so many clients, evenly chosen, every event's delay is taken; those of the others are only counted."""
_STALLED_BYTES = 4096


class Load(msgspec.Struct):
    """Where to connect, and how often."""

    host: str
    port: int
    requests: list[str]
    clients: int
    stalled: int = 0


class Clients:
    """Many streams, read by one epoll."""

    def __init__(self, load: Load) -> None:
        self._poll = select.epoll()
        self._socks: dict[int, socket.socket] = {}
        self._sampled: set[int] = set()
        self._idle: list[socket.socket] = []
        every = max(1, load.clients // SAMPLED)
        for number in range(load.clients + load.stalled):
            sock = socket.socket()
            if number >= load.clients:
                # Little of its own, so that what it does not read waits in the server.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _STALLED_BYTES)
            sock.connect((load.host, load.port))
            sock.sendall(load.requests[number % len(load.requests)].encode())
            if number >= load.clients:
                self._idle.append(sock)
                continue
            head = sock.recv(4096)
            if b" 200 " not in head:
                raise RuntimeError(f"a stream was refused: {head[:300]!r}")
            sock.setblocking(False)
            self._socks[sock.fileno()] = sock
            if number % every == 0:
                self._sampled.add(sock.fileno())
            self._poll.register(sock.fileno(), select.EPOLLIN)

    def measure(self, seconds: float) -> dict[str, float]:
        """Read for so long; return events per second and the percentiles of their delays in ms."""
        delays: list[int] = []
        count, gaps = 0, 0
        began = now = time.monotonic()
        while now - began < seconds:
            for descriptor, _ in self._poll.poll(0.1):
                data = self._socks[descriptor].recv(1 << 18)
                if not data:
                    raise RuntimeError("a stream ended")
                count += data.count(MARK)
                gaps += data.count(b"event: gap")
                if descriptor in self._sampled:
                    _delays(data, delays)
            now = time.monotonic()
        delays.sort()
        return {
            "per_s": count / (now - began),
            "gaps": gaps,
            "p50_ms": delays[len(delays) // 2] / 1000 if delays else -1,
            "p99_ms": delays[int(len(delays) * 0.99)] / 1000 if delays else -1,
        }


def _delays(data: bytes, delays: list[int]) -> None:
    now_us = time.monotonic_ns() // 1000
    # A mark whose digits were cut by the end of the data is left out.
    delays.extend(now_us - int(part[:15]) for part in data.split(MARK)[1:] if len(part) > 15)


def main() -> None:
    """Connect, then measure as often as stdin says."""
    many_files()
    clients = Clients(msgspec.json.decode(sys.stdin.readline(), type=Load))
    print("{}", flush=True)
    for line in sys.stdin:
        print(msgspec.json.encode(clients.measure(float(line))).decode(), flush=True)


if __name__ == "__main__":
    main()
