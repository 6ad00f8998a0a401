"""The firmware's files, with their paths on a board."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import hub
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a board needs of the wire package; the rest is the hub's side.
WIRE = ("__init__.py", "frame.py", "message.py", "fragments.py", "ongoing.py", "board_session.py")
CONFIGURATION = "/board.json"
# A board parses its configuration in RAM, beside everything else.
CONFIGURATION_BYTES = 16_384
START = "/main.py"
TRIAL = "/trial.py"


class FirmwareMissing(OutpostError):
    """The firmware's files are not where an installation has them."""


class BadConfiguration(OutpostError):
    """A board's configuration cannot be used; the message names the file and the reason."""


class BoardFile(msgspec.Struct, frozen=True):
    """A file as it is to be on a board: `path` begins with /."""

    path: str
    data: bytes

    @property
    def sha256(self) -> str:
        """The SHA-256 of the content, in hex."""
        return hashlib.sha256(self.data).hexdigest()


def firmware_folder() -> Path:
    """Return the firmware: beside `hub` in a checkout, in it when installed. Raises FirmwareMissing."""
    package = Path(hub.__file__).parent
    folders = (package.parent / "firmware", package / "firmware")
    for folder in folders:
        if (folder / "main.py").is_file() and (folder / "node.py").is_file():
            return folder
    raise FirmwareMissing(f"{folders[1]}: holds no main.py; is the installation complete?")


def firmware() -> list[BoardFile]:
    """Return all files of the firmware, `main.py` last, so that nothing starts that is not whole.

    Raises FirmwareMissing.
    """
    files = sorted(_read(), key=lambda file: (file.path == START, file.path))
    if not any(file.path == "/wire/board_session.py" for file in files):
        raise FirmwareMissing("the wire package is incomplete; is the installation complete?")
    return files


def _read() -> Iterator[BoardFile]:
    folder = firmware_folder()
    wire = Path(hub.__file__).parent / "wire"
    try:
        for file in folder.rglob("*.py"):
            if "__pycache__" not in file.parts:
                yield BoardFile("/" + file.relative_to(folder).as_posix(), file.read_bytes())
        for name in WIRE:
            yield BoardFile(f"/wire/{name}", (wire / name).read_bytes())
    except OSError as error:
        raise FirmwareMissing(f"{error.filename}: cannot be read: {error.strerror}") from error


def configuration(path: Path) -> BoardFile:
    """Return a board's configuration from a file of this machine. Raises BadConfiguration.

    What the board makes of it, the board says itself; here it must be a JSON object of bearable size.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadConfiguration(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > CONFIGURATION_BYTES:
        raise BadConfiguration(f"{path}: has {len(data)} bytes; a board takes at most {CONFIGURATION_BYTES}")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadConfiguration(f"{path}: is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise BadConfiguration(f'{path}: must be a JSON object, such as {{"name": "Greenhouse"}}')
    return BoardFile(CONFIGURATION, data)
