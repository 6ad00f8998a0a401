# MicroPython's `dht` for the virtual board. Its pulses are too short for host calls: they give whole frames.
from _host import call


class DHTBase:
    def __init__(self, pin):
        self.pin = pin
        self.buf = bytearray(5)

    def measure(self):
        self.buf[:] = bytes.fromhex(call("dht_read", self.pin.id))
        if sum(self.buf[:4]) & 0xFF != self.buf[4]:
            raise Exception("checksum error")


class DHT22(DHTBase):
    def humidity(self):
        return (self.buf[0] << 8 | self.buf[1]) / 10

    def temperature(self):
        value = ((self.buf[2] & 0x7F) << 8 | self.buf[3]) / 10
        return -value if self.buf[2] & 0x80 else value
