"""How often viewers may have a keyframe made: each costs ten ordinary pictures and goes to everyone."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class KeyframeBudget:
    """A token bucket: a burst for viewers who join together, then one in `interval_ms`.

    A request is never lost, it waits: whoever joined or lost a picture gets a keyframe.
    """

    burst: int = 6
    interval_ms: int = 1000
    wanted: bool = False
    _tokens: float = field(init=False)
    _filled_ms: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._tokens = float(self.burst)

    def request(self) -> None:
        """Ask for a keyframe; requests that are still open become one."""
        self.wanted = True

    def take(self, now_ms: int) -> bool:
        """Say whether the picture coded now should be a keyframe; `now_ms` by a clock that never jumps."""
        if self._filled_ms is not None:
            gained = (now_ms - self._filled_ms) / self.interval_ms
            self._tokens = min(float(self.burst), self._tokens + gained)
        self._filled_ms = now_ms
        if not self.wanted or self._tokens < 1:
            return False
        self._tokens -= 1
        self.wanted = False
        return True

    def satisfied(self) -> None:
        """Note that a keyframe was made anyway."""
        self.wanted = False
