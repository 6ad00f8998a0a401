"""The VM's linear memory, as the host reads and writes it."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import wasmtime


class BadPointer(Exception):
    """The guest named an address outside its memory."""


class GuestMemory:
    """Bounds-checked access to a VM's memory. Little endian, as WebAssembly is.

    wasmtime reserves the whole 4 GiB of a 32-bit memory, so its base address stays when the memory grows.
    """

    def __init__(self, memory: wasmtime.Memory, store: wasmtime.Store) -> None:
        self._memory, self._store = memory, store
        self._base = ctypes.addressof(memory.data_ptr(store).contents)
        self._size = memory.data_len(store)

    def _at(self, address: int, length: int) -> int:
        address &= 0xFFFFFFFF  # wasmtime hands i32 over as signed
        if address + length > self._size:
            self._size = self._memory.data_len(self._store)
            if address + length > self._size:
                raise BadPointer(f"{address:#x}+{length}")
        return self._base + address

    def read(self, address: int, length: int) -> bytes:
        """Return `length` bytes. Raises BadPointer."""
        return ctypes.string_at(self._at(address, length), length)

    def write(self, address: int, data: bytes) -> None:
        """Put `data` at `address`. Raises BadPointer."""
        ctypes.memmove(self._at(address, len(data)), data, len(data))

    def write_u32(self, address: int, value: int) -> None:
        """Store one 32-bit word. Raises BadPointer."""
        ctypes.c_uint32.from_address(self._at(address, 4)).value = value

    def write_u64(self, address: int, value: int) -> None:
        """Store one 64-bit word. Raises BadPointer."""
        ctypes.c_uint64.from_address(self._at(address, 8)).value = value

    def i16(self, address: int) -> ctypes.c_int16:
        """Return the 16-bit word at `address` as a live view. Raises BadPointer."""
        return ctypes.c_int16.from_address(self._at(address, 2))

    def text(self, address: int, length: int) -> str:
        """Return UTF-8 text; bytes that are none become U+FFFD."""
        return self.read(address, length).decode(errors="replace")
