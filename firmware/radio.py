"""The way to the hub over WiFi and an MQTT broker: the same frames, some to a message.

The board publishes to `<topic>/board/<uid>/up` and hears `<topic>/board/<uid>/down`, both at QoS 0: the
session acknowledges and asks again by itself. Nothing here waits for the network but its own task.
"""

import asyncio
import gc
import select
import socket
import time
from errno import EINPROGRESS, ETIMEDOUT

import mqtt
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MESSAGE = const(1200)
"""Frames gather up to so many bytes: a message in one packet of WiFi."""
_READ = const(512)
_JOIN_MS = const(20000)
_OPEN_MS = const(10000)
_PING_MS = const(10000)
"""A broker that was silent for so long is asked, and gone after as long again."""
_KEEPALIVE_S = const(30)
_PAUSE_S = (1, 30)
_KEYS = ("host", "port", "user", "password", "ssid", "wifi_password", "topic")


class Radio:
    """Keeps the connection to the broker. `run` ends only by a defect; `heard` gets what came for the board.

    `config` is `mqtt` of board.json (docs/mqtt.md). Raises ValueError, which never names a secret.
    """

    def __init__(self, config: "dict[str, Any]", uid: str, heard: "Callable[[Radio, bytes], None]") -> None:
        check(config)
        self._config = config
        self._uid = uid
        self._heard = heard
        topic = config.get("topic", "outpost") + "/board/" + uid
        self._up_topic = topic + "/up"
        self._down_topic = topic + "/down"
        self._will = (topic + "/status", b"offline")
        self.up = False
        """Whether the broker takes and gives messages now."""
        self._changed = False
        self._sock: Any = None
        self._lock = asyncio.Lock()  # held while a packet is written, so that none stands within another
        self._broken = False  # a packet was cut short: nothing after it would be understood
        # One block for good: a heap that ran for days may have no second one of that size.
        self._batch = bytearray(_MESSAGE)
        self._size = 0
        self._said = ""

    def take_change(self) -> bool:
        """Whether a connection came or went since the last call: the hub may know nothing of the session."""
        changed, self._changed = self._changed, False
        return changed

    async def run(self) -> None:
        """Join the network and stay connected; after a failure again in 1, 2, 4 … 30 s.

        Want of memory is a failure like any other: a restart would lose what waits in the outbox.
        """
        pause_s = _PAUSE_S[0]
        while True:
            try:
                await self._join()
                await self._serve()
            except (OSError, MemoryError) as error:
                if self.up:
                    pause_s = _PAUSE_S[0]
                self._close()
                self._failed(error, "; trying again")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _PAUSE_S[1])

    async def write(self, frame: bytes) -> None:
        """Take a frame; without a connection it is lost, as the session knows how to mend."""
        if self._size + len(frame) > _MESSAGE:
            await self.flush()
        self._batch[self._size : self._size + len(frame)] = frame
        self._size += len(frame)

    async def flush(self) -> None:
        """Send what gathered as one message."""
        size, self._size = self._size, 0
        if self.up and size:
            try:
                await self._send(mqtt.publish(self._up_topic, size), memoryview(self._batch)[:size])
            except (OSError, MemoryError) as error:
                self._lose()
                self._failed(error)

    # --- the connection -----------------------------------------------------------------------------------

    async def _join(self) -> None:
        """Join the WiFi. Without `ssid` the network is there by other means (boot.py, Ethernet)."""
        ssid = self._config.get("ssid")
        if not ssid:
            return
        import network  # noqa: PLC0415 - boards without a radio have no such module

        try:
            wlan = network.WLAN(network.STA_IF)
            wlan.active(True)
            if wlan.isconnected():
                return
            wlan.connect(ssid, self._config.get("wifi_password", ""))
        except RuntimeError as error:  # an ESP32's word for want of memory: "Wifi Unknown Error 0x0101"
            raise OSError(str(error))  # noqa: B904 - MicroPython has no `from`
        start = time.ticks_ms()
        while not wlan.isconnected():
            # Below 0 an RP2's radio gave up: a wrong password, no such network.
            if wlan.status() < 0 or time.ticks_diff(time.ticks_ms(), start) > _JOIN_MS:
                raise OSError(f"the WiFi {ssid!r} does not let the board in (status {wlan.status()})")
            await asyncio.sleep_ms(250)

    async def _serve(self) -> None:
        """Connect, subscribe and listen, until something fails."""
        gc.collect()
        self._broken = False
        config = self._config
        self._sock = await _opened(config["host"], config.get("port", 1883))
        incoming = mqtt.Incoming()
        user = config.get("user", "")
        will = self._will
        hello = mqtt.connect(self._uid, user, config.get("password", ""), _KEEPALIVE_S, will)
        await self._send(hello)
        while not incoming.connected:
            incoming.feed(await self._more())
        await self._send(mqtt.subscribe(self._down_topic))
        while True:
            for piece in incoming.feed(await self._more()):
                self._heard(self, piece)
            if incoming.subscribed and not self.up:
                self.up = self._changed = True
                self._say("mqtt: connected to " + config["host"])

    async def _more(self) -> bytes:
        """Return what the broker sends next; ask it where it sends nothing. Raises OSError."""
        reader = asyncio.StreamReader(self._sock)
        for asked in (False, True):
            try:
                data: bytes = await asyncio.wait_for_ms(reader.read(_READ), _PING_MS)
            except asyncio.TimeoutError:  # noqa: UP041 - MicroPython has no other
                if asked or self._broken:
                    break
                await self._send(mqtt.PING)
            else:
                if data and not self._broken:
                    return data
                break
        raise OSError("the broker is gone")

    async def _send(self, *parts: "bytes | memoryview") -> None:
        """Write a packet as the network takes it. Raises OSError, MemoryError."""
        async with self._lock:
            try:
                for part in parts:
                    await self._write_all(memoryview(part))
            except (OSError, MemoryError):
                self._broken = True
                raise

    async def _write_all(self, view: memoryview) -> None:
        start = time.ticks_ms()
        at = 0
        while at < len(view):
            if self._sock is None or self._broken:
                raise OSError("the connection is closed")
            at += self._sock.write(view[at:]) or 0
            if at < len(view):
                if time.ticks_diff(time.ticks_ms(), start) > _PING_MS:
                    raise OSError(ETIMEDOUT)
                await asyncio.sleep_ms(10)

    def _lose(self) -> None:
        self._changed = self._changed or self.up
        self.up = False

    def _close(self) -> None:
        self._lose()
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()

    def _failed(self, error: "OSError | MemoryError", then: str = "") -> None:
        """Print why a connection failed, where there is memory for words."""
        try:
            gc.collect()
            self._say("mqtt: " + _words(error) + then)
        except MemoryError:
            pass  # the next failure tells

    def _say(self, text: str) -> None:
        """Print what is new, once."""
        if text != self._said:
            self._said = text
            print(text)


async def _opened(host: str, port: int) -> "Any":
    """Return a connected, non-blocking socket. Looking a name up waits for the DNS: give an address."""
    address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    sock = socket.socket(address[0], address[1], address[2])
    try:
        sock.setblocking(False)
        try:
            sock.connect(address[-1])
        except OSError as error:
            if error.errno != EINPROGRESS:
                raise
        await _writable(sock)
    except (OSError, MemoryError):
        sock.close()
        raise
    return sock


async def _writable(sock: "Any") -> None:
    """Wait until a socket is connected. Raises OSError."""
    poller = select.poll()
    poller.register(sock, select.POLLOUT)
    start = time.ticks_ms()
    while True:
        for _, event in poller.poll(0):
            if event != select.POLLOUT:
                raise OSError("the broker does not answer")
            return
        if time.ticks_diff(time.ticks_ms(), start) > _OPEN_MS:
            raise OSError(ETIMEDOUT)
        await asyncio.sleep_ms(50)


def check(config: "dict[str, Any]") -> None:
    """Hold `mqtt` of board.json against what it may be. Raises ValueError, which names no value."""
    for key, value in config.items():
        if key not in _KEYS:
            raise ValueError("mqtt: there is no key " + repr(key))
        if key == "port":
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 65535:
                raise ValueError("mqtt: port must be 1 to 65535")
        elif not isinstance(value, str) or len(value) > 128:
            raise ValueError("mqtt: " + key + " must be a text of at most 128 characters")
    if not config.get("host"):
        raise ValueError("mqtt: host is missing: the broker's address")
    if config.get("password") and not config.get("user"):
        raise ValueError("mqtt: user is missing beside password")
    topic = config.get("topic", "outpost")
    if not topic or "+" in topic or "#" in topic:
        raise ValueError("mqtt: topic must be a prefix without wildcards")


def _words(error: BaseException) -> str:
    return str(error) or "no answer in time"
