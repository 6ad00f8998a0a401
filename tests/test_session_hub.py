"""The hub's side of a session: identity, restarts on either side, gaps, floods, and the console."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from hub.wire.calls import Calls, TooMany
from hub.wire.events import Answered, Closed, Lost, Opened, Printed, Taken, Trouble, Unanswered
from hub.wire.fragments import crc, fragments
from hub.wire.frame import Decoder, encode
from hub.wire.hub_session import HubSession
from hub.wire.known import Known
from hub.wire.message import dumps, hello, keepalive, payload, reading
from tests.lossy import BIRTH, Rig

if TYPE_CHECKING:
    from hub.wire.events import Event

UID = "e6614103e7452b2f"


def of(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def opened_rig() -> Rig:
    rig = Rig(fault=0)
    rig.run(1000)
    assert rig.hub.open
    return rig


def test_a_session_opens_with_the_birth() -> None:
    rig = opened_rig()
    (opened,) = of(rig.events, Opened)
    assert isinstance(opened, Opened)
    assert (opened.uid, opened.reset_cause, opened.birth.name) == (UID, "power", "bench")


def test_readings_come_with_values_times_and_a_bound() -> None:
    rig = opened_rig()
    rig.take(2150)
    taken_ms = rig.now_ms
    rig.run(50)
    (taken,) = rig.taken()
    assert taken.values == (0, 21.5)
    assert abs(taken.monotonic_ms - taken_ms) <= taken.bound_ms < 10
    assert not taken.mapped_back


def test_a_known_birth_is_not_asked_for_again() -> None:
    rig = opened_rig()
    rig.replug()
    rig.run(20)
    sent: list[bytes] = []
    for _ in range(500):
        rig.now_ms += 2
        rig.board.feed(rig.down.read(rig.now_ms), rig.now_ms)
        frame = rig.board.next_frame(rig.now_ms)
        if frame:
            sent.append(frame)
            rig.up.write(frame, rig.now_ms)
        rig.hub.feed(rig.up.read(rig.now_ms), rig.now_ms)
        rig.hub.tick(rig.now_ms)
        rig.down.write(rig.hub.data_to_send(), rig.now_ms)
    assert rig.hub.open
    assert not [frame for frame in sent if frame.startswith(b'\x1e["f"')]


def test_a_hub_that_was_killed_gets_again_what_it_had_not_committed_and_no_more() -> None:
    rig = opened_rig()
    rig.run(2000, every_ms=20)
    rig.commits = False
    rig.run(1000, every_ms=20)
    before = max(rig.committed.values())
    rig.kill_hub()
    rig.events.clear()
    rig.commits = True
    rig.run(8000, every_ms=20)
    rig.run(2000)
    assert rig.seqs() == list(range(before + 1, rig.outbox.next_seq))
    assert rig.stored[rig.board.boot_id] == list(range(rig.outbox.next_seq))


def test_a_pulled_cable_loses_and_doubles_nothing() -> None:
    rig = opened_rig()
    for _ in range(3):
        rig.run(2000, every_ms=20)
        rig.hub.close("unplugged")
        rig.plugged = False
        rig.run(4000, every_ms=20)
        rig.plugged = True
        rig.collect()
        rig.replug()
    rig.run(10_000)
    assert rig.seqs() == list(range(rig.outbox.next_seq))


def test_an_outbox_that_ran_over_is_told_as_lost_and_the_rest_arrives() -> None:
    rig = Rig(fault=0, outbox_bytes=2048)
    rig.run(1000)
    rig.take()
    rig.run(500)
    rig.plugged = False
    rig.hub.close("unplugged")
    rig.run(10_000, every_ms=50)
    rig.plugged = True
    rig.collect()
    rig.replug()
    rig.run(5000)
    lost = sum(event.count for event in rig.events if isinstance(event, Lost))
    assert lost == rig.outbox.dropped > 0
    assert rig.seqs() == [0, *range(1 + lost, rig.outbox.next_seq)]
    assert rig.hub.figures()["gaps"] == lost


def test_readings_from_before_the_hub_came_are_mapped_back() -> None:
    rig = Rig(fault=0)
    rig.plugged = False
    rig.run(20_000, every_ms=1000)
    rig.plugged = True
    rig.run(2000)
    first = rig.taken()[0]
    assert first.mapped_back
    assert abs(first.monotonic_ms - 1000) < first.bound_ms


def test_a_board_that_restarts_closes_and_opens_and_its_commands_do_not_run_again() -> None:
    rig = opened_rig()
    rig.answers = False
    rig.hub.send("once", "led", {}, 60_000, rig.now_ms)
    rig.run(300)
    rig.boot()
    rig.run(3000)
    (unanswered,) = of(rig.events, Unanswered)
    assert isinstance(unanswered, Unanswered)
    assert (unanswered.command_id, unanswered.expired) == ("once", False)
    assert rig.ran == ["once"]
    assert len(of(rig.events, Closed)) == 1
    assert len(of(rig.events, Opened)) == 2
    assert rig.hub.figures()["resets"] == 1


def test_a_board_that_falls_silent_is_gone_after_five_seconds() -> None:
    rig = opened_rig()
    rig.plugged = False
    rig.run(6000)
    (closed,) = of(rig.events, Closed)
    assert isinstance(closed, Closed)
    assert closed.reason == "silent for 5 s"


def test_a_command_without_an_answer_expires() -> None:
    rig = opened_rig()
    rig.answers = False
    rig.hub.send("c", "led", {}, 1000, rig.now_ms)
    rig.run(1500)
    (unanswered,) = of(rig.events, Unanswered)
    assert isinstance(unanswered, Unanswered)
    assert unanswered.expired


def test_commands_beyond_the_queue_are_refused() -> None:
    rig = opened_rig()
    for number in range(64):
        rig.hub.send(f"c{number}", "led", {}, 1000, rig.now_ms)
    with pytest.raises(TooMany, match="64 commands"):
        rig.hub.send("c64", "led", {}, 1000, rig.now_ms)


def test_a_lost_ack_is_repeated() -> None:
    rig = opened_rig()
    rig.take()
    rig.run(50)
    rig.commits = False
    rig.hub.ack(rig.board.boot_id, 0)
    rig.hub.data_to_send()  # and is lost
    rig.run(2000)
    assert rig.outbox.first_seq == 1


def test_changed_intervals_reach_the_hub_within_the_session() -> None:
    rig = opened_rig()
    rig.take()
    slower = BIRTH.replace('"interval_ms":100', '"interval_ms":500')
    rig.board.set_birth(lambda: [slower])
    rig.run(2000, every_ms=100)
    rig.run(100)
    opened = [event for event in rig.events if isinstance(event, Opened)]
    assert [event.birth.groups[0].interval_ms for event in opened] == [100, 500]
    assert [event.restarted for event in opened] == [True, False]
    assert not of(rig.events, Closed)
    assert rig.seqs() == list(range(rig.outbox.next_seq))


# --- untrusted boards ---------------------------------------------------------------------------------


class Bare:
    """A hub's session with a test at the other end of the line."""

    def __init__(self, refusal: str | None = None) -> None:
        self.now_ms = 1000.0
        self.hub = HubSession(Known(), lambda uid, boot: -1, lambda uid: refusal, self.now_ms)
        self._reader = Decoder()

    def tell(self, *messages: list[object] | str) -> list[Event]:
        for message in messages:
            text = message if isinstance(message, str) else dumps(message)
            self.hub.feed(encode(text.encode()), self.now_ms)
        return self.hub.events()

    def heard(self) -> list[bytes]:
        return self._reader.feed(self.hub.data_to_send())

    def open(self, birth: str, boot_id: str = "00000001") -> list[Event]:
        schema = f"{crc(birth):08x}"
        events = self.tell(hello(UID, boot_id, schema, 0, 5, "power"))
        for part in fragments(birth):
            events += self.tell(part)
        return events + self.tell(keepalive(0, 0, 0, 0))


def test_a_doubled_identity_is_refused_aloud_and_gets_no_welcome() -> None:
    bare = Bare(refusal="it is online on /dev/ttyACM0")
    events = bare.open(BIRTH)
    (trouble,) = of(events, Trouble)
    assert isinstance(trouble, Trouble)
    assert "is refused: it is online on /dev/ttyACM0" in trouble.text
    assert bare.heard() == []


def test_a_birth_that_breaks_a_limit_is_refused_once_and_the_link_lives() -> None:
    bare = Bare()
    bad = dumps(["birth", {"name": "x" * 100}])
    events = bare.open(bad)
    events += bare.open(bad)
    assert next(event.text for event in events if isinstance(event, Trouble)).startswith(
        f"board {UID} is refused: its birth breaks the protocol: birth.name: must be"
    )
    assert not of(events, Opened)
    assert of(bare.open(BIRTH), Opened)


def test_another_version_of_the_protocol_is_refused_by_name() -> None:
    message = hello(UID, "00000001", "00000000", 0, 5, "power")
    message[1] = 2
    (trouble,) = of(Bare().tell(message), Trouble)
    assert isinstance(trouble, Trouble)
    assert "it speaks version 2 of the protocol, the hub version 1" in trouble.text


def test_metrics_that_change_within_a_boot_are_refused() -> None:
    bare = Bare()
    bare.open(BIRTH)
    events = bare.open(BIRTH.replace('"decimals":2', '"decimals":3'))
    assert [e.reason for e in events if isinstance(e, Closed)] == [
        "refused: its metrics changed without a restart"
    ]


def test_metrics_may_change_with_a_restart() -> None:
    bare = Bare()
    bare.open(BIRTH)
    changed = BIRTH.replace('"decimals":2', '"decimals":3')
    bare.open(changed)
    assert of(bare.open(changed, boot_id="00000002"), Opened)


def test_a_reading_that_makes_no_sense_is_counted_and_the_next_goes_on() -> None:
    bare = Bare()
    bare.open(BIRTH)
    events = bare.tell(
        reading(0, 5, 9, [1]), reading(1, 5, 0, [1]), reading(2, 5, 0, [1, "x"]), reading(3, 5, 0, [1, 2])
    )
    assert [event.seq for event in events if isinstance(event, Taken)] == [3]
    assert bare.hub.figures()["bad_messages"] == 3


def test_a_board_that_floods_is_cut_to_200_frames_a_second_and_counted() -> None:
    bare = Bare()
    bare.open(BIRTH)
    for _ in range(100):
        bare.now_ms += 10
        for _ in range(50):
            bare.tell(keepalive(0, 0, 0, 0))
    figures = bare.hub.figures()
    assert 5000 - 650 <= figures["flood_drops"] <= 5000 - 550


def test_naks_stay_bounded_when_a_board_claims_a_huge_gap() -> None:
    bare = Bare()
    bare.open(BIRTH)
    bare.heard()
    bare.tell(keepalive(1 << 50, 0, 1 << 50, 0), payload(reading(1 << 49, 5, 0, [1, 2])).decode())
    bare.hub.tick(bare.now_ms)
    assert len(bare.heard()) < 20


def test_readings_before_a_welcome_do_not_count() -> None:
    assert Bare().tell(reading(0, 5, 0, [1, 2])) == []


def test_what_the_board_prints_arrives_in_lines_without_control_characters() -> None:
    bare = Bare()
    bare.hub.feed(b'\x1b[1mTraceback\r\n  File "main.py"\r\n>>> ', 1000)
    bare.hub.tick(1600)
    texts = [event.text for event in bare.hub.events() if isinstance(event, Printed)]
    assert texts == ["[1mTraceback", '  File "main.py"', ">>>"]


def test_a_board_that_prints_without_end_is_cut_and_counted() -> None:
    bare = Bare()
    bare.hub.feed(b"spam\n" * 1000, 1000)
    assert len(of(bare.hub.events(), Printed)) == 200
    assert bare.hub.figures()["log_dropped"] == 800


def test_an_answer_nobody_waits_for_is_left_out() -> None:
    bare = Bare()
    bare.open(BIRTH)
    assert of(bare.tell(["r", "unknown", 1, None]), Answered) == []


def test_good_readings_survive_among_twenty_thousand_spoilt_frames() -> None:
    bare = Bare()
    bare.hub = HubSession(Known(), lambda uid, boot: -1, lambda uid: None, 1000, frames_per_s=10**9)
    bare.open(BIRTH)
    chance = random.Random(5)
    taken: list[int] = []
    for seq in range(2000):
        good = encode(payload(reading(seq, seq, 0, [seq, 1])))
        spoilt = b""
        for _ in range(10):
            bad = bytearray(good)
            for _ in range(chance.randrange(1, 6)):
                bad[chance.randrange(len(bad))] = chance.randrange(256)
            spoilt += bytes(bad[: chance.randrange(1, len(bad) + 1)])
        bare.hub.feed(spoilt + b"\n" + good, 1000 + seq)
        taken += [event.seq for event in bare.hub.events() if isinstance(event, Taken)]
    assert taken == list(range(2000))


def test_a_command_longer_than_a_board_takes_is_refused_with_its_length() -> None:
    calls = Calls()
    with pytest.raises(TooMany, match=r"4[0-9]{3} bytes long; a board takes at most 4096"):
        calls.add("5d1f", "configure", {"configuration": {"name": "x" * 4100}}, 5000, 0)
    assert len(calls) == 0
