"""How often what goes to and fro is logged: so many lines in a while, then only how many there were. Pure."""

from __future__ import annotations

LINES = 10
WINDOW_MS = 600_000
_MOST = 4096


class LogPace:
    """The lines about each thing: `LINES` of them in `WINDOW_MS`. Time comes with the call."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[int, int]] = {}  # since when, and how many lines were wanted since then

    def due(self, thing: str, now_ms: int) -> str | None:
        """Return what to end a line about `thing` with (mostly nothing), or None: it is left out."""
        since_ms, wanted = self._lines.get(thing, (now_ms, 0))
        left_out = 0
        # A clock that jumps back must not silence the log for hours.
        if not 0 <= now_ms - since_ms < WINDOW_MS:
            left_out, since_ms, wanted = max(0, wanted - LINES), now_ms, 0
        if thing not in self._lines and len(self._lines) >= _MOST:
            self._lines.clear()
        self._lines[thing] = since_ms, wanted + 1
        if wanted >= LINES:
            return None
        if wanted == LINES - 1:
            return f"; for {WINDOW_MS // 60_000} min from the first such line, no more of them"
        return f" (and {left_out} more such lines that were left out)" if left_out else ""
