"""The MicroPython VM that stands in for a board's chip: where it lies, how it is built, how it is loaded."""
