# Makes `sys` and `os` what firmware finds on a board; the VM's own are those of a Unix process.
import io
import os
import sys

import _host


class _Console(io.IOBase):
    # The text side of stdout. fd 1 turns LF into CR LF; fd 2 is the same console, raw.
    def __init__(self):
        self.buffer = sys.stderr

    def write(self, data):
        return sys.stdout.write(data)

    def ioctl(self, op, arg):
        return 4 & arg if op == 3 else 0  # MP_STREAM_POLL: writable


class _Proxy:
    # A module with some names replaced.
    def __init__(self, module, **replaced):
        self._module = module
        for name, value in replaced.items():
            setattr(self, name, value)

    def __getattr__(self, name):
        return getattr(self._module, name)


def _ilistdir(path="."):
    # A Unix VFS leaves sizes out; a board's says them.
    for entry in os.ilistdir(path):
        size = 0 if entry[1] == 0x4000 else os.stat(path + "/" + entry[0])[6]
        yield entry[0], entry[1], entry[2], size


def _statvfs(path):
    return tuple(_host.call("statvfs"))


def _uname():
    machine = "Virtual board with RP2040"
    release = sys.version.split("MicroPython ")[1].split(" ")[0]
    return ("rp2", "rp2", release, sys.version, machine)


def install():
    sys.path[:] = ["", "/lib", "/rom"]
    sys.modules["sys"] = _Proxy(sys, platform="rp2", stdout=_Console(), path=sys.path)
    sys.modules["os"] = _Proxy(os, ilistdir=_ilistdir, statvfs=_statvfs, uname=_uname, sync=lambda: None)
    os.chdir("/")
