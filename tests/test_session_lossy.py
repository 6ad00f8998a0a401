"""A line that drops, doubles, delays and damages a fifth of the frames, both ways."""

from __future__ import annotations

import pytest

from hub.wire.events import Answered, Lost, Opened
from tests.lossy import Rig


@pytest.mark.parametrize("seed", range(5))
def test_every_reading_arrives_once_and_in_order(seed: int) -> None:
    rig = Rig(seed)
    rig.run(10_000, every_ms=20)
    rig.run(10_000)
    assert rig.seqs() == list(range(rig.outbox.next_seq))
    assert not [event for event in rig.events if isinstance(event, Lost)]
    assert rig.outbox.first_seq == rig.outbox.next_seq, "the last ack did not arrive"


@pytest.mark.parametrize("seed", range(5))
def test_commands_run_once_and_each_is_answered(seed: int) -> None:
    rig = Rig(seed)
    rig.run(5_000)
    for number in range(20):
        rig.hub.send(f"c{number}", "led", {"state": "on"}, 60_000, rig.now_ms)
        rig.run(200, every_ms=100)
    rig.run(20_000)
    answers = [event for event in rig.events if isinstance(event, Answered)]
    assert sorted(rig.ran) == sorted(f"c{number}" for number in range(20))
    assert sorted(answer.command_id for answer in answers) == sorted(rig.ran)


@pytest.mark.parametrize("seed", range(3))
def test_long_commands_pass_in_fragments(seed: int) -> None:
    rig = Rig(seed)
    rig.run(5_000)
    rig.hub.send("long", "led", {"state": "on" * 500}, 60_000, rig.now_ms)
    rig.run(20_000)
    assert rig.ran == ["long"]


def test_a_session_opens_and_stays_open() -> None:
    rig = Rig(7)
    rig.run(60_000, every_ms=100)
    opened = [event for event in rig.events if isinstance(event, Opened)]
    assert len(opened) == 1
    assert rig.hub.open
