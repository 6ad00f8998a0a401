"""Sensors and outputs wired to the Pi itself: sysfs, GPIO, PWM, and I2C with the boards' own driver files."""
