"""Frames on a serial line that they share with a console: RS payload * crc32 LF.

After RFC 7464 (JSON text sequences: RS, text, LF), with a checksum. Whatever is no intact frame is console.
"""

import binascii

MAX_FRAME = 240
"""Bytes of a whole frame, RS and LF included: below the 256 bytes of a board's USB FIFO."""
MAX_PAYLOAD = MAX_FRAME - 11
_RS = b"\x1e"
_LF = b"\n"
_TAIL = 9


class FrameTooLong(ValueError):
    """The payload does not fit one frame; send it as fragments."""


def encode(payload: bytes) -> bytes:
    """Put `payload` (ASCII, no control bytes) into a frame. Raises FrameTooLong."""
    if len(payload) > MAX_PAYLOAD:
        raise FrameTooLong(f"a payload of {len(payload)} bytes is over {MAX_PAYLOAD}")
    return b"\x1e%s*%08x\n" % (payload, binascii.crc32(payload))


class Decoder:
    """Find frames in a byte stream that may be split, cut, damaged and mixed with console output.

    It holds at most one unfinished frame. `crc_errors` counts frames whose checksum is wrong, `resyncs`
    frames that broke off (another RS, too long, no checksum). With `keep_console`, all bytes outside frames
    gather for `take_console`; a frame that broke off goes there too, as a traceback may have cut it.
    """

    def __init__(self, keep_console: bool = True) -> None:
        self.crc_errors = 0
        self.resyncs = 0
        self._rest = b""
        self._console = bytearray()
        self._keep_console = keep_console

    def feed(self, data: bytes) -> list[bytes]:
        """Take in bytes; return the payloads of the frames that became whole, in order. Never raises."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        payloads: list[bytes] = []
        at = 0
        while True:
            start = data.find(_RS, at)
            if start < 0:
                self._spill(data, at, len(data))
                return payloads
            self._spill(data, at, start)
            end = data.find(_LF, start)
            last = data.rfind(_RS, start, len(data) if end < 0 else end)
            if last > start:
                self.resyncs += data.count(_RS, start, last)
                self._spill(data, start, last)
                start = last
            if end < 0:
                self._hold(data[start:])
                return payloads
            at = end + 1
            payload = self._check(data, start, at)
            if payload is not None:
                payloads.append(payload)

    def take_console(self) -> bytes:
        """Return the console bytes gathered since the last call."""
        taken = bytes(self._console)
        if taken:
            self._console = bytearray()
        return taken

    def _hold(self, rest: bytes) -> None:
        if len(rest) < MAX_FRAME:
            self._rest = rest
        else:
            self.resyncs += 1
            self._spill(rest, 0, len(rest))

    def _check(self, data: bytes, start: int, end: int) -> "bytes | None":
        """Return the payload of `data[start:end]` (RS … LF) if it is intact."""
        size = end - start
        stop = end - 1
        if size > 1 and data[stop - 1] == 13:  # a board that writes through a text stream sends CR LF
            stop -= 1
        star = stop - _TAIL
        if size > MAX_FRAME or star <= start + 1 or data[star] != 42:
            self.resyncs += 1
            self._spill(data, start, end)
            return None
        payload = data[start + 1 : star]
        if b"*%08x" % binascii.crc32(payload) != data[star:stop]:
            self.crc_errors += 1
            return None
        return payload

    def _spill(self, data: bytes, start: int, end: int) -> None:
        if self._keep_console and end > start:
            self._console.extend(data[start:end])
