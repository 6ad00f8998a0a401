"""A board's change on trial, with the power cut at every step: the same file that runs on the board."""

from __future__ import annotations

import contextlib
import json
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.soak import times

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = Path(__file__).parent.parent / "firmware" / "trial.py"
TRIAL = compile(SOURCE.read_text(), str(SOURCE), "exec")
FORMER = {"/node.py": "former node", "/old_driver.py": "former driver", "/board.json": "{}"}
CHANGED = {"/node.py": "new node", "/new_driver.py": "new driver"}
AFTER = {"/node.py": "new node", "/new_driver.py": "new driver", "/board.json": "{}"}
GONE = ["/old_driver.py"]


class Cut(BaseException):
    """The power is gone."""


class Power:
    """A board's file system whose power fails before its step number `cut_at`; a write is left half done."""

    def __init__(self, root: Path, cut_at: int = 10**9) -> None:
        self.root = root
        self.left = cut_at
        self.steps = 0
        self.stat = os.stat

    def step(self) -> None:
        self.steps += 1
        if self.left == 0:
            raise Cut
        self.left -= 1

    def rename(self, path: str, to: str) -> None:
        self.step()
        Path(path).replace(to)

    def remove(self, path: str) -> None:
        if not Path(path).exists():
            raise FileNotFoundError(path)
        self.step()
        Path(path).unlink()

    def open(self, path: str, mode: str = "r") -> Any:
        if mode == "r":
            return Path(path).open()
        try:
            self.step()
        except Cut:
            Path(path).write_text('{"phase": "for')
            raise
        return Path(path).open(mode)

    def boot(self) -> Any:
        """Load trial.py as a fresh interpreter does, on this file system."""
        scope: dict[str, Any] = {"__name__": "trial"}
        exec(TRIAL, scope)
        scope["os"] = self
        scope["open"] = self.open
        return scope["Trial"](str(self.root))


def fresh(root: Path, stage: bool = True) -> Path:
    root.mkdir(parents=True)
    for path, text in FORMER.items():
        (root / path[1:]).write_text(text)
    if stage:
        for path, text in CHANGED.items():
            (root / (path[1:] + ".new")).write_text(text)
    return root


def standing(root: Path) -> dict[str, str]:
    """The files in their places, without what waits or is kept."""
    extra = (".new", ".old", ".bad")
    return {
        f"/{file.name}": file.read_text()
        for file in root.iterdir()
        if file.suffix not in extra and file.name != "trial.json"
    }


def booted(root: Path) -> Any:
    """Boot until nothing moves any more, as main.py does; return what is on trial."""
    for _ in range(4):
        trial = Power(root).boot()
        if not trial.begin():
            return trial
    raise AssertionError("each boot moves files")


def open_firmware(power: Power) -> None:
    power.boot().open("firmware", list(CHANGED), GONE, deadline_s=60, label="5d1f")


def test_a_change_stands_once_it_is_opened_and_holds_once_it_is_confirmed(tmp_path: Path) -> None:
    root = fresh(tmp_path / "board")
    open_firmware(Power(root))
    assert standing(root) == AFTER
    trial = booted(root)
    assert (trial.kind, trial.deadline_s, trial.label) == ("firmware", 60, "5d1f")
    trial.confirm()
    for _ in range(5):
        assert booted(root).kind == ""
    assert standing(root) == AFTER
    assert (root / "node.py.old").read_text() == "former node"


def test_after_three_boots_without_confirmation_the_former_files_are_back_and_it_says_why(
    tmp_path: Path,
) -> None:
    root = fresh(tmp_path / "board")
    open_firmware(Power(root))
    for number in range(3):
        trial = booted(root)
        assert trial.kind == "firmware", number
        trial.failed("ZeroDivisionError('divide by zero')")
    trial = booted(root)
    assert (trial.kind, standing(root)) == ("", FORMER)
    why = "ZeroDivisionError('divide by zero')"
    assert trial.notice == {"kind": "firmware", "why": why, "label": "5d1f"}


def test_a_failed_file_is_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    root = fresh(tmp_path / "board", stage=False)
    (root / "board.json.new").write_text('{"bad": 1}')
    Power(root).boot().open("settings", ["/board.json"], keep_failed=True)
    booted(root).back("sensors[0]: no such pin")
    assert booted(root).notice == {"kind": "settings", "why": "sensors[0]: no such pin", "label": ""}
    assert (root / "board.json.bad").read_text() == '{"bad": 1}'
    assert standing(root) == FORMER


def test_a_board_without_a_former_file_is_bare_again(tmp_path: Path) -> None:
    root = tmp_path / "board"
    root.mkdir()
    (root / "board.json.new").write_text('{"bad": 1}')
    Power(root).boot().open("settings", ["/board.json"], keep_failed=True)
    booted(root).back("why")
    assert standing(root) == {}


def test_a_second_change_waits_for_the_first(tmp_path: Path) -> None:
    root = fresh(tmp_path / "board")
    open_firmware(Power(root))
    with pytest.raises(ValueError, match="firmware is on trial"):
        booted(root).open("settings", ["/board.json"])


@pytest.mark.parametrize("content", ["", "{", "[]", "7", '{"phase": "forth"}', '{"phase":"back","files":3}'])
def test_a_damaged_state_is_no_state(tmp_path: Path, content: str) -> None:
    root = fresh(tmp_path / "board", stage=False)
    (root / "trial.json").write_text(content)
    assert booted(root).kind == ""
    assert standing(root) == FORMER


def test_crashes_with_nothing_on_trial_are_counted_and_stop_writing(tmp_path: Path) -> None:
    root = fresh(tmp_path / "board", stage=False)
    written = []
    for _ in range(6):
        power = Power(root)
        trial = power.boot()
        assert not trial.begin()
        trial.failed("OSError(5,)")
        written.append(power.steps)
    assert written == [2, 2, 2, 0, 0, 0]  # a file and its rename, three times
    trial = booted(root)
    assert (trial.crashes, trial.why) == (3, "OSError(5,)")
    trial.well()
    assert booted(root).crashes == 0
    assert not (root / "trial.json").exists()


def steps_of(tmp_path: Path, act: Callable[[Power], None], prepare: Callable[[Path], object]) -> int:
    """How many steps an act has."""
    root = tmp_path / "counted"
    prepare(root)
    power = Power(root)
    act(power)
    return power.steps


def test_power_cut_at_any_step_of_a_change_leaves_the_former_files_or_the_new_ones(tmp_path: Path) -> None:
    steps = steps_of(tmp_path, open_firmware, fresh)
    assert steps > 5
    for cut_at in range(steps):
        root = fresh(tmp_path / str(cut_at))
        with pytest.raises(Cut):
            open_firmware(Power(root, cut_at))
        trial = booted(root)
        if trial.kind:
            assert standing(root) == AFTER, cut_at
            for _ in range(3):
                trial = booted(root)
        assert standing(root) == FORMER, cut_at
        assert trial.kind == "", cut_at


def on_last_boot(root: Path) -> None:
    """A change that had its three boots."""
    fresh(root)
    open_firmware(Power(root))
    for _ in range(3):
        booted(root)


def test_power_cut_at_any_step_of_the_way_back_ends_with_the_former_files(tmp_path: Path) -> None:
    steps = steps_of(tmp_path, lambda power: power.boot().begin(), on_last_boot)
    assert steps > 5
    for cut_at in range(steps):
        root = tmp_path / str(cut_at)
        on_last_boot(root)
        with pytest.raises(Cut):
            Power(root, cut_at).boot().begin()
        assert booted(root).kind == ""
        assert standing(root) == FORMER, cut_at


def test_power_cut_again_and_again_never_mixes_the_files(tmp_path: Path) -> None:
    chance = random.Random(3)
    for number in range(times(150, 5000)):
        root = fresh(tmp_path / str(number))
        power = Power(root, chance.randrange(14))
        with contextlib.suppress(Cut):
            open_firmware(power)
        for _ in range(12):
            try:
                trial = Power(root, chance.randrange(9)).boot()
                if not trial.begin():
                    # main.py goes on to the node here: what it finds must be of one kind.
                    assert standing(root) in (FORMER, AFTER), number
            except Cut:
                continue
        for _ in range(5):
            booted(root)
        assert standing(root) == FORMER, number


def test_power_cut_at_any_step_of_an_exchange_leaves_a_board_that_ends_it(tmp_path: Path) -> None:
    def exchange(power: Power) -> None:
        power.boot().exchange(list(CHANGED))

    steps = steps_of(tmp_path, exchange, fresh)
    whole = {**FORMER, **CHANGED}
    for cut_at in range(steps):
        root = fresh(tmp_path / str(cut_at))
        with pytest.raises(Cut):
            exchange(Power(root, cut_at))
        assert booted(root).kind == ""
        assert standing(root) in (FORMER, whole), cut_at
        assert json.loads((root / "board.json").read_text()) == {}
