# The asyncio package was made for CircuitPython, where ticks come from here. MicroPython has them built in.
from time import ticks_add, ticks_diff, ticks_ms
