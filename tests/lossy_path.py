"""A path between the camera and its viewers that loses packets as a bad network does. A fake cable."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from hub.camera.viewing.seams import Connected

if TYPE_CHECKING:
    from hub.camera.viewing.outlet import Outlet


class LossyPath:
    """Loses the share `loss` of all packets, also of those sent again; it may be changed meanwhile."""

    def __init__(self, loss: float, seed: int) -> None:
        self.loss = loss
        self._random = Random(seed)

    def lay(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Lead viewers that connect from now on over this path."""
        outlet = Connected.outlet
        monkeypatch.setattr(Connected, "outlet", lambda *args: _LossyOutlet(outlet(*args), self))

    def loses(self) -> bool:
        """Decide on one packet."""
        return self._random.random() < self.loss


class _LossyOutlet:
    def __init__(self, outlet: Outlet, path: LossyPath) -> None:
        self._outlet = outlet
        self._path = path

    def send(self, data: memoryview, segment: int) -> bool:
        for start in range(0, len(data), segment):
            if not self._path.loses():
                self._outlet.send(data[start : start + segment], segment)
        return True

    def close(self) -> None:
        self._outlet.close()


@pytest.fixture
def lossy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every viewer on a path that loses three packets in a hundred."""
    LossyPath(0.03, seed=3).lay(monkeypatch)
