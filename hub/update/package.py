"""The firmware as a package for boards: a manifest that names every file by its hash, and the files. Pure.

The manifest's form is in docs/protocol.md; firmware/update.py reads it on the board.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import msgspec

from hub.flash import plan
from hub.flash.image import FirmwareMissing, firmware

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.flash.image import BoardFile

VERSION_FILE = "/version.py"
# What a board can take; docs/protocol.md, firmware/update.py.
MANIFEST_BYTES = 8192
FILES = 128


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A firmware of one version. A board may fetch `parts`: the manifest, then each file in its order."""

    version: str
    parts: tuple[bytes, ...]

    @property
    def manifest_sha256(self) -> str:
        """The SHA-256 of the manifest, in hex: it stands for the whole."""
        return hashlib.sha256(self.parts[0]).hexdigest()

    @property
    def manifest_bytes(self) -> int:
        """The size of the manifest."""
        return len(self.parts[0])


def parsed(version: str) -> tuple[int, ...] | None:
    """Return a version as numbers that compare; None for what is none. Takes a birth's `0.2.0 on …`, too.

    >>> parsed("0.2.0 on MicroPython 1.27.0")
    (0, 2, 0)
    """
    found = re.match(r"(\d{1,6}(?:\.\d{1,6}){1,3})(?=\s|$)", version)
    return None if found is None else tuple(int(part) for part in found[1].split("."))


def make(
    files: Iterable[BoardFile],
    version: str,
    platforms: Iterable[str] = tuple(plan.PLATFORMS),
    oldest: tuple[int, ...] = plan.OLDEST,
) -> Package:
    """Return the package of `files`. Raises FirmwareMissing for one that no board would take."""
    files = tuple(files)
    head = f"outpost-firmware 1 {version} {','.join(platforms)} {'.'.join(map(str, oldest))}\n"
    lines = [f"{file.sha256} {len(file.data)} {file.path}\n" for file in files]
    manifest = "".join((head, *lines)).encode()
    if len(manifest) > MANIFEST_BYTES or len(files) > FILES:
        raise FirmwareMissing(f"the firmware has {len(files)} files, more than an update can name")
    return Package(version=version, parts=(manifest, *(file.data for file in files)))


def installed() -> Package:
    """Return the firmware that came with this hub. Raises FirmwareMissing."""
    files = firmware()
    source = next((file.data.decode() for file in files if file.path == VERSION_FILE), "")
    found = re.search(r'^VERSION = "([0-9.]+)"$', source, re.MULTILINE)
    if found is None:
        raise FirmwareMissing(f"{VERSION_FILE} names no version; is the installation complete?")
    return make(files, found[1])
