"""What is to be done on a board: the files of the firmware, what the board lacks, and whether it has room."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.flash import plan, scripts
from hub.flash.image import (
    CONFIGURATION_BYTES,
    WIRE,
    BadConfiguration,
    BoardFile,
    configuration,
    firmware,
    firmware_folder,
)
from hub.flash.plan import Board, NoRoom, WrongChip
from tests.vm import ROOT

if TYPE_CHECKING:
    from pathlib import Path

A = BoardFile("/a.py", b"a = 1\n")
B = BoardFile("/drivers/b.py", b"b = 2\n" * 1000)
OLD = BoardFile("/a.py", b"a = 0\n")


def board(**more: object) -> Board:
    fields = {
        "implementation": "micropython",
        "version": (1, 27, 0),
        "platform": "rp2",
        "machine": "Raspberry Pi Pico with RP2040",
        "block_bytes": 4096,
        "free_blocks": 200,
    }
    return Board(**{**fields, **more})  # type: ignore[arg-type] # a test's board


# --- the image ------------------------------------------------------------------------------------------


def test_the_firmware_is_found_in_the_checkout() -> None:
    assert firmware_folder() == ROOT / "firmware"


def test_main_comes_last_so_that_nothing_starts_before_all_is_there() -> None:
    assert firmware()[-1].path == "/main.py"


def test_every_source_of_the_firmware_is_in_the_image() -> None:
    paths = {file.path for file in firmware()}
    assert {
        f"/{file.relative_to(ROOT / 'firmware').as_posix()}" for file in (ROOT / "firmware").rglob("*.py")
    } <= paths


def test_the_wire_in_the_image_lacks_nothing_that_it_imports() -> None:
    for name in WIRE:
        tree = ast.parse((ROOT / "hub/wire" / name).read_text())
        wanted = {
            f"{node.module}.py"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.level == 1
        }
        assert wanted <= set(WIRE)


def test_a_configuration_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text('{"name": "Shed"}')
    assert configuration(tmp_path / "b.json") == BoardFile("/board.json", b'{"name": "Shed"}')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not valid JSON"),
        ("[]", "JSON object"),
        ('{"a": "' + "x" * CONFIGURATION_BYTES + '"}', "at most"),
        ("[" * 9000, "not valid JSON"),
    ],
)
def test_a_configuration_that_no_board_can_read_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(BadConfiguration, match=words):
        configuration(tmp_path / "b.json")


def test_a_configuration_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"nothing\.json"):
        configuration(tmp_path / "nothing.json")


# --- the plan -------------------------------------------------------------------------------------------


def test_a_bare_board_gets_everything() -> None:
    todo = plan.make([A, B], board(), {})
    assert (todo.copy, todo.exchange, todo.same) == ((A, B), (A, B), 0)


def test_what_is_there_already_is_not_copied() -> None:
    todo = plan.make([A, B], board(), {A.path: (A.sha256, None), B.path: (OLD.sha256, None)})
    assert (todo.copy, todo.exchange, todo.same) == ((B,), (B,), 1)


def test_what_a_cut_run_left_whole_is_not_copied_again_but_takes_its_place() -> None:
    todo = plan.make([A, B], board(), {A.path: (OLD.sha256, A.sha256), B.path: (None, OLD.sha256)})
    assert (todo.copy, todo.exchange) == ((B,), (A, B))


def test_a_full_flash_is_refused_before_anything_is_written() -> None:
    with pytest.raises(NoRoom, match="kB free"):
        plan.make([A, B], board(free_blocks=2), {})


def test_a_board_that_has_everything_needs_no_room() -> None:
    assert plan.make([A], board(free_blocks=0), {A.path: (A.sha256, None)}).copy == ()


@pytest.mark.parametrize("platform", ["rp2", "esp32"])
def test_the_chips_that_the_firmware_is_for_are_taken(platform: str) -> None:
    plan.check(board(platform=platform))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"implementation": "circuitpython"}, "circuitpython"),
        ({"platform": "esp8266", "machine": "ESP module with ESP8266"}, "ESP8266"),
        ({"version": (1, 19, 1)}, "1.19.1"),
    ],
)
def test_a_board_that_the_firmware_does_not_run_on_is_refused(fields: dict[str, object], words: str) -> None:
    with pytest.raises(WrongChip, match=words):
        plan.check(board(**fields))


# --- what boards answer ---------------------------------------------------------------------------------


def test_a_boards_answer_is_read() -> None:
    printed = "micropython\n1 27 0\nrp2\nRaspberry Pi Pico W with RP2040\n4096 212\n"
    assert scripts.identified(printed) == board(machine="Raspberry Pi Pico W with RP2040", free_blocks=212)


def test_hashes_are_read_with_what_is_missing() -> None:
    assert scripts.seen("ab - /a.py\n- cd /my file.py\n") == {
        "/a.py": ("ab", None),
        "/my file.py": (None, "cd"),
    }


@given(st.text())
def test_an_answer_that_makes_no_sense_is_an_error_of_ours(printed: str) -> None:
    for read in (scripts.identified, scripts.seen):
        try:
            read(printed)
        except scripts.Unreadable as error:
            assert "no sense" in str(error)


def test_folders_are_made_from_the_outside_in() -> None:
    script = scripts.folders([BoardFile("/a/b/c.py", b""), BoardFile("/a.py", b"")])
    assert "['/a', '/a/b']" in script


@pytest.mark.parametrize(
    "script",
    [scripts.IDENTIFY, scripts.look([A]), scripts.folders([B]), scripts.exchange([A]), scripts.forget([A])],
)
def test_every_script_is_python(script: str) -> None:
    ast.parse(script)
