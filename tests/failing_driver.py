"""A board with little patience, and drivers that stop it although its configuration is as its schema says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DRIVER = """\
REQUIRED = ()
def options():
    return {{"driver": {{"type": "string"}}}}
class Bad:
    metrics = [{{"name": "bad"}}]
    def begin(self):
        return 0
    def read(self):
        {deed}
def make(data, hardware):
    return Bad()
"""
# What stops a board although its configuration is as its schema says.
DEEDS = {
    "crashing": "raise MemoryError('no room for a sample')",
    "hanging": "while True: pass",
}


def hurry(flash: Path, name: str, before: str, after: str) -> None:
    """Let a board under test wait less than one in the field."""
    text = (flash / name).read_text()
    assert before in text
    (flash / name).write_text(text.replace(before, after))
