"""A thousand samples a second while the hub is killed at random moments: each is stored, each once."""

from __future__ import annotations

import contextlib
import random
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from hil.hub import HubError
from tests.e2e.four_boards import FourBoards
from tests.soak import times

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

KILLS = times(6, 50)
SEED = 20_251


def test_a_hub_that_is_killed_again_and_again_loses_nothing_that_it_acked(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with FourBoards(tmp_path) as rig:
        for _ in range(KILLS):
            killed_after(rig, chance.uniform(0.3, 4.5))
        rig.hub.start()
        acked = [sum(acks.upto.values()) for acks in rig.acks]
        rig.wait(partial(every_board_is_past, rig, acked))
        for uid, acks in zip(rig.uids, rig.acks, strict=True):
            check(rig, uid, acks.upto)


def killed_after(rig: FourBoards, seconds: float) -> None:
    """Start the hub and kill it so long after, be it up by then or not."""
    timer = threading.Timer(seconds, rig.hub.kill)
    timer.start()
    with contextlib.suppress(HubError):  # it may die before it serves
        rig.hub.start()
    timer.join()
    assert not rig.hub.running


def every_board_is_past(rig: FourBoards, acked: list[int]) -> bool:
    """Whether each board was acked more than it was before, by a second's readings."""
    return all(sum(acks.upto.values()) > before + 25 for acks, before in zip(rig.acks, acked, strict=True))


def check(rig: FourBoards, uid: str, acked: dict[str, int]) -> None:
    """Hold what is stored of a board against what it was told is stored."""
    ((_, upto),) = acked.items()  # one boot: the boards ran through all of it
    names = [metric["name"] for metric in rig.api.device(uid)["metrics"]]
    assert len(names) == 10
    sequence = rig.api.stored(uid, "sequence")
    assert sequence == list(range(len(sequence))), "a hole or a double"
    assert len(sequence) > upto, "an acked reading is missing"
    assert set(rig.api.stored(uid, "outbox_dropped")) == {0}
    for name in names:
        assert len(rig.api.stored(uid, name)) >= len(sequence), f"{name} has fewer samples than readings"
