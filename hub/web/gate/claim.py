"""The one-time link that opens the hub to whoever reads its console."""

from __future__ import annotations

import hmac
import logging
import secrets
from typing import TYPE_CHECKING

from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

CLAIM_TTL_MS = 10 * 60_000
CLAIM_TRIES = 5


class ClaimRefused(OutpostError):
    """The claim link does not open the hub (any more)."""


class Claim:
    """The one-time code that makes an admin session: 256 random bits, 10 minutes, 5 wrong tries.

    A new one may be made at any time; the one before is dead then.
    """

    def __init__(
        self, *, now_ms: Callable[[], int], ttl_ms: int = CLAIM_TTL_MS, tries: int = CLAIM_TRIES
    ) -> None:
        self._now_ms = now_ms
        self._ttl_ms = ttl_ms
        self._tries = tries
        self.renew()

    def renew(self) -> int:
        """Make a new code, and return until when it works (UTC milliseconds)."""
        self._left = self._tries
        self._until_ms = self._now_ms() + self._ttl_ms
        self._code: str | None = secrets.token_urlsafe(32)
        return self._until_ms

    def path(self) -> str:
        """Return the link's path and query, to print behind the hub's URL. Raises ClaimRefused when used."""
        if self._code is None:
            raise ClaimRefused("the claim link was used")
        return f"/claim?code={self._code}"

    def redeem(self, code: str) -> None:
        """Use the code up. Raises ClaimRefused where it is wrong, used, or too late."""
        if self._code is None:
            raise ClaimRefused("this link was used already, or tried too often")
        if self._now_ms() >= self._until_ms:
            self._code = None
            raise ClaimRefused("this link has expired")
        if not hmac.compare_digest(code.encode(), self._code.encode()):
            self._left -= 1
            if self._left <= 0:
                self._code = None
                log.warning("the claim link is dead: its code was guessed wrong too often")
            raise ClaimRefused("this is not the link that the hub printed")
        self._code = None
