"""What a link refused: counted by reason, and told in the log at a limited rate."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.health import Health
    from hub.model import LinkKind

log = logging.getLogger(__name__)

QUIET_MS = 30_000


class Refusals:
    """Counts refusals of one link. Reasons are few fixed words; details are a stranger's and only logged."""

    def __init__(self, kind: LinkKind, *, health: Health | None, now_ms: Callable[[], int]) -> None:
        self.counts: Counter[str] = Counter()
        self._kind = kind
        self._health = health
        self._now_ms = now_ms
        self._told: dict[str, tuple[int, int]] = {}  # reason → when it was last logged, the count then

    def add(self, reason: str, where: str, detail: str) -> None:
        """Count one refusal; log it unless its reason was logged less than half a minute ago."""
        self.counts[reason] += 1
        if self._health is not None:
            self._health.readings_refused.labels(self._kind, reason).inc()
        now_ms = self._now_ms()
        told_ms, told = self._told.get(reason, (None, 0))
        # A clock that jumps back must not silence the log for hours.
        if told_ms is not None and 0 <= now_ms - told_ms < QUIET_MS:
            return
        more = self.counts[reason] - told - 1
        self._told[reason] = (now_ms, self.counts[reason])
        log.warning(
            "%s: refused from %s: %s%s",
            self._kind,
            _printable(where),
            _printable(detail),
            f" (and {more} more since the last such line)" if more else "",
        )


def _printable(text: str) -> str:
    """Keep a stranger's text from breaking the log's lines or colouring a terminal."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text[:200])
