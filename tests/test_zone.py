"""The hub's time zone, from what machines say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.web.api.zone import time_zone

if TYPE_CHECKING:
    from pathlib import Path


def test_the_zone_is_what_localtime_points_to(tmp_path: Path) -> None:
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    (tmp_path / "timezone").write_text("Asia/Tokyo\n")
    assert time_zone(tmp_path, "") == "Europe/Berlin"


def test_where_localtime_is_a_copy_debians_file_says(tmp_path: Path) -> None:
    (tmp_path / "localtime").write_bytes(b"TZif2")
    (tmp_path / "timezone").write_text("Asia/Tokyo\n")
    assert time_zone(tmp_path, "") == "Asia/Tokyo"


def test_the_environment_goes_first(tmp_path: Path) -> None:
    (tmp_path / "timezone").write_text("Asia/Tokyo\n")
    assert time_zone(tmp_path, ":America/New_York") == "America/New_York"


@pytest.mark.parametrize("said", ["", "no/where", "../../etc/passwd", "\0", "/etc/passwd", "a" * 5000])
def test_what_is_no_zone_is_utc(tmp_path: Path, said: str) -> None:
    assert time_zone(tmp_path, said) == "UTC"


def test_a_file_that_is_no_text_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "timezone").write_bytes(b"\xff\xfe")
    assert time_zone(tmp_path, "") == "UTC"
