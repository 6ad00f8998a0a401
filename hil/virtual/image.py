"""What is on a virtual board's flash: the firmware, the wire package, a demo board's configuration."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import hub
from hub.flash.image import firmware_folder

_SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "README*", "*.toml", "*.ini", "*.pyi")


def wire_folder() -> Path:
    """Return the wire package, which hub and boards share; it is `/wire` on a board."""
    return Path(hub.__file__).parent / "wire"


def put(root: Path, path: str, content: str | bytes | Path) -> None:
    """Put a file or folder into a board's flash folder at a path of the board. Raises OSError.

    A file that is there with the same bytes is left alone, as a flash tool does.
    """
    target = root / path.lstrip("/")
    if isinstance(content, Path) and content.is_dir():
        shutil.copytree(content, target, dirs_exist_ok=True, ignore=_SKIPPED, copy_function=_copy)
        return
    data = content.read_bytes() if isinstance(content, Path) else content
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(target, data.encode() if isinstance(data, str) else data)


def _copy(source: str, target: str) -> str:
    _write(Path(target), Path(source).read_bytes())
    return target


def _write(target: Path, data: bytes) -> None:
    if not target.is_file() or target.read_bytes() != data:
        target.write_bytes(data)


def demo_configuration(name: str) -> dict[str, Any]:
    """Return `board.json` of a demo board, for the wiring of `hardware.demo_wiring`."""
    return {
        "name": name,
        "interval_ms": 1000,
        "sensors": [
            {"driver": "sht3x", "i2c": 0, "sda": 4, "scl": 5},
            {
                "driver": "adc",
                "pin": 26,
                "name": "light",
                "title": "Light",
                "unit": "lx",
                "decimals": 0,
                "per_volt": 3030.3,
            },
            {
                "driver": "adc",
                "pin": 27,
                "name": "vibration",
                "title": "Vibration",
                "unit": "g",
                "decimals": 3,
                "per_volt": 1.51515,
                "zero_v": 1.65,
                "interval_ms": 100,
            },
            {"driver": "digital_in", "pin": 15, "name": "door", "title": "Door open"},
        ],
    }


def assemble(root: Path, configuration: dict[str, Any]) -> None:
    """Put the firmware on a board's flash, and `board.json` unless one is there. Raises FirmwareMissing."""
    put(root, "/", firmware_folder())
    put(root, "/wire", wire_folder())
    if not (root / "board.json").exists():
        put(root, "board.json", json.dumps(configuration, indent=1))
