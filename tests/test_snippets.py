"""What the documents show and name is so: configuration, Python, a test on a board, routes, counters."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hil import rig
from hub.alerts.rules import from_toml
from hub.config import parse
from hub.model import Role
from tests.vm import needs_vm
from tests.web_hub import DEVICE, web_hub

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
AFTER_MS = 1_793_577_600_000  # 2 November 2026, after the day that the example begins with


def blocks(language: str) -> dict[str, str]:
    """Return the blocks in a language, by file and place in it."""
    found = {}
    for file in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "hil/README.md"]):
        text = file.read_text(encoding="utf-8")
        for place, block in enumerate(
            re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        ):
            found[f"{file.relative_to(ROOT)}:{place}"] = block
    return found


CONFIGURATIONS = blocks("toml")
RIG = CONFIGURATIONS.pop("hil/README.md:0")
RULES = CONFIGURATIONS.pop("docs/alerts.md:0")


@pytest.mark.parametrize("where", CONFIGURATIONS)
def test_a_configuration_that_is_shown_is_taken(where: str) -> None:
    parse(CONFIGURATIONS[where], where)


def test_the_rules_that_are_shown_are_taken() -> None:
    assert [rule.id for rule in from_toml(RULES)] == ["greenhouse-hot"]


def test_the_rig_file_that_is_shown_is_taken(tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text(RIG, encoding="utf-8")
    assert rig.load(tmp_path / "rig.toml").named("bench-1").device == "e6614103e7452b2f"


async def test_the_python_that_asks_for_history_gets_a_table(tmp_path: Path) -> None:
    text = blocks("python")["docs/history.md:0"]
    async with web_hub(tmp_path) as hub:
        hub.clock.now_ms = AFTER_MS
        for shown, here in (
            ("http://greenhouse.local:8080", hub.origin),
            ("device=pico&", f"device={DEVICE}&"),
            ("outpost_…", hub.tokens[Role.VIEWER]),
        ):
            assert shown in text
            text = text.replace(shown, here)
        names: dict[str, Any] = {}
        run: Callable[[str, dict[str, Any]], None] = exec
        await asyncio.to_thread(run, text, names)
        assert names["table"].column_names == ["time", "value", "quality"]


def named(pattern: str) -> set[tuple[str, ...]]:
    """Return what the documents name by a pattern with groups."""
    return {
        found.groups()
        for file in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
        for found in re.finditer(pattern, file.read_text(encoding="utf-8"))
    }


async def test_every_route_that_is_named_is_there(tmp_path: Path) -> None:
    async with web_hub(tmp_path) as hub:
        paths = (await hub.get("/api/v1/openapi.json")).json()["paths"]
    there = {
        (method.upper(), re.sub(r"{\w+}", "{}", path)) for path, known in paths.items() for method in known
    }
    asked = {
        (method, re.sub(r"{\w+}|(?<=/)ID$", "{}", path if path.startswith("/") else f"/api/v1/{path}"))
        for method, path in named(r"`(GET|PUT|POST|PATCH|DELETE) (/?[a-z][\w/.{}-]*)[`?]")
    }
    assert len(asked) > 20
    assert asked <= there


async def test_every_counter_that_is_named_is_there(tmp_path: Path) -> None:
    async with web_hub(tmp_path) as hub:
        text = (await hub.get("/metrics")).body.decode()
    there = set(re.findall(r"^# HELP (\S+)", text, re.MULTILINE))
    asked = {name for (name,) in named(r"`(outpost_[a-z_]+)[`{]")}
    assert len(asked) > 10
    assert asked <= there


@needs_vm
@pytest.mark.e2e
def test_the_test_on_a_board_passes_on_a_virtual_one(tmp_path: Path) -> None:
    (tmp_path / "test_led.py").write_text(blocks("python")["hil/README.md:0"], encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "hil.plugin", "-p", "no:cacheprovider", "test_led.py"]
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        timeout=110,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
