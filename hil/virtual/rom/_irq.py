# Interrupts of pins, by looking at them: the VM has none. What waits in select.poll, as asyncio does, looks
# each 2 ms. A pulse that is shorter, or comes while Python runs, is missed.
import sys
import time

import host

from _host import call

LOOK_MS = 2
_watched = []  # [pin, handler, rising, falling, level]


def watch(pin, handler, rising, falling):
    for entry in _watched:
        if entry[0].id == pin.id:
            _watched.remove(entry)
    if handler is not None:
        _watched.append([pin, handler, rising, falling, pin.value()])


def look():
    for entry in _watched:
        pin, handler, rising, falling, before = entry
        level = call("pin_get", pin.id)
        entry[4] = level
        if level != before and (rising if level else falling):
            try:
                handler(pin)
            except Exception as error:  # as a port does: it tells, and the interrupt is off
                print("Uncaught exception in IRQ callback handler")
                sys.print_exception(error)
                _watched.remove(entry)


def wait(timeout, wanted):
    # The host's wait, in steps while a pin is watched.
    if not _watched:
        return int(host.call("wait", "[%d,%d]" % (timeout, wanted)))
    end = time.ticks_add(time.ticks_ms(), max(timeout, 0))
    while True:
        left = LOOK_MS if timeout < 0 else time.ticks_diff(end, time.ticks_ms())
        ready = int(host.call("wait", "[%d,%d]" % (max(0, min(left, LOOK_MS)), wanted)))
        look()
        if ready or (timeout >= 0 and left <= LOOK_MS):
            return ready
