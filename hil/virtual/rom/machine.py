# MicroPython's `machine` for the virtual board: the part of the rp2 port that firmware here uses.
import time

import _host
import _irq
from _host import call

PWRON_RESET = 1
WDT_RESET = 3


def unique_id():
    return bytes.fromhex(_host.boot["uid"])


def reset_cause():
    return _host.boot["cause"]


def reset():
    call("reset", WDT_RESET)  # rp2 resets by its watchdog, and says so afterwards


def soft_reset():
    call("reset", 5)


def freq(hz=None):
    return 125_000_000


def idle():
    pass


class Pin:
    IN = 0
    OUT = 1
    OPEN_DRAIN = 2
    PULL_UP = 1
    PULL_DOWN = 2
    IRQ_FALLING = 4
    IRQ_RISING = 8

    def __init__(self, id, mode=-1, pull=-1, value=None):
        self.id = id
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, value=None):
        if value is not None:
            self.value(value)

    def value(self, x=None):
        if x is None:
            return call("pin_get", self.id)
        call("pin_set", self.id, 1 if x else 0)

    def __call__(self, x=None):
        return self.value(x)

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    high = on
    low = off

    def irq(self, handler=None, trigger=IRQ_FALLING | IRQ_RISING, *, priority=1, wake=None, hard=False):
        _irq.watch(self, handler, bool(trigger & Pin.IRQ_RISING), bool(trigger & Pin.IRQ_FALLING))

    def toggle(self):
        self.value(1 - self.value())


class ADC:
    CORE_TEMP = 4

    def __init__(self, channel):
        self._channel = channel.id if isinstance(channel, Pin) else channel

    def read_u16(self):
        return call("adc", self._channel)


class PWM:
    def __init__(self, dest, freq=1000, duty_u16=0):
        self._pin = dest.id if isinstance(dest, Pin) else dest
        self._freq = freq
        self.duty_u16(duty_u16)

    def freq(self, value=None):
        if value is None:
            return self._freq
        self._freq = value
        self.duty_u16(self._duty)

    def duty_u16(self, value=None):
        if value is None:
            return self._duty
        self._duty = value
        call("pwm_set", self._pin, value, self._freq)

    def deinit(self):
        self.duty_u16(0)


class I2C:
    def __init__(self, id=0, *, scl=None, sda=None, freq=400_000, timeout=50_000):
        self._id = id

    def scan(self):
        return call("i2c_scan", self._id)

    def readfrom(self, addr, nbytes, stop=True):
        return bytes.fromhex(call("i2c_read", self._id, addr, nbytes))

    def readfrom_into(self, addr, buf, stop=True):
        buf[:] = self.readfrom(addr, len(buf))

    def writeto(self, addr, buf, stop=True):
        call("i2c_write", self._id, addr, bytes(buf).hex())
        return len(buf)

    def writevto(self, addr, vector, stop=True):
        return self.writeto(addr, b"".join(vector))

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        self.writeto(addr, memaddr.to_bytes(addrsize // 8, "big"))
        return self.readfrom(addr, nbytes)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        buf[:] = self.readfrom_mem(addr, memaddr, len(buf), addrsize=addrsize)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self.writeto(addr, memaddr.to_bytes(addrsize // 8, "big") + bytes(buf))


class SoftI2C(I2C):
    def __init__(self, scl, sda, *, freq=400_000, timeout=50_000):
        super().__init__(0)


class WDT:
    def __init__(self, id=0, timeout=5000):
        if not 1 <= timeout <= 8388:
            raise ValueError("timeout exceeds 8388")
        self._timeout = timeout
        self.feed()

    def feed(self):
        call("watchdog", self._timeout)


class _Mem32:
    # The two registers of an RP2040 that firmware here uses: the watchdog's reason, and its switch.
    def __getitem__(self, address):
        if address == 0x40058008:
            return _host.boot["bitten"]
        raise NotImplementedError("mem32[0x%x]" % address)

    def __setitem__(self, address, value):
        if address != 0x4005B000:
            raise NotImplementedError("mem32[0x%x]" % address)
        if value & 1 << 30:
            call("watchdog_off")


mem32 = _Mem32()


class RTC:
    def datetime(self, value=None):
        if value is None:
            t = time.gmtime()
            return (t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0)
        year, month, day, _, hour, minute, second, _ = value
        call("set_rtc", time.mktime((year, month, day, hour, minute, second, 0, 0)))
