"""The virtual board: MicroPython on a real VM, simulated hardware around it, and a pty for its USB."""
