"""docs/security.md: each of the thirteen provisions names a test, and each test that is named is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text()


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", TEXT)
    assert len(named) >= 13
    missing = [
        f"{path}::{name}"
        for path, name in named
        if re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE) is None
    ]
    assert missing == []


def test_the_thirteen_provisions_are_there_in_order_and_each_names_a_test() -> None:
    rows = re.findall(r"^\| (5\.\d+) .*$", TEXT, re.MULTILINE)
    assert rows == [f"5.{number}" for number in range(1, 14)]
    for line in TEXT.splitlines():
        if line.startswith("| 5."):
            assert "::test_" in line.split("|")[3], line
