"""Scripted boards that keep a key, for the tests of enrolment. Not a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.links.door import proof
from hub.model import KeyState
from tests.enrolment_rig import BY, Desk
from tests.fakes import until
from tests.pty_board import PtyBoard

if TYPE_CHECKING:
    from pathlib import Path

A, B = "e66100000000000a", "e66100000000000b"


class Keeper:
    """What a scripted board does with keys; `seen` are all commands that reached it."""

    def __init__(self, uid: str = A, boot_id: str = "0000b001") -> None:
        self.key: bytes | None = None
        self.seen: list[str] = []
        self.proofs: list[str] = []
        self.replays: str | None = None
        self.silent = False
        self._uid, self._boot_id = uid, boot_id

    def erase(self) -> bytes | None:
        """Lose the key, as a flash that is erased does; return what it was."""
        lost, self.key = self.key, None
        return lost

    def __call__(self, name: str, params: dict[str, Any]) -> tuple[bool, Any] | None:
        self.seen.append(name)
        if name == "enrol":
            self.key = bytes.fromhex(params["key"])
            return True, {"kept": True}
        if name != "prove":
            return True, None
        if self.silent:
            return None
        if self.replays is not None:
            return True, {"proof": self.replays}
        if self.key is None:
            return True, {"proof": None}
        self.proofs.append(proof(self.key, params["nonce"], self._uid, self._boot_id))
        return True, {"proof": self.proofs[-1]}


def board(path: Path, keeper: Any, uid: str = A, boot_id: str = "0000b001") -> PtyBoard:
    """Return a scripted board that is not plugged in."""
    return PtyBoard(path, uid=uid, boot_id=boot_id, answer=keeper)


async def accepted(hub: Desk, path: Path, keeper: Keeper) -> PtyBoard:
    """Return a board that is in, with its key proven."""
    made = board(path, keeper)
    made.plug()
    await until(lambda: hub.view(A))
    hub.enrolment.accept(A, BY)
    await until(lambda: hub.key(A) is KeyState.PROVEN)
    return made
