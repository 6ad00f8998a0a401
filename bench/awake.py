"""CPUs kept from halting while something is measured, as a process for each: `python -m bench.awake CPU`.

A virtual machine's CPU with nothing to do halts. Waking it takes the hypervisor's time, which is booked as
CPU time of the process that is woken: here 0.10 to 0.14 ms for a `sleep` in place of 0.04. A server that
wakes thirty times a second is then measured for the most part by its host. Processes of the kernel's idle
class run whenever nobody else wants the CPU, and give way at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROUNDS = 1_000_000


@contextmanager
def awake() -> Iterator[None]:
    """Keep all CPUs that this process may use from halting, within a block."""
    spinners = [
        subprocess.Popen([sys.executable, "-m", "bench.awake", str(cpu)]) for cpu in os.sched_getaffinity(0)
    ]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def _spin(cpu: int) -> None:
    """Spin on one CPU until the bench is gone."""
    os.sched_setaffinity(0, {cpu})
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    parent = os.getppid()
    while os.getppid() == parent:
        for _ in range(_ROUNDS):
            pass


if __name__ == "__main__":
    _spin(int(sys.argv[1]))
