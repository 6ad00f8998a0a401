"""Starts the node. An error is printed, which the hub shows, and the board begins anew.

Ctrl-C is no error: KeyboardInterrupt passes through to the REPL.
"""

import sys
import time

import machine

try:
    import node

    node.run()
except Exception as error:
    sys.print_exception(error)
    time.sleep(1)  # lets the last bytes out, and Ctrl-C into a board that fails at each start
    machine.reset()
