"""The MicroPython VM for tests: scripts on it, with the firmware and the wire on its flash."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hil.virtual.runner import run_script
from hil.vm import places

if TYPE_CHECKING:
    from hil.virtual.hardware import Wiring

ROOT = Path(__file__).parent.parent


def _vm_stands() -> bool:
    try:
        places.require_vm()
    except places.VmMissing:
        return False
    return True


needs_vm = pytest.mark.skipif(not _vm_stands(), reason="the MicroPython VM is not built (make setup)")


def run_on_vm(
    script: str, *files: Path, wiring: Wiring | None = None, virtual_time: bool = False, heap_kib: int = 192
) -> str:
    """Run a script on a VM with the firmware, `wire` and `files` at its root; return what it printed."""
    on_board: dict[str, str | bytes | Path] = {
        f"/{path.name}": path for path in files if path.suffix in (".py", ".json")
    }
    on_board["/"] = ROOT / "firmware"
    on_board["/wire"] = ROOT / "hub" / "wire"
    return run_script(on_board, script, wiring=wiring, virtual_time=virtual_time, heap_kib=heap_kib)
