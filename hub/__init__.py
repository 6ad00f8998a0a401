"""Outpost: a telemetry hub for a Raspberry Pi in the field."""

__version__ = "0.1.0"
