"""Puts the firmware on a board: what belongs there, what is there, and how it is exchanged."""
