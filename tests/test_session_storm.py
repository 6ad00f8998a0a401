"""Everything at once: a bad line, pulled cables, hubs killed, boards restarted, at random moments."""

from __future__ import annotations

import random

import pytest

from hub.wire.events import Lost
from tests.lossy import Rig


@pytest.mark.parametrize("seed", range(12))
def test_what_is_stored_has_no_hole_and_no_double_whatever_happens(seed: int) -> None:
    chance = random.Random(1000 + seed)
    rig = Rig(seed, fault=0.1)
    for _ in range(12):
        rig.run(chance.randrange(1000, 6000), every_ms=40)
        act(rig, chance)
    rig.run(1000, every_ms=40)
    rig.run(25_000)
    assert rig.stored[rig.board.boot_id] == list(range(rig.outbox.next_seq))
    assert rig.outbox.first_seq == rig.outbox.next_seq, "something was not acked"
    for boot_id, seqs in rig.stored.items():
        assert seqs == list(range(len(seqs))), f"boot {boot_id}"
    assert not [event for event in rig.events if isinstance(event, Lost)]


def act(rig: Rig, chance: random.Random) -> None:
    kind = chance.choice(["kill hub", "replug", "unplug", "reboot", "nothing"])
    if kind == "kill hub":
        rig.kill_hub()
    elif kind in ("replug", "unplug"):
        rig.hub.close("unplugged")
        rig.collect()
        if kind == "unplug":
            rig.plugged = False
            rig.run(chance.randrange(100, 8000), every_ms=40)
            rig.plugged = True
        rig.replug()
    elif kind == "reboot":
        rig.boot()
