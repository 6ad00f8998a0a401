"""Readings that wait for the hub's ack: a bounded ring of bytes, oldest dropped and counted when full."""


class Outbox:
    """Payloads by seq, packed one after another into one block of memory: no garbage, no fragmented heap.

    `put` returns nothing and never fails: where room is short, the oldest go and `dropped` counts them.
    Each entry is its length (one byte) and its bytes; a zero length sends the reader back to the start.
    """

    def __init__(self, size: int) -> None:
        if size < 512:
            raise ValueError("an outbox of less than 512 bytes holds nothing")
        self.size = size
        self.first_seq = 0
        self.next_seq = 0
        self.dropped = 0
        self._ring = bytearray(size)
        self._head = 0  # where the next entry goes
        self._tail = 0  # where the oldest begins
        self._at_seq = 0  # a known place, so that reading on in order need not search
        self._at = 0

    def __len__(self) -> int:
        return self.next_seq - self.first_seq

    def put(self, payload: bytes) -> None:
        """Append the payload (1 to 255 bytes) of reading `next_seq`."""
        need = len(payload) + 1
        ring = self._ring
        if self._head + need > len(ring):
            while self.first_seq < self.next_seq and self._tail >= self._head:
                self._drop_oldest()
            if self._head < len(ring):
                ring[self._head] = 0
            self._head = 0
            if self.first_seq == self.next_seq:
                self._tail = 0
        while self.first_seq < self.next_seq and self._head <= self._tail < self._head + need:
            self._drop_oldest()
        if self.first_seq == self.next_seq:
            self._tail = self._at = self._head
            self._at_seq = self.first_seq
        ring[self._head] = need - 1
        ring[self._head + 1 : self._head + need] = payload
        self._head += need
        self.next_seq += 1

    def get(self, seq: int) -> "bytes | None":
        """Return the payload of reading `seq`, or None where it is not (or no longer) here."""
        if not self.first_seq <= seq < self.next_seq:
            return None
        if not self.first_seq <= self._at_seq <= seq:
            self._at_seq = self.first_seq
            self._at = self._tail
        at = self._start(self._at)
        while self._at_seq < seq:
            at = self._start(at + 1 + self._ring[at])
            self._at_seq += 1
        self._at = at
        return bytes(self._ring[at + 1 : at + 1 + self._ring[at]])

    def forget(self, before_seq: int) -> None:
        """Free the readings before `before_seq`: they are committed."""
        while self.first_seq < before_seq and self.first_seq < self.next_seq:
            self._advance()

    def _drop_oldest(self) -> None:
        self._advance()
        self.dropped += 1

    def _advance(self) -> None:
        tail = self._start(self._tail)
        self._tail = tail + 1 + self._ring[tail]
        self.first_seq += 1
        if self.first_seq < self.next_seq:
            self._tail = self._start(self._tail)

    def _start(self, at: int) -> int:
        """Return where the entry begins that follows in order: here, or at the ring's start."""
        return 0 if at >= len(self._ring) or self._ring[at] == 0 else at
