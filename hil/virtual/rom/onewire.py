# MicroPython's `onewire` for the virtual board. A port makes the time slots itself; here they are host calls,
# down to single bits where the caller asks for them, so that the search is a real one.
from _host import call


class OneWireError(Exception):
    pass


class OneWire:
    SEARCH_ROM = 0xF0
    MATCH_ROM = 0x55
    SKIP_ROM = 0xCC

    def __init__(self, pin):
        self.pin = pin

    def reset(self, required=False):
        present = call("onewire_reset", self.pin.id)
        if required and not present:
            raise OneWireError
        return present

    def readbit(self):
        return call("onewire_bit", self.pin.id, 1)

    def writebit(self, value):
        call("onewire_bit", self.pin.id, 1 if value else 0)

    def readbyte(self):
        return bytes.fromhex(call("onewire_read", self.pin.id, 1))[0]

    def readinto(self, buf):
        buf[:] = bytes.fromhex(call("onewire_read", self.pin.id, len(buf)))

    def writebyte(self, value):
        self.write(bytes([value]))

    def write(self, buf):
        call("onewire_write", self.pin.id, bytes(buf).hex())

    def select_rom(self, rom):
        self.reset()
        self.writebyte(self.MATCH_ROM)
        self.write(rom)

    def scan(self):
        # Maxim's application note 187: each pass takes the other way at the last fork where it took 0.
        found = []
        rom = bytearray(8)
        fork = 64
        while fork >= 0:
            fork = self._pass(rom, fork)
            if fork is None:
                break
            found.append(bytearray(rom))
        return found

    def _pass(self, rom, fork):
        # From `fork` (64: none yet). Returns the last fork that was left by 0, -1 for none, None for nobody.
        if not self.reset():
            return None
        self.writebyte(self.SEARCH_ROM)
        last = -1
        for place in range(64):
            index, mask = place >> 3, 1 << (place & 7)
            bit, complement = self.readbit(), self.readbit()
            if bit and complement:
                return None
            if bit == complement:  # devices differ here
                if place == fork:
                    bit = 1
                elif place < fork and fork < 64:
                    bit = 1 if rom[index] & mask else 0
                if not bit:
                    last = place
            self.writebit(bit)
            rom[index] = rom[index] | mask if bit else rom[index] & ~mask
        return last

    def crc8(self, data):
        crc = 0
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ 0x8C if crc & 1 else crc >> 1
        return crc
