"""End to end: a hub process with virtual boards, Mosquitto and Chromium around it."""
