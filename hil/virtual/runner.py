"""Runs a script on the bare VM, without firmware or a port, and returns what it printed."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from hil.virtual import engine
from hil.virtual.board import DEFAULT_UID, HEAP_KIB, rom_folders
from hil.virtual.bridge import PWRON_RESET, WDT_RESET, Bridge
from hil.virtual.clock import BoardClock
from hil.virtual.console import Captured, Console
from hil.virtual.flash import PICO_BYTES, Flash
from hil.virtual.hardware import Wiring
from hil.virtual.image import put
from hil.virtual.vm import End, Vm
from hil.virtual.watchdog import Watchdog
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCRIPT = "script.py"


class ScriptFailed(OutpostError):
    """The script raised, reset the board, crashed the VM or took too long; `output`: what it printed."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(f"{message}\n{output}")
        self.output = output


def run_script(
    files: Mapping[str, str | bytes | Path],
    script: str,
    *,
    heap_kib: int = HEAP_KIB,
    timeout_s: float = 60.0,
    virtual_time: bool = False,
    wiring: Wiring | None = None,
) -> str:
    """Run `script` as `__main__` on a fresh MicroPython VM and return its stdout, line ends as LF.

    `files` are put on the board first: path on the board → text, bytes, or a file or folder of the host, as
    in `{"/wire": Path("hub/wire"), "frames.json": Path("tests/vectors/frames.json")}`.
    The script imports them from `/` and `/lib`; `machine`, `asyncio` and a board's other modules are there.
    With `virtual_time` sleeping takes no time. Raises ScriptFailed (traceback in `output`) and VmMissing.
    """
    loaded_engine, module = engine.load()
    with tempfile.TemporaryDirectory(prefix="board-") as folder:
        root = Path(folder)
        for path, content in files.items():
            put(root, path, content)
        put(root, _SCRIPT, script)
        flash = Flash(root, rom_folders(), PICO_BYTES)
        clock, port = BoardClock(virtual=virtual_time), Captured()
        console = Console(lambda: None)
        vm = Vm(
            loaded_engine,
            module,
            flash=flash,
            console=console,
            port=port,
            clock=clock,
            heap_kib=heap_kib,
            boot_file="/rom/_boot.py",
        )

        def cut_short() -> None:
            console.request_reset(WDT_RESET)
            vm.stop()

        watchdog = Watchdog(cut_short)
        bridge = Bridge(
            vm,
            uid=DEFAULT_UID,
            reset_cause=PWRON_RESET,
            raw_boot=False,
            script=_SCRIPT,
            flash=flash,
            console=console,
            port=port,
            clock=clock,
            wiring=wiring or Wiring(),
            watchdog=watchdog,
        )
        timer = threading.Timer(timeout_s, cut_short)
        timer.start()
        try:
            ended = vm.run(bridge)
        finally:
            timer.cancel()
            watchdog.close()
    if ended.how is End.EXIT and ended.code == 0:
        return port.text()
    if ended.how is End.RESET:
        reason = f"the script was cut short after {timeout_s} s, or reset the board (cause {ended.code})"
    else:
        reason = "the script raised" if ended.how is End.EXIT else f"the VM crashed: {ended.detail}"
    raise ScriptFailed(reason, port.text())
