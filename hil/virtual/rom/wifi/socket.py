# TCP clients as the rp2 port has them, without blocking. The bytes go by real sockets of the host.
import binascii
from errno import EINPROGRESS

from _host import call

AF_INET = 2
SOCK_STREAM = 1


def getaddrinfo(host, port, af=0, type=0, proto=0, flags=0):
    return [(AF_INET, SOCK_STREAM, 0, "", (call("net_lookup", host), port))]


class socket:
    def __init__(self, af=AF_INET, type=SOCK_STREAM, proto=0):
        self.handle = None  # select.poll knows a socket by it

    def setblocking(self, flag):
        if flag:
            raise OSError(95)  # EOPNOTSUPP: this one never blocks

    def connect(self, address):
        self.handle = call("net_open", *address)
        raise OSError(EINPROGRESS)

    def read(self, n=-1):
        data = call("net_read", self.handle, n)
        return None if data is None else binascii.a2b_base64(data)

    def write(self, data):
        return call("net_write", self.handle, binascii.b2a_base64(data).decode())

    recv = read
    send = write

    def close(self):
        if self.handle is not None:
            call("net_close", self.handle)
            self.handle = None
