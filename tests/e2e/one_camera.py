"""The configuration of a hub that has one camera, and neither ports nor a broker."""

from __future__ import annotations

CONFIG = """
[serial]
ports = []
[mqtt]
enabled = false
[[camera]]
id = "front"
width = 320
height = 240
"""
