"""A fake of the bindings for screens: picamera2 imports them for previews that nobody asks for."""

from __future__ import annotations

from unittest.mock import MagicMock

PixelFormat = MagicMock()
