"""The documents: their links, paths and commands lead somewhere, and nothing names what it must not."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from hub.cli.main import main

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))

# https://www.apache.org/licenses/LICENSE-2.0.txt, byte for byte.
APACHE_2_SHA256 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"

# Hosts of package registries: where a package comes from is the affair of who installs it.
REGISTRIES = re.compile(r"pypi[.]org|pythonhosted[.]org|registry[.](npmjs|yarnpkg)[.]")

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
each_decision = pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)


def prose(document: Path) -> str:
    """Return a document's text without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def shell_lines(document: Path) -> list[str]:
    """Return the lines of a document's sh blocks, without their comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def anchors(document: Path) -> set[str]:
    """Return the anchors that a document's headings get (GitHub's rule)."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_every_link_leads_to_a_file_and_an_anchor(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@each_document
def test_every_path_that_is_named_exists(document: Path) -> None:
    rooms = "hub|hil|firmware|dashboard|tests|docs|systemd|bench|requirements|scripts"
    for path in re.findall(rf"`((?:{rooms})/[\w./*-]*)`", prose(document)):
        found = list(ROOT.glob(path.rstrip("/"))) if "*" in path else [ROOT / path]
        # What git ignores is there after `make run` only.
        assert path.startswith("hub/web/static") or any(one.exists() for one in found), path


@each_document
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(
        re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    named = re.findall(r"`make ([a-z-]+)[^`]*`", prose(document))
    named += [found[1] for line in shell_lines(document) if (found := re.match(r"make ([a-z-]+)", line))]
    assert set(named) <= targets


@each_document
def test_every_command_line_in_a_shell_block_is_one_that_outpost_knows(document: Path) -> None:
    for line in shell_lines(document):
        found = re.match(r"(?:sudo )?(?:\S*/bin/)?outpost\s+(.*)", line)
        if found is None:
            continue
        command, *rest = shlex.split(found[1])
        assert command in main.commands, line
        options = {word.partition("=")[0] for word in rest if word.startswith("-")}
        assert options <= options_of(command, rest), line


def options_of(command: str, rest: list[str]) -> set[str]:
    """Return the options of a command, or of one in groups (`token create`, `mqtt user add`)."""
    known = main.commands[command]
    for word in rest:
        inner = getattr(known, "commands", None)
        if inner is None or word.startswith("-"):
            break
        known = inner[word]
    return {option for parameter in known.params for option in parameter.opts}


# --- decisions ----------------------------------------------------------------------------------------


def test_decisions_are_numbered_without_a_hole() -> None:
    assert [int(path.stem[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@each_decision
def test_a_decision_has_its_headings_and_a_status(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    assert text.startswith(f"# {int(decision.stem[:4])}. ")
    assert re.search(r"^Status: (accepted|proposed|replaced by \d+)", text, re.MULTILINE)
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences", "When to look again"]


@each_decision
def test_a_decision_fits_a_page(decision: Path) -> None:
    assert len(decision.read_text(encoding="utf-8").splitlines()) <= 60


@each_decision
def test_the_index_lists_a_decision_by_its_title(decision: Path) -> None:
    number, title = decision.read_text(encoding="utf-8").splitlines()[0][2:].split(". ", 1)
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    assert f"| {number} | [{title}]({decision.name}) |" in index


# --- what every file keeps to -------------------------------------------------------------------------


def test_the_licence_is_apache_2() -> None:
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE_2_SHA256


def test_no_file_in_git_names_the_host_of_a_package_registry() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    guilty = []
    for name in filter(None, listed.stdout.split("\0")):
        file = ROOT / name
        if file.is_file() and REGISTRIES.search(file.read_text(encoding="utf-8", errors="ignore")):
            guilty.append(name)
    assert guilty == []
