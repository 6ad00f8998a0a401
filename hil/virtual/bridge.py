"""The calls by which a board's boot ROM reaches its hardware: `host.call(name, json)` in the VM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hil.virtual.console import Wake
from hil.virtual.flash import BLOCK_BYTES
from hil.virtual.wasi import VmEnded

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.virtual.clock import BoardClock
    from hil.virtual.console import Console, Port
    from hil.virtual.flash import Flash
    from hil.virtual.hardware import Wiring
    from hil.virtual.network import Network
    from hil.virtual.vm import Vm
    from hil.virtual.watchdog import Watchdog

PWRON_RESET, WDT_RESET = 1, 3
"""What `machine.reset_cause` knows on rp2; `machine.reset` goes by the watchdog there."""
SOFT_RESET = 5
_READABLE, _WRITABLE = 1, 2
_LOOK_S = 0.002


class Bridge:
    """Answers one life of a VM. With `script` the ROM runs that file and ends; else main.py and the REPL."""

    def __init__(
        self,
        vm: Vm,
        *,
        uid: str,
        reset_cause: int,
        raw_boot: bool,
        script: str | None,
        flash: Flash,
        console: Console,
        port: Port,
        clock: BoardClock,
        wiring: Wiring,
        watchdog: Watchdog,
        network: Network | None = None,
    ) -> None:
        self._vm, self._flash, self._console, self._port = vm, flash, console, port
        self._clock, self._watchdog, self._network = clock, watchdog, network
        self._boot = {
            "uid": uid,
            "cause": reset_cause,
            "raw": raw_boot,
            "script": script,
            "bitten": int(watchdog.take_bite()),
        }
        self.raw_boot = False
        """Whether the next life starts in the raw REPL, as after a soft reset from there."""
        self.interruptible = False
        """Whether Ctrl-C reaches running code; the ROM's first call finds out."""
        self._calls: dict[str, Callable[..., Any]] = {
            "boot": lambda: self._boot,
            "keyboard_interrupt": self._keyboard_interrupt,
            "interrupt_char": self._interrupt_char,
            "raw": self._raw,
            "wait": self._wait,
            "net_wait": self._net_wait,
            "watchdog": self._watchdog.feed,
            "watchdog_off": self._watchdog.disarm,
            "statvfs": self._statvfs,
            "set_rtc": self._clock.set_rtc_s,
            "reset": self._reset,
            "end": self._end,
            **wiring.calls(),
            **(network.calls() if network is not None else {}),
        }

    def __call__(self, name: str, arguments: list[Any]) -> Any:
        """Answer one call with a JSON value; `{"errno": n}` becomes an OSError on the board."""
        return self._calls[name](*arguments)

    def _keyboard_interrupt(self, exception: int, global_dict: int) -> None:
        self.interruptible = self._vm.allow_interrupts(exception, global_dict)

    def _interrupt_char(self, char: int) -> None:
        self._console.set_interrupt_char(char)

    def _raw(self, raw: bool) -> None:
        self.raw_boot = raw

    def _wait(self, timeout_ms: int, wanted: int) -> int:
        """Poll the console: wait up to `timeout_ms` (-1: for ever) until what is `wanted` is possible."""
        ready = self._ready(wanted)
        if ready or timeout_ms == 0:
            return ready
        wake = self._vm.wait(
            None if timeout_ms < 0 else timeout_ms / 1000, for_input=bool(wanted & _READABLE)
        )
        return _READABLE if wake is Wake.INPUT else self._ready(wanted)

    def _net_wait(self, timeout_ms: int, wanted: int, sockets: list[list[int]]) -> list[Any]:
        """Poll the console and sockets, each 2 ms. Returns what of the console, and `[[handle, events]]`."""
        end_s = None if timeout_ms < 0 else self._clock.now_s() + timeout_ms / 1000
        while True:
            ready = self._ready(wanted)
            happened = self._network.ready(sockets) if self._network is not None else []
            left_s = _LOOK_S if end_s is None else end_s - self._clock.now_s()
            if ready or happened or left_s <= 0:
                return [ready, happened]
            wake = self._vm.wait(min(left_s, _LOOK_S), for_input=bool(wanted & _READABLE))
            if wake is Wake.INTERRUPT:
                return [0, []]

    def _ready(self, wanted: int) -> int:
        ready = 0
        if wanted & _READABLE and self._console.available():
            ready |= _READABLE
        if wanted & _WRITABLE and self._port.writable():
            ready |= _WRITABLE
        return ready

    def _statvfs(self) -> list[int]:
        total, free = self._flash.size_bytes // BLOCK_BYTES, self._flash.free_bytes() // BLOCK_BYTES
        return [BLOCK_BYTES, BLOCK_BYTES, total, free, free, 0, 0, 0, 0, 255]

    def _reset(self, cause: int) -> None:
        raise VmEnded(cause)

    def _end(self, code: int) -> None:
        raise VmEnded(-code - 1)
