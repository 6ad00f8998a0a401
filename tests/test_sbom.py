"""`make sbom`: what the hub and its dashboard are made of, as the locks have it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
TOOL = ROOT / "build" / "sbom-tools" / "bin" / "cyclonedx-py"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bills(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Write the bills as `make sbom` does."""
    assert TOOL.exists(), "`make sbom` (or `make test`) installs what writes the bill"
    folder = tmp_path_factory.mktemp("sbom")
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [ROOT / "scripts" / "sbom.sh", folder], check=True, env={**os.environ, "PATH": path}, timeout=120
    )
    return {file.name: json.loads(file.read_text()) for file in folder.iterdir()}


def test_the_bills_are_cyclonedx_and_say_of_what(bills: dict[str, Any]) -> None:
    about = {name: (bill["bomFormat"], bill["metadata"]["component"]["name"]) for name, bill in bills.items()}
    assert about == {
        "outpost-hub.cdx.json": ("CycloneDX", "outpost-hub"),
        "dashboard.cdx.json": ("CycloneDX", "dashboard"),
    }


def test_the_bill_of_the_hub_is_what_its_lock_lists(bills: dict[str, Any]) -> None:
    lock = (ROOT / "requirements" / "run.txt").read_text()
    # A package with its hashes: `name==version [; marker] \` and lines of `--hash`.
    locked = {
        (found[1], found[2]): set(re.findall(r"--hash=sha256:([0-9a-f]{64})", found[3]))
        for found in re.finditer(r"^([\w.-]+)==([^\s;]+)([^\n]*\n(?:    [^\n]*\n)*)", lock, re.MULTILINE)
    }
    assert len(locked) > 30
    listed = {
        (part["name"], part["version"]): {
            one["content"]
            for reference in part["externalReferences"]
            for one in reference.get("hashes", [])
            if one["alg"] == "SHA-256"
        }
        for part in bills["outpost-hub.cdx.json"]["components"]
    }
    assert listed == locked


def test_the_bill_of_the_dashboard_is_what_its_lock_builds_in(bills: dict[str, Any]) -> None:
    packages = json.loads((ROOT / "dashboard" / "package-lock.json").read_text())["packages"]
    built_in = {
        (place.rpartition("node_modules/")[2], package["version"])
        for place, package in packages.items()
        if place and not package.get("dev")
    }
    assert len(built_in) > 3
    parts = bills["dashboard.cdx.json"]["components"]
    assert {(part["name"], part["version"]) for part in parts} == built_in
    assert all(part["hashes"] for part in parts)
