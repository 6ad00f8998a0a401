# poll() on the console as one host call that really blocks; the VM's own spins in steps of 500 us.
import _irq

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
        for entry in self._entries:
            mask |= entry[1]
        wanted = (_READABLE if mask & POLLIN else 0) | (_WRITABLE if mask & POLLOUT else 0)
        ready = _irq.wait(-1 if timeout is None else timeout, wanted)
        possible = (POLLIN if ready & _READABLE else 0) | (POLLOUT if ready & _WRITABLE else 0)
        return [(entry[0], entry[1] & possible) for entry in self._entries if entry[1] & possible]

    def ipoll(self, timeout=-1, flags=0):
        return iter(self.poll(timeout))
