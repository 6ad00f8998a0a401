"""What a port may do in a time: a bucket of tokens, and words said once a minute."""

SAME_MS = 60_000
KEPT = 16
FULL_MS = 5_000


class Bucket:
    """A token bucket (as in RFC 2697's burst and rate): `burst` at once, `per_s` in the long run."""

    def __init__(self, per_s: float, burst: float, now_ms: float) -> None:
        self._per_ms = per_s / 1000
        self._burst = burst
        self._tokens = burst
        self._filled_ms = now_ms

    def take(self, now_ms: float) -> bool:
        """Take a token; False where there is none."""
        self._tokens = min(self._burst, self._tokens + (now_ms - self._filled_ms) * self._per_ms)
        self._filled_ms = now_ms
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Once:
    """Lets the same words through once a minute, and of different ones 16 at a time."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def may(self, text: str, now_ms: float) -> bool:
        """Tell whether `text` should be said now."""
        last = self._said.get(text)
        if last is not None and now_ms - last < SAME_MS:
            return False
        if len(self._said) >= KEPT:
            if now_ms - max(self._said.values()) < FULL_MS:
                return False
            self._said.clear()
        self._said[text] = now_ms
        return True
