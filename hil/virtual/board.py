"""A virtual board: the VM on a thread of its own, its resets, its power and its cable."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hil.virtual import engine
from hil.virtual.bridge import PWRON_RESET, SOFT_RESET, WDT_RESET, Bridge
from hil.virtual.cable import Cable
from hil.virtual.clock import BoardClock
from hil.virtual.console import Console
from hil.virtual.environment import Environment
from hil.virtual.flash import PICO_BYTES, Flash
from hil.virtual.hardware import Wiring, demo_wiring
from hil.virtual.vm import End, Ended, Vm
from hil.virtual.watchdog import Watchdog
from hil.vm import places

if TYPE_CHECKING:
    from hil.virtual.network import Network

log = logging.getLogger(__name__)

HEAP_KIB = 192
DEFAULT_UID = "e6614103e7452b2f"
_POWER_OFF = 0
_CRASH_PAUSE_S = 1.0
_USB_GONE_S = 0.2  # a host takes about as long to see that a device left the bus


def rom_folders(*, wifi: bool = False) -> tuple[Path, ...]:
    """Return the folders that make up `/rom`: our files, and MicroPython's asyncio as installed."""
    rom = Path(__file__).parent / "rom"
    return (rom, places.build_folder(), *([rom / "wifi"] if wifi else []))


class VirtualBoard:
    """A board with its flash in `flash_folder`. Every method may be called from any thread but the VM's own.

    `start` powers it on with the cable plugged in; `stop` ends it for good. `uid` is 16 hex digits, as
    `machine.unique_id`. `link` is a path that is made a link to the board's pty whenever it is plugged in.
    With `virtual_time` the board's clock jumps over waits. With a `network` it has WiFi. Raises VmMissing.
    """

    def __init__(
        self,
        flash_folder: Path,
        *,
        uid: str = DEFAULT_UID,
        link: Path | None = None,
        wiring: Wiring | None = None,
        heap_kib: int = HEAP_KIB,
        flash_bytes: int = PICO_BYTES,
        virtual_time: bool = False,
        network: Network | None = None,
    ) -> None:
        self.uid = uid
        self._heap_kib = heap_kib
        self._engine, self._module = engine.load()
        self.network = network
        self.flash = Flash(flash_folder, rom_folders(wifi=network is not None), flash_bytes)
        self.clock = BoardClock(virtual=virtual_time)
        start_s = time.time()
        self.environment = Environment(uid, lambda: start_s + self.clock.now_s())
        self.wiring = wiring or demo_wiring(self.environment, self.clock.now_s)
        self.console = Console(self._interrupt)
        self.cable = Cable(self.console, link)
        self._watchdog = Watchdog(lambda: self._request_reset(WDT_RESET))
        self._vm: Vm | None = None
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._power = False
        self._alive = False
        self._stopped = False
        self._cable_in = True
        self._hand = threading.Lock()  # on the cable
        self._cold = True
        self._raw_boot = False
        self._reset_cause = PWRON_RESET
        self.boots = 0
        """How often the VM started, soft resets included."""
        self.hard_resets = 0
        """How often the chip was reset, by whatever; the port is back by then."""
        self.crashes: list[str] = []
        """What the VM died of, where it was neither reset nor told to end. Empty on a sound VM."""

    # -- what a hand does -----------------------------------------------------------------------------

    def start(self) -> None:
        """Power the board on, with the cable in. Raises LinkTaken."""
        self.power_on()

    def stop(self) -> None:
        """Power off, and end every thread."""
        self.power_off()
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._watchdog.close()
        if self._thread is not None:
            self._thread.join()
        self._module.close()
        self._engine.close()

    def unplug(self) -> None:
        """Pull the cable; the board runs on, as one on a battery does."""
        with self._hand:
            self._cable_in = False
            self.cable.unplug()

    def replug(self) -> None:
        """Put the cable back: a new pty. Raises LinkTaken."""
        with self._hand:
            self._cable_in = True
            if self._power:
                self.cable.plug()

    def power_off(self) -> None:
        """Cut the power: RAM is lost and the port goes. Returns when the VM has ended."""
        with self._changed:
            self._power = False
            self._request_reset(_POWER_OFF)
            self._changed.wait_for(lambda: not self._alive)
        with self._hand:
            self.cable.unplug()

    def power_on(self) -> None:
        """Give power: the port comes and the board boots. Raises LinkTaken."""
        with self._hand:
            if self._cable_in:
                self.cable.plug()
        with self._changed:
            if self._power:
                return
            self._power = True
            self._reset_cause, self._raw_boot, self._cold = PWRON_RESET, False, True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"board {self.uid}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def reset(self) -> None:
        """Press the reset button."""
        self._request_reset(PWRON_RESET)

    @property
    def path(self) -> str:
        """The device file of the board's serial port. Raises LookupError while unplugged."""
        return self.cable.path

    # -- the board's own life -------------------------------------------------------------------------

    def _interrupt(self) -> None:
        vm = self._vm
        if vm is not None:
            vm.interrupt()

    def _request_reset(self, cause: int) -> None:
        self.console.request_reset(cause)
        vm = self._vm
        if vm is not None:
            vm.stop()

    def _run(self) -> None:
        while self._next_life():
            self._after(self._live())

    def _next_life(self) -> bool:
        """Wait for power. Returns False when the board is stopped."""
        with self._changed:
            self._alive = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._power or self._stopped)
            self._alive = not self._stopped
            self.console.boot()  # under the lock, so that a power cut comes before or after it, and counts
            return self._alive

    def _live(self) -> Ended:
        """Boot and run until the next reset."""
        if self._cold:
            self.clock.boot()
        self.boots += 1
        self._vm = vm = Vm(
            self._engine,
            self._module,
            flash=self.flash,
            console=self.console,
            port=self.cable,
            clock=self.clock,
            heap_kib=self._heap_kib,
            boot_file="/rom/_boot.py",
        )
        bridge = Bridge(
            vm,
            uid=self.uid,
            reset_cause=self._reset_cause,
            raw_boot=self._raw_boot,
            script=None,
            flash=self.flash,
            console=self.console,
            port=self.cable,
            clock=self.clock,
            wiring=self.wiring,
            watchdog=self._watchdog,
            network=self.network,
        )
        ended = vm.run(bridge)
        self._vm = None
        if self.network is not None:
            self.network.reset()
        self._watchdog.disarm()
        self._raw_boot = bridge.raw_boot
        return ended

    def _after(self, ended: Ended) -> None:
        if ended.how is not End.RESET:
            self.crashes.append(ended.detail or f"the boot ROM ended with {ended.code}")
            log.error("virtual board %s: the VM crashed: %s", self.uid, self.crashes[-1])
            self.console.wait(_CRASH_PAUSE_S, for_input=False)
        self._cold = ended.how is not End.RESET or ended.code != SOFT_RESET
        if not self._cold:
            return
        self._raw_boot = False
        self._reset_cause = WDT_RESET if ended.how is End.RESET and ended.code == WDT_RESET else PWRON_RESET
        self.console.wait(_USB_GONE_S, for_input=False)
        with self._hand:
            if self._power and self._cable_in:
                self.cable.unplug()  # a reset chip leaves the bus, and comes back as a new USB device
                self.cable.plug()
        self.hard_resets += 1
