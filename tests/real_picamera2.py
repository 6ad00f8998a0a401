"""picamera2 itself over a fake libcamera, for a process of its own; whether it is installed for the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent
_INSTALLED = _ROOT / "build/picamera2"

needs_picamera2 = pytest.mark.skipif(
    not _INSTALLED.is_dir(), reason="picamera2 does not install on this Python, see the Makefile"
)


def run_with_picamera2(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a Python that has picamera2, over a fake libcamera."""
    path = os.pathsep.join(map(str, (_ROOT, _ROOT / "tests/stub_libcamera", _INSTALLED)))
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
