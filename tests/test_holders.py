"""Which programs have a device open."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from hub.links.holders import holders

if TYPE_CHECKING:
    from pathlib import Path


def test_another_program_that_has_the_device_is_named_with_its_id(tmp_path: Path) -> None:
    device = tmp_path / "tty"
    device.touch()
    (tmp_path / "by-id").symlink_to(device)
    script = f"import sys\nfile = open({str(device)!r})\nprint('open', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        (found,) = holders(str(tmp_path / "by-id"))
        other.communicate()
    assert str(other.pid) in found
    assert "python" in found


def test_our_own_hold_does_not_count(tmp_path: Path) -> None:
    with (tmp_path / "tty").open("w") as file:
        assert os.fstat(file.fileno())
        assert holders(str(tmp_path / "tty")) == []


def test_processes_that_go_or_hide_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "123").mkdir()
    (tmp_path / "456" / "fd").mkdir(parents=True)
    (tmp_path / "456" / "fd" / "0").symlink_to("/dev/some")
    assert holders("/dev/some", tmp_path) == ["a program (pid 456)"]
