# What the virtual board runs at power-on: boot.py, main.py, then the REPL, as MicroPython's rp2 port does.
import host

# Ctrl-C raises this very object. The host finds the VM's state in memory by this module's globals: only here,
# at the outermost level and outside any function, are they the current locals and globals both.
_interrupt = KeyboardInterrupt()
host.call("keyboard_interrupt", "[%d, %d]" % (id(_interrupt), id(globals())))

import _shims

_shims.install()

import _repl  # after the shims, so that it sees them

_repl.main()
