"""The wheel carries all that runs, installs alone, and the checkout installs as editable."""

from __future__ import annotations

import email
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import hub

ROOT = Path(__file__).parent.parent
CACHES = {"__pycache__", ".mypy_cache", ".ruff_cache", "node_modules"}

pytestmark = pytest.mark.slow


def pip(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run pip without network: nothing here may need it."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def build(tree: Path, into: Path) -> subprocess.CompletedProcess[str]:
    return pip(
        "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", into, tree, cwd=into
    )


def sources(folder: str, suffix: str = "") -> set[str]:
    """List the files of a folder of the checkout as the wheel would name them, without caches."""
    return {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / folder).rglob(f"*{suffix}")
        if file.is_file() and not CACHES & set(file.parts)
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / "hub/web/static/index.html").is_file():
        pytest.fail("the dashboard is not built: `make test` builds it, `make run` too")
    into = tmp_path_factory.mktemp("wheel")
    done = build(ROOT, into)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = into.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def content(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """Make a new virtual environment that finds this one's libraries, but not this one's Outpost."""
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    # A path from a .pth file is searched, its own .pth files (the editable checkout) are not read.
    (site_packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder


def installed_at(environment: Path) -> Path:
    """Return the folder from which the environment imports `hub`."""
    ask = [str(environment / "bin/python"), "-c", "import hub; print(hub.__file__)"]
    done = subprocess.run(ask, cwd=environment, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()).parent


def test_the_wheel_is_pure_and_named_by_the_version(wheel: Path) -> None:
    assert wheel.name == f"outpost_hub-{hub.__version__}-py3-none-any.whl"


@pytest.mark.parametrize("package", ["hub", "hil"])
def test_the_wheel_carries_every_module(package: str, content: set[str]) -> None:
    assert sources(package, ".py") <= content


def test_the_wheel_tells_type_checkers_that_it_is_typed(content: set[str]) -> None:
    assert "hub/py.typed" in content


def test_the_wheel_carries_the_built_dashboard(content: set[str]) -> None:
    assert sources("hub/web/static") <= content


def test_the_wheel_carries_the_firmware(content: set[str]) -> None:
    firmware = {f"hub/{name}" for name in sources("firmware")}
    assert "hub/firmware/main.py" in firmware
    assert firmware <= content


def test_the_wheel_carries_the_unit_and_the_sample_configuration(content: set[str]) -> None:
    shared = {name.split(".data/data/")[1] for name in content if ".data/data/" in name}
    examples = ("outpost.service", "outpost.toml", "lan-only.conf", "pins.conf", "nginx.conf", "Caddyfile")
    assert shared == {f"share/outpost/{name}" for name in examples}


def test_the_wheel_carries_no_tests_caches_or_foreign_packages(content: set[str]) -> None:
    parts = {part for name in content for part in name.split("/")}
    assert not parts & {*CACHES, "tests", "bench", "dashboard", ".git", ".venv"}
    assert {name.split("/")[0].split("-")[0] for name in content} == {"hub", "hil", "outpost_hub"}


def test_the_wheel_names_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        info = f"outpost_hub-{hub.__version__}.dist-info"
        metadata = email.message_from_bytes(archive.read(f"{info}/METADATA"))
        licence = archive.read(f"{info}/licenses/LICENSE")
    assert metadata["License-Expression"] == "Apache-2.0"
    assert licence == (ROOT / "LICENSE").read_bytes()


def test_the_installed_wheel_runs_without_the_checkout(wheel: Path, environment: Path) -> None:
    done = pip("--python", environment, "install", "--no-deps", "--no-index", wheel)
    assert done.returncode == 0, done.stdout + done.stderr
    assert installed_at(environment).is_relative_to(environment)
    said = subprocess.run(
        [environment / "bin/outpost", "--help"], cwd=environment, capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("Usage: outpost")


def test_an_editable_install_uses_the_checkout_and_copies_nothing(environment: Path) -> None:
    done = pip(
        *("--python", environment, "install", "--no-deps", "--no-index", "--no-build-isolation", "-e", ROOT)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert installed_at(environment) == ROOT / "hub"
    (site_packages,) = environment.glob("lib/python*/site-packages")
    assert not (site_packages / "hub").exists()


def test_a_wheel_without_the_dashboard_is_refused(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for folder in ("hub", "hil", "firmware", "systemd"):
        leave_out = shutil.ignore_patterns(*CACHES, "static")
        shutil.copytree(ROOT / folder, tree / folder, ignore=leave_out)
    for file in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / file, tree / file)
    done = build(tree, tmp_path)
    assert done.returncode != 0
    assert "the dashboard is not built; `make wheel` builds it first" in done.stdout + done.stderr
