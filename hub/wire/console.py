"""A board's console as log lines: bounded, rate-limited, without control characters."""

from .rates import Bucket

MAX_LINE = 400
LINES_PER_S = 20
BURST = 200
PARTIAL_MS = 500


class Console:
    """Cut console bytes into lines. Lines over the rate are dropped and counted in `dropped`."""

    def __init__(self) -> None:
        self.dropped = 0
        self.taken = 0
        self._rest = b""
        self._since = 0.0
        self._bucket = Bucket(LINES_PER_S, BURST, 0.0)

    def feed(self, data: bytes, now_ms: float) -> list[str]:
        """Take in bytes; return the lines that became whole (an unfinished one by `tick`)."""
        if not data:
            return []
        self.taken += len(data)
        pieces = (self._rest + data).split(b"\n")
        self._rest = pieces.pop()
        if len(self._rest) > MAX_LINE:
            pieces.append(self._rest[:MAX_LINE])
            self._rest = b""
        self._since = now_ms
        return self._lines(pieces, now_ms)

    def tick(self, now_ms: float) -> list[str]:
        """Return an unfinished line (a prompt, a progress) that has stood for half a second."""
        if not self._rest or now_ms - self._since < PARTIAL_MS:
            return []
        rest, self._rest = self._rest, b""
        return self._lines([rest], now_ms)

    def _lines(self, pieces: list[bytes], now_ms: float) -> list[str]:
        lines = []
        for piece in pieces:
            text = _clean(piece[:MAX_LINE])
            if not text:
                continue
            if self._bucket.take(now_ms):
                lines.append(text)
            else:
                self.dropped += 1
        return lines


def _clean(piece: bytes) -> str:
    text = piece.decode("utf-8", "replace")
    return "".join([c if c.isprintable() else " " if c == "\t" else "" for c in text]).rstrip()
