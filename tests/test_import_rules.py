"""The import rules: they hold, each can fail, the wire imports what boards have, nobody imports a test."""

from __future__ import annotations

import ast
import configparser
import shutil
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent
LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"

# Modules that MicroPython builds in (docs.micropython.org/en/latest/library) and CPython has too.
ON_EVERY_BOARD = {"array", "binascii", "collections", "errno", "io", "json", "math", "struct", "sys", "time"}

# For each contract: a file of the hub, and an import in it that breaks this contract.
BREAKS = {
    "layers": ("hub/bus.py", "import hub.commands"),
    "web-links": ("hub/web/__init__.py", "import hub.links.link"),
    "hub-hil": ("hub/devices.py", "import hil"),
    "wire": ("hub/ingest.py", "import hub.wire.frame"),
    "serial": ("hub/ingest.py", "import serial"),
    "pins": ("hub/ingest.py", "import smbus2"),
    "sqlite": ("hub/commands/router.py", "import sqlite3"),
    "http": ("hub/commands/router.py", "import aiohttp"),
    "video": ("hub/web/__init__.py", "import av"),
}


def contracts() -> dict[str, str]:
    """Return the names of the contracts in .importlinter, by id."""
    file = configparser.ConfigParser()
    file.read(ROOT / ".importlinter")
    prefix = "importlinter:contract:"
    return {
        name.removeprefix(prefix): file[name]["name"] for name in file.sections() if name.startswith(prefix)
    }


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--no-logo"], cwd=tree, capture_output=True, text=True, check=False
    )


def a_copy(tree: Path) -> Path:
    """Copy the Python files and the rules to `tree`."""
    for package in ("hub", "hil"):
        for file in (ROOT / package).rglob("*.py"):
            copy = tree / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    shutil.copyfile(ROOT / ".importlinter", tree / ".importlinter")
    return tree


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what lint-imports says of a tree in which every rule is broken once."""
    tree = a_copy(tmp_path_factory.mktemp("broken"))
    for file, line in BREAKS.values():
        with (tree / file).open("a", encoding="utf-8") as module:
            module.write(f"\n{line}\n")
    done = lint(tree)
    assert done.returncode == 1
    return done.stdout


def test_every_contract_has_an_example_that_breaks_it() -> None:
    assert set(BREAKS) == set(contracts())


@pytest.mark.slow
@pytest.mark.parametrize("contract", BREAKS)
def test_each_contract_can_fail(contract: str, broken: str) -> None:
    assert f"{contracts()[contract]} BROKEN" in broken


@pytest.mark.slow
def test_a_room_without_a_layer_is_refused(tmp_path: Path) -> None:
    tree = a_copy(tmp_path)
    (tree / "hub" / "attic.py").touch()
    done = lint(tree)
    assert done.returncode == 1
    assert "hub.attic" in done.stdout


@pytest.mark.slow
def test_the_checkout_keeps_every_contract() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", sorted((ROOT / "hub" / "wire").glob("*.py")), ids=lambda file: file.name)
def test_the_wire_imports_only_its_own_files_and_what_boards_have(file: Path) -> None:
    assert foreign_imports(file.read_text(encoding="utf-8")) == []


def test_a_foreign_import_of_the_wire_is_seen() -> None:
    text = (
        "import json\nfrom .frame import x\nif TYPE_CHECKING:\n    import typing\n"
        "def f():\n    import asyncio\nfrom hub.model import y\n"
    )
    assert foreign_imports(text) == ["asyncio", "hub.model"]


def foreign_imports(text: str) -> list[str]:
    """List what a module imports, at run time, that is neither beside it nor on every board."""
    found = []
    waiting: list[ast.AST] = [ast.parse(text)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            waiting.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level != 1:
            found.append(node.module or "." * node.level)
        waiting.extend(ast.iter_child_nodes(node))
    return sorted(name for name in found if name not in ON_EVERY_BOARD)


@pytest.mark.parametrize("room", ["tests", "bench", "hil", "scripts"])
def test_what_tests_share_stands_in_no_test(room: str) -> None:
    found = {
        str(file.relative_to(ROOT)): tests
        for file in (ROOT / room).rglob("*.py")
        if (tests := imported_tests(file.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_an_import_of_a_test_is_seen_in_each_of_its_forms() -> None:
    text = (
        "from tests.test_a import x\nimport tests.e2e.test_b\nfrom tests.e2e import rig, test_c\n"
        "from .test_d import y\nif TYPE_CHECKING:\n    from . import test_e as e\n"
        "from hub.camera.sources.test_pattern import z\nfrom tests.e2e.rig import test_rig_of\n"
    )
    assert imported_tests(text) == ["test_a", "test_b", "test_c", "test_d", "test_e"]


def imported_tests(text: str) -> list[str]:
    """List the test modules that a module imports, be it for their types alone."""
    modules = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = f"tests.{node.module or ''}".rstrip(".") if node.level else str(node.module)
            package = module in ("tests", "tests.e2e")
            modules += [f"{module}.{alias.name}" for alias in node.names] if package else [module]
    names = [module.rpartition(".")[2] for module in modules if module.startswith("tests.")]
    return sorted(name for name in names if name.startswith("test_"))


def circle(graph: grimp.ImportGraph) -> list[str]:
    """Return modules that import each other in a circle, also for their types alone; empty where none do."""
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("hub", "hil", cache_dir=None)
    assert circle(graph) == []
    graph.add_import(importer="hub.bus", imported="hub.app")
    assert {"hub.bus", "hub.app"} <= set(circle(graph)), "what this test looks for is not seen"
