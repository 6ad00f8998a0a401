"""Starts the node. An error is printed, which the hub shows, and the board begins anew.

Ctrl-C is no error: KeyboardInterrupt passes through to the REPL. This file and trial.py are what no change
may break: they are small, import nothing else of ours before a change on trial is counted, and whatever fails
leaves a pause in which Ctrl-C gets in.
"""

import gc
import sys
import time

import machine

# Collect often while modules are compiled: what stays lies close together, and leaves room in one piece. The
# outbox, which gets the largest, is twice as large for it (26 and 50 KB on a heap of 192).
gc.threshold(8192)
try:
    import trial

    change = trial.Trial()
    if change.begin():
        machine.reset()
    if change.kind == "firmware" and hasattr(machine, "WDT"):
        machine.WDT(timeout=8000)  # a new one may hang before it feeds anything
    del change, trial, sys.modules["trial"]  # 3.5 KB that a board has better uses for
except Exception as error:
    sys.print_exception(error)  # and on: a board without its trial is still a board
try:
    import node

    node.run()
except Exception as error:
    sys.print_exception(error)
    try:
        import trial

        trial.Trial().failed(repr(error))
    except Exception as another:
        sys.print_exception(another)  # a flash that fails must not keep the board from starting anew
    time.sleep(1)  # lets the last bytes out, and Ctrl-C into a board that fails at each start
    machine.reset()
