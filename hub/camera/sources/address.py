"""A source's address in messages and logs, which viewers and operators read: without its password."""

from __future__ import annotations

import re


def redacted(source: str) -> str:
    """Give the source's text without the password in its URL."""
    return re.sub(r"(://[^:/@\s]*):[^@/\s]*@", r"\1:***@", source)


def reason(error: Exception) -> str:
    """Say what went wrong in the system's words. FFmpeg's own name the address, password and all."""
    return getattr(error, "strerror", None) or type(error).__name__
