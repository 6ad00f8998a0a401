"""What says the id of a board that is accepted, and does not prove its key. Pure."""

from __future__ import annotations

from dataclasses import dataclass

REST_MS = 10_000
"""A board that did not prove its key is asked again after so long: it may have been slow."""
CROWDED_MS = 5_000
"""A board that changes ports may say hello on the new one before the old one is known to be gone."""
TELL_MS = 600_000
"""The same is told again after so long."""
HERE_MS = 15_000
MOST_CROWDING = 1_000


@dataclass
class Impostor:
    """What said a board's id at `place`; `why` it is refused, for people."""

    place: str
    why: str
    since: int
    seen: int
    """When it said so last, UTC ms."""
    rests_until: int = 0
    """Until then it is turned away unheard."""
    told: int | None = None


class Impostors:
    """The last impostor of each board, until somebody decides."""

    def __init__(self) -> None:
        self._found: dict[str, Impostor] = {}
        self._crowding: dict[tuple[str, str], int] = {}

    def __contains__(self, device: str) -> bool:
        return device in self._found

    def __getitem__(self, device: str) -> Impostor:
        return self._found[device]

    def devices(self) -> list[str]:
        """Return the boards that have one."""
        return sorted(self._found)

    def dismiss(self, device: str) -> bool:
        """Forget it; return whether there was one."""
        return self._found.pop(device, None) is not None

    def resting(self, device: str, place: str, now_ms: int) -> str | None:
        """Note that `device` is said at `place`; return why it is turned away now, or None."""
        impostor = self._found.get(device)
        if impostor is None or impostor.place != place:
            return None
        impostor.seen = now_ms
        return impostor.why if now_ms < impostor.rests_until else None

    def proved(self, device: str, place: str) -> None:
        """Note that the board at `place` has proved its key: if that was refused before, it was only slow."""
        impostor = self._found.get(device)
        if impostor is not None and impostor.place == place:
            del self._found[device]

    def left(self, device: str) -> None:
        """Note that the board is gone: what is beside it does not crowd it any more."""
        self._crowding = {at: first for at, first in self._crowding.items() if at[0] != device}

    def crowds(self, device: str, place: str, now_ms: int) -> bool:
        """Note that `device` is said beside the board; return whether it goes on for too long for a move."""
        if len(self._crowding) > MOST_CROWDING:
            self._crowding.clear()
        return now_ms - self._crowding.setdefault((device, place), now_ms) >= CROWDED_MS

    def refuse(self, device: str, place: str, why: str, now_ms: int, *, rest_ms: int = REST_MS) -> bool:
        """Note a refusal; return whether it is to be told."""
        impostor = self._found.get(device)
        if impostor is None or impostor.place != place:
            impostor = self._found[device] = Impostor(place, why, now_ms, now_ms)
        impostor.why, impostor.seen, impostor.rests_until = why, now_ms, now_ms + rest_ms
        if impostor.told is not None and now_ms - impostor.told < TELL_MS:
            return False
        impostor.told = now_ms
        return True

    def here(self, device: str, now_ms: int) -> bool:
        """Whether it is there now, as far as is known."""
        return now_ms - self._found[device].seen < HERE_MS
