# What the virtual board runs at power-on: boot.py, main.py, then the REPL, as MicroPython's rp2 port does.
import _host

# Ctrl-C raises this very object. The host finds the VM's state in memory by this module's globals, which are
# the current ones only here, at the outermost level.
_interrupt = KeyboardInterrupt()
_host.call("keyboard_interrupt", id(_interrupt), id(globals()))

import _shims

_shims.install()

import _repl  # after the shims, so that it sees them

_repl.main()
