"""Ctrl-C into running code: what MicroPython's signal handler does, done from outside.

The VM was built without signals. `mp_state_ctx` in its memory holds what a handler would set: the pending
exception, and the scheduler's state beside it. Both offsets belong to the one artefact that `hil.vm.places`
pins by its hash; a test interrupts a busy loop, so a wrong one does not go unseen.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hil.virtual.memory import GuestMemory

_STATE_END = 0x30000
_PENDING_AFTER_GLOBALS = 16  # dict_locals, dict_globals, nlr_top, nlr_jump_callback_top, then pending
_SCHED_AFTER_PENDING = 67236 - 66800
_SCHED_IDLE, _SCHED_PENDING = 1, 0


class Interrupt:
    """Raises KeyboardInterrupt in a running VM. Made when the boot ROM has told where its objects lie."""

    def __init__(self, memory: GuestMemory, exception: int, global_dict: int) -> None:
        self._memory, self._exception = memory, exception
        self._pending = self._find(global_dict)

    @property
    def works(self) -> bool:
        """False where the VM's state was not found: then Ctrl-C works only while the VM waits."""
        return self._pending is not None

    def _find(self, global_dict: int) -> int | None:
        """Find the state by its two neighbours that both point at the module's globals while it boots."""
        state = self._memory.read(0, _STATE_END)
        pattern = struct.pack("<II", global_dict, global_dict)
        hits = []
        at = state.find(pattern)
        while at >= 0:
            if at % 4 == 0 and at < 72000:
                hits.append(at)
            at = state.find(pattern, at + 1)
        return hits[0] + _PENDING_AFTER_GLOBALS if len(hits) == 1 else None

    def fire(self) -> None:
        """Set the exception pending. From any thread: aligned stores, read between two bytecodes."""
        if self._pending is None:
            return
        self._memory.write_u64(self._exception + 4, 0)  # its traceback of last time
        self._memory.write_u32(self._pending, self._exception)
        state = self._memory.i16(self._pending + _SCHED_AFTER_PENDING)
        if state.value == _SCHED_IDLE:
            state.value = _SCHED_PENDING
