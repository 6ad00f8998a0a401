from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.virtual.flash import BLOCK_BYTES, Flash, ReadOnly


def flash(tmp_path: Path, blocks: int = 10) -> Flash:
    rom = tmp_path / "rom"
    rom.mkdir(exist_ok=True)
    (rom / "machine.py").write_text("")
    return Flash(tmp_path / "flash", (rom,), blocks * BLOCK_BYTES)


@given(path=st.text(st.sampled_from("./ab\\~"), max_size=12))
def test_no_path_leaves_the_board(path: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.getbasetemp() / "board"
    found, rom = Flash(root, (root / "rom",)).resolve(path)
    assert not rom
    assert found.resolve().is_relative_to(root.resolve())


def test_the_rom_is_read_only(tmp_path: Path) -> None:
    with pytest.raises(ReadOnly):
        flash(tmp_path).for_change("/rom/machine.py")


def test_the_rom_is_reached_by_no_detour(tmp_path: Path) -> None:
    with pytest.raises(ReadOnly):
        flash(tmp_path).for_change("lib/../rom/machine.py")


def test_a_write_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    board = flash(tmp_path, blocks=3)
    (tmp_path / "flash" / "a").write_bytes(b"x" * BLOCK_BYTES)  # two blocks: data and entry
    assert board.take(BLOCK_BYTES)
    assert not board.take(BLOCK_BYTES + 1)


def test_what_is_deleted_is_free_again(tmp_path: Path) -> None:
    board = flash(tmp_path, blocks=3)
    (tmp_path / "flash" / "a").write_bytes(b"x" * 2 * BLOCK_BYTES)
    assert not board.take(1)
    board.for_change("a").unlink()
    assert board.take(1)


def test_writes_and_erasures_are_counted(tmp_path: Path) -> None:
    board = flash(tmp_path)
    board.take(100)
    board.take(BLOCK_BYTES + 1)
    assert (board.written_bytes, board.erased_blocks) == (BLOCK_BYTES + 101, 3)
