"""Chips on a virtual board's buses, answering as their datasheets say: one file a chip."""

from hil.virtual.chips.bus import Chip, I2cBus, NoAcknowledge
from hil.virtual.chips.sht3x import Sht3x, sensirion_crc8

__all__ = ["Chip", "I2cBus", "NoAcknowledge", "Sht3x", "sensirion_crc8"]
