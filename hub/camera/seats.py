"""How many may look at a camera at once, in all and of one user or token. Loop thread only."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from hub.camera.errors import TooManyViewers

if TYPE_CHECKING:
    from collections.abc import Iterator


class Seats:
    """`limit` clients, WebRTC viewers and MJPEG alike; `per_owner` of one owner that has a name."""

    def __init__(self, camera: str, limit: int, per_owner: int) -> None:
        self._camera = camera
        self._limit = limit
        self._per_owner = per_owner
        self._viewers: dict[str, str] = {}
        """Of each viewer, its owner."""
        self._streams: list[str] = []
        """Of each MJPEG client, its owner."""
        self._arriving = 0

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """Count a client who is about to be a viewer. Raises TooManyViewers."""
        self._check_room()
        self._arriving += 1
        try:
            yield
        finally:
            self._arriving -= 1

    @contextmanager
    def streaming(self, owner: str) -> Iterator[None]:
        """Count a client who takes MJPEG. Raises TooManyViewers."""
        self.check_owner(owner)
        self._check_room()
        self._streams.append(owner)
        try:
            yield
        finally:
            self._streams.remove(owner)

    def take(self, viewer: str, owner: str) -> None:
        """Count a viewer."""
        self._viewers[viewer] = owner

    def leave(self, viewer: str) -> None:
        """Count a viewer no more; it may have left before."""
        self._viewers.pop(viewer, None)

    def check_owner(self, owner: str) -> None:
        """Raise TooManyViewers where an owner has as many as one may."""
        taken = [*self._viewers.values(), *self._streams]
        if owner and taken.count(owner) >= self._per_owner:
            raise TooManyViewers(
                f"`{owner}` watches camera `{self._camera}` {self._per_owner} times, which is all one may"
            )

    def _check_room(self) -> None:
        if len(self._viewers) + len(self._streams) + self._arriving >= self._limit:
            raise TooManyViewers(
                f"camera `{self._camera}` serves {self._limit} clients, which is all it may; "
                "`max_viewers` of the configuration says how many"
            )
