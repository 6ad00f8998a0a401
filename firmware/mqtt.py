"""MQTT 3.1.1 at QoS 0 as a client speaks and hears it. Sans-I/O; runs on CPython, too.

Written for this, as `umqtt.simple` waits for the network inside its calls, which would stop the board's
sampling. Sections are those of OASIS' MQTT Version 3.1.1.
"""

PING = b"\xc0\x00"
"""PINGREQ (3.12)."""
_CONNACK = 0x20
_PUBLISH = 0x30
_SUBACK = 0x90
_PINGRESP = 0xD0
_SMALL = 8
"""Of the packets that are kept whole, none is longer."""
_REFUSALS = (
    "it speaks another version of MQTT",
    "it does not take this client id",
    "it is not available",
    "it does not take user and password",
    "this user may not connect",
)


class MqttError(OSError):
    """The broker refuses the board, or what it sends is no MQTT: the connection is of no use."""


def connect(client_id: str, user: str, password: str, keepalive_s: int, will: "tuple[str, bytes]") -> bytes:
    """Return CONNECT (3.1): a clean session; `will` (topic, payload) goes out when the board is lost.

    An empty `user` is none, and has no password.
    """
    flags = 0x06  # clean session, will at QoS 0, not retained
    rest = [_text(client_id), _text(will[0]), len(will[1]).to_bytes(2, "big"), will[1]]
    if user:
        flags |= 0xC0
        rest += [_text(user), _text(password)]
    head = b"\x00\x04MQTT\x04" + bytes((flags,)) + keepalive_s.to_bytes(2, "big")
    return _packet(0x10, head + b"".join(rest))


def subscribe(topic: str) -> bytes:
    """Return SUBSCRIBE (3.8) to one topic at QoS 0."""
    return _packet(0x82, b"\x00\x01" + _text(topic) + b"\x00")


def publish(topic: str, size: int) -> bytes:
    """Return the head of PUBLISH (3.3) at QoS 0, not retained; a payload of `size` bytes follows it."""
    return _packet(_PUBLISH, _text(topic), size)


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _packet(kind: int, body: bytes, more: int = 0) -> bytes:
    head = bytearray((kind,))
    left = len(body) + more
    while True:  # the remaining length, 7 bits a byte (2.2.3)
        byte = left & 0x7F
        left >>= 7
        head.append(byte | 0x80 if left else byte)
        if not left:
            return bytes(head) + body


class Incoming:
    """What the broker sends, however split. It keeps no payload: the pieces are passed on as they come.

    The topic is not looked at, as the board subscribes to one only.
    """

    def __init__(self) -> None:
        self.connected = False
        """The broker took the board (CONNACK)."""
        self.subscribed = False
        """The broker will send what is for the board (SUBACK)."""
        self._kind = 0  # of the packet that is coming; 0 between two
        self._left = -1  # bytes of its body still to come; -1 while its length is
        self._length = 0
        self._shift = 0
        self._kept = bytearray()  # a small packet's body; of a publish the length of its topic
        self._skip = 0  # bytes of a publish's topic still to come

    def feed(self, data: bytes) -> "list[bytes]":
        """Take in bytes; return the pieces of payload among them, in order. Raises MqttError."""
        pieces: list[bytes] = []
        at = 0
        while at < len(data):
            if self._left < 0:
                self._header(data[at])
                at += 1
            else:
                part = data[at : at + self._left]
                at += len(part)
                self._left -= len(part)
                part = self._body(part)
                if part:
                    pieces.append(part)
            if self._left == 0:
                self._end()
        return pieces

    def _header(self, byte: int) -> None:
        if not self._kind:
            if byte & 0xF0 != _PUBLISH and byte not in (_CONNACK, _SUBACK, _PINGRESP):
                raise MqttError(f"the broker sent a packet of type {byte:02x}, which a client never gets")
            if byte & 0xF0 == _PUBLISH and byte & 0x06:
                raise MqttError("the broker sent a message of another QoS than 0")
            self._kind = byte
            self._length = self._shift = 0
            return
        self._length |= (byte & 0x7F) << self._shift
        self._shift += 7
        if byte < 0x80:
            self._left = self._length
            self._kept = bytearray()
            self._skip = -1
            if self._kind & 0xF0 != _PUBLISH and self._length > _SMALL:
                raise MqttError(f"the broker sent {self._length} bytes where few belong")
        elif self._shift > 21:
            raise MqttError("the broker sent a length of over four bytes")

    def _body(self, part: bytes) -> bytes:
        """Return what of a packet's body is payload."""
        if self._kind & 0xF0 != _PUBLISH:
            self._kept.extend(part)
            return b""
        if self._skip < 0:
            take = 2 - len(self._kept)
            self._kept.extend(part[:take])
            part = part[take:]
            if len(self._kept) < 2:
                return b""
            self._skip = self._kept[0] << 8 | self._kept[1]
        skipped = min(self._skip, len(part))
        self._skip -= skipped
        return part[skipped:]

    def _end(self) -> None:
        kind, kept = self._kind, self._kept
        self._kind = 0
        self._left = -1
        if kind == _CONNACK:
            if len(kept) != 2:
                raise MqttError("the broker's CONNACK is not of two bytes")
            if kept[1]:
                raise MqttError("the broker refuses the board: " + _refusal(kept[1]))
            self.connected = True
        elif kind == _SUBACK:
            if len(kept) != 3 or kept[2]:
                raise MqttError("the broker does not let the board subscribe")
            self.subscribed = True
        elif kind & 0xF0 == _PUBLISH and self._skip:
            raise MqttError("the broker sent a message that is shorter than its topic")


def _refusal(code: int) -> str:
    return _REFUSALS[code - 1] if code <= len(_REFUSALS) else f"code {code}"
