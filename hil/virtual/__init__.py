"""The virtual board: MicroPython on a real VM, with the hardware around it simulated and a pty for its USB."""
