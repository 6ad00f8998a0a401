"""The file by which the command line finds the hub that runs on a data folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

LOCAL_ACCESS = "local.json"


class LocalAccess(msgspec.Struct, frozen=True):
    """What the command line on the same machine needs to reach the hub."""

    url: str
    token: str
    certificate: str | None = None
    """The file (PEM) of the certificate that the hub serves, when it serves TLS."""


def leave(data: Path, access: LocalAccess) -> None:
    """Write the file, readable by the hub's user alone."""
    path = data / LOCAL_ACCESS
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(access))


def clear(data: Path) -> None:
    """Remove the file: no hub runs here any more."""
    (data / LOCAL_ACCESS).unlink(missing_ok=True)
