"""The queue before the writer: bounded, and exactly once for boards that go back to what was not acked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.model import Reading
from hub.store.writing.intake import Acked, Intake, Verdict


def board(seq: int, boot: str = "b") -> Reading:
    return Reading(
        device="pico", metrics=("m",), values=(seq,), source_time_ms=0, hub_time_ms=0, boot_id=boot, seq=seq
    )


def node(value: int) -> Reading:
    return Reading(device="node", metrics=("m",), values=(value,), source_time_ms=value, hub_time_ms=0)


def values(intake: Intake) -> list[object]:
    return [reading.values[0] for reading in intake.take(1000).readings]


def test_a_batch_is_the_same_until_it_is_done() -> None:
    intake = Intake(10, {})
    intake.offer(board(0))
    first = intake.take(10)
    intake.offer(board(1))
    assert intake.take(10) is first
    assert intake.done() == [Acked("pico", "b", 0)]
    assert values(intake) == [1]


def test_nothing_taken_means_nothing_under_way() -> None:
    intake = Intake(10, {})
    intake.take(10)
    assert intake.idle


def test_a_reading_that_waits_and_comes_again_is_taken_once() -> None:
    intake = Intake(10, {})
    assert [intake.offer(board(0)), intake.offer(board(0))] == [Verdict.TAKEN, Verdict.PENDING_AGAIN]
    assert values(intake) == [0]


def test_who_found_no_room_is_asked_again_when_half_is_free_and_until_it_comes() -> None:
    intake = Intake(2, {("pico", "b"): 4})
    taken = [intake.offer(board(seq)) for seq in (5, 6, 7, 8)]
    assert taken == [Verdict.TAKEN, Verdict.TAKEN, Verdict.FULL, Verdict.FULL]
    assert intake.wanted_again() == []
    intake.take(10)
    intake.done()
    for _ in range(2):
        assert intake.wanted_again() == [Acked("pico", "b", 6, again=True)]
    assert intake.offer(board(7)) is Verdict.TAKEN
    assert intake.wanted_again() == []


def test_what_was_committed_before_the_start_is_known() -> None:
    assert Intake(10, {("pico", "b"): 7}).offer(board(7)) is Verdict.COMMITTED_AGAIN


def test_a_full_queue_drops_the_oldest_of_those_that_wait_for_no_ack_first() -> None:
    intake = Intake(3, {})
    for reading in (node(1), node(2), board(0)):
        intake.offer(reading)
    assert intake.offer(board(1)) is Verdict.TAKEN
    assert intake.lost == 1
    assert values(intake) == [0, 1, 2]


def test_a_queue_full_of_boards_readings_refuses_boards_without_loss() -> None:
    intake = Intake(1, {})
    intake.offer(board(0))
    assert intake.offer(board(1)) is Verdict.FULL
    assert intake.lost == 0


def test_a_queue_full_of_boards_readings_loses_and_counts_others() -> None:
    intake = Intake(1, {})
    intake.offer(board(0))
    assert intake.offer(node(1)) is Verdict.FULL
    assert intake.lost == 1


def test_after_a_refusal_no_later_reading_is_taken_until_the_board_goes_back() -> None:
    intake = Intake(1, {})
    intake.offer(board(0))
    intake.offer(board(1))
    intake.take(10)
    intake.done()
    assert intake.offer(board(2)) is Verdict.FULL  # an ack of 2 would cover 1, which is not here
    assert intake.offer(board(1)) is Verdict.TAKEN


def test_notes_under_one_key_are_written_once_and_last() -> None:
    intake = Intake(1, {})
    intake.note("a", [("1", ())])
    intake.note("b", [("2", ())])
    intake.note("a", [("3", ())])
    assert intake.take(1).notes == [("2", ()), ("3", ())]


class Outbox:
    """A board that keeps each reading until it is acked, before an intake whose disk may fail."""

    def __init__(self, limit: int, room: int) -> None:
        self.intake = Intake(limit, {})
        self.room = room
        self.waiting: list[int] = []
        self.stored: list[int] = []
        self.lost: set[int] = set()
        self.made = 0

    def sample(self) -> None:
        self.waiting.append(self.made)
        self.intake.offer(board(self.made))
        self.made += 1

    def go_back(self) -> None:
        for seq in self.waiting:
            self.intake.offer(board(seq))

    def commit(self) -> None:
        readings = self.intake.take(self.room).readings
        self.stored += [reading.seq for reading in readings if reading.seq is not None]
        for acked in self.intake.done():
            self.waiting = [seq for seq in self.waiting if seq > acked.seq]

    def fail(self) -> None:
        self.intake.take(self.room)

    def lose_oldest(self) -> None:
        self.lost.update(self.waiting[:1])
        del self.waiting[:1]

    def noise(self) -> None:
        self.intake.offer(node(0))


Step = st.sampled_from(["sample", "go_back", "commit", "fail", "lose_oldest", "noise"])


@given(limit=st.integers(1, 6), room=st.integers(1, 4), steps=st.lists(Step, max_size=80))
def test_each_reading_of_a_board_is_stored_once_whatever_fails(
    limit: int, room: int, steps: list[str]
) -> None:
    pico = Outbox(limit, room)
    for step in steps:
        getattr(pico, step)()
        assert pico.intake.samples <= limit
    for _ in range(2 * pico.made + 2):
        pico.go_back()
        pico.commit()
    assert pico.stored == sorted(set(pico.stored)), "twice, or out of order"
    assert set(range(pico.made)) - set(pico.stored) <= pico.lost
    assert pico.waiting == []
