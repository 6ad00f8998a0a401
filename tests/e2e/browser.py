"""Debian's Chromium, headless and quiet."""

from __future__ import annotations

import shutil

FLAGS = [
    "--no-sandbox",  # tests run as root in CI
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


def chromium() -> str:
    """Return the system's Chromium; `make test` installs it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found is not None, "no Chromium here: run `make test`, which installs it"
    return found
