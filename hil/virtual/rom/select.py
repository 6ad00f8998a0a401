# poll() on the console as one host call that really blocks; the VM's own spins in steps of 500 us.
import _irq
from _host import call

POLLIN = 1
POLLOUT = 4
POLLERR = 8
POLLHUP = 16
_READABLE = 1  # the host's words for what is possible
_WRITABLE = 2


class poll:
    def __init__(self):
        self._entries = []  # [object, event mask]

    def _find(self, obj):
        for entry in self._entries:
            if entry[0] is obj:
                return entry
        return None

    def register(self, obj, eventmask=POLLIN | POLLOUT):
        entry = self._find(obj)
        if entry is None:
            self._entries.append([obj, eventmask])
        else:
            entry[1] |= eventmask

    def modify(self, obj, eventmask):
        entry = self._find(obj)
        if entry is None:
            raise OSError(2)
        entry[1] = eventmask

    def unregister(self, obj):
        entry = self._find(obj)
        if entry is not None:
            self._entries.remove(entry)

    def poll(self, timeout=-1):
        mask = 0
        sockets = []
        for entry in self._entries:
            if getattr(entry[0], "handle", None) is not None:
                sockets.append([entry[0].handle, entry[1]])
            else:
                mask |= entry[1]
        wanted = (_READABLE if mask & POLLIN else 0) | (_WRITABLE if mask & POLLOUT else 0)
        timeout = -1 if timeout is None else timeout
        if sockets:
            return self._poll_with(sockets, timeout, wanted)
        ready = _irq.wait(timeout, wanted)
        possible = (POLLIN if ready & _READABLE else 0) | (POLLOUT if ready & _WRITABLE else 0)
        return [(entry[0], entry[1] & possible) for entry in self._entries if entry[1] & possible]

    def _poll_with(self, sockets, timeout, wanted):
        ready, happened = call("net_wait", timeout, wanted, sockets)
        _irq.look()
        possible = (POLLIN if ready & _READABLE else 0) | (POLLOUT if ready & _WRITABLE else 0)
        events = []
        for entry in self._entries:
            handle = getattr(entry[0], "handle", None)
            if handle is None:
                if entry[1] & possible:
                    events.append((entry[0], entry[1] & possible))
            else:
                for other, what in happened:
                    if other == handle:
                        events.append((entry[0], what))
        return events

    def ipoll(self, timeout=-1, flags=0):
        return iter(self.poll(timeout))
