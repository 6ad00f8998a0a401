"""The folder of recordings: all there is stands in the files' names, within bounds of bytes and age."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.camera.recording.recordings import NoRoom, Recordings, UnknownRecording


def folder_with(path: Path, *names: str, size: int = 100) -> Recordings:
    for name in names:
        (path / name).write_bytes(bytes(size))
    return Recordings(path, max_bytes=250, max_age_ms=10_000)


def test_recordings_are_listed_newest_first_and_other_files_are_left_alone(tmp_path: Path) -> None:
    kept = folder_with(tmp_path, "1000_500_command.mp4", "3000_0_alert.mp4", "notes.txt", "2000_0_x.part")
    assert [(item.id, item.length_ms, item.reason) for item in kept.all()] == [
        ("3000", None, "alert"),
        ("1000", 500, "command"),
    ]
    kept.delete("1000")
    with pytest.raises(UnknownRecording):
        kept.delete("1000")
    with pytest.raises(UnknownRecording):
        kept.find("../../etc/passwd")
    assert (tmp_path / "notes.txt").exists()


def test_the_oldest_make_room_by_bytes_and_by_age(tmp_path: Path) -> None:
    kept = folder_with(tmp_path, *(f"{second}000_1_command.mp4" for second in range(1, 9)))
    kept.prune(9_000)
    assert [item.id for item in kept.all()] == ["8000", "7000"]
    kept.prune(17_500)
    assert [item.id for item in kept.all()] == ["8000"]


def test_what_a_killed_hub_left_is_kept_and_what_is_being_written_left_alone(tmp_path: Path) -> None:
    kept = folder_with(tmp_path, "1000_0_command.part")
    growing = kept.begin(2_000, "alert", "too-hot")
    growing.write_bytes(bytes(50))
    kept.recover()
    assert [(item.id, item.length_ms) for item in kept.all()] == [("1000", None)]
    assert [(item.id, item.reason, item.rule) for item in kept.under_way()] == [("2000", "alert", "too-hot")]
    kept.finish(growing, 700)
    assert [(item.id, item.rule) for item in kept.all()] == [("2000", "too-hot"), ("1000", None)]


def test_what_is_being_written_counts_and_makes_room_for_itself(tmp_path: Path) -> None:
    kept = folder_with(tmp_path, *(f"{second}000_1_command.mp4" for second in range(1, 4)))
    growing = kept.begin(4_000, "command")
    for size, left, fits in ((40, ["3000", "2000"], True), (140, ["3000"], True), (251, [], False)):
        growing.write_bytes(bytes(size))
        assert (kept.prune(5_000) == "") is fits
        assert [item.id for item in kept.all()] == left
    assert growing.exists()


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True), st.integers(0, 10**15 - 1))
def test_a_rule_of_any_name_is_read_back_from_the_files_name(rule: str, time_ms: int) -> None:
    with TemporaryDirectory() as folder:
        kept = Recordings(Path(folder), max_bytes=250, max_age_ms=1 << 60)
        path = kept.begin(time_ms, "alert", rule)
        path.touch()
        kept.finish(path, 5)
        assert [(item.time_ms, item.reason, item.rule) for item in kept.all()] == [(time_ms, "alert", rule)]


def test_a_full_disk_is_left_to_the_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.camera.recording.recordings._MIN_FREE_BYTES", 1 << 62)
    with pytest.raises(NoRoom, match="free on the disk"):
        Recordings(tmp_path, max_bytes=1, max_age_ms=1).begin(1_000, "command")


def test_a_disk_that_fills_ends_what_is_being_written_and_costs_no_other_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = folder_with(tmp_path, "1000_1_command.mp4")
    kept.begin(2_000, "command").touch()
    assert kept.prune(3_000) == ""
    monkeypatch.setattr("hub.camera.recording.recordings._MIN_FREE_BYTES", 1 << 62)
    assert "free on the disk" in kept.prune(3_000)
    assert [item.id for item in kept.all()] == ["1000"]
