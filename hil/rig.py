"""The rig file: which boards one host can test, as data. Its words are labgrid's: a place has resources.

[hub]                                   # left out: the suite starts a hub of its own
url = "http://pi.local:8080"
token_file = "rig.token"                # of a token with role operator; relative to this file

[[place]]
name = "bench-1"
device = "e6614103e7452b2f"             # needed where the hub knows several serial devices
[place.resource]
port = "/dev/serial/by-id/usb-…"        # or: virtual = true
power_off = ["uhubctl", "-l", "1-1", "-p", "2", "-a", "off"]
power_on = ["uhubctl", "-l", "1-1", "-p", "2", "-a", "on"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.mismatch import mismatch
from hub.model import OutpostError

if TYPE_CHECKING:
    from pathlib import Path


class RigError(OutpostError):
    """The rig file, or what was asked of it, cannot be used; the message names the file and the key."""


class Resource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is at a place: a board on a serial port or a virtual one, and the power switch of its USB port."""

    port: str | None = None
    virtual: bool = False
    power_off: tuple[str, ...] = ()
    """A command that cuts the board's power; with `power_on`, the suite can unplug it."""
    power_on: tuple[str, ...] = ()


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A board with its wiring."""

    name: str
    resource: Resource
    device: str | None = None
    """Its device id; None: the only device that the hub reaches over a serial link."""


class HubAddress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hub that runs already, and the file that holds a token for it."""

    url: str
    token_file: str

    def token(self, folder: Path) -> str:
        """Return the token; a relative path is from `folder`. Raises RigError."""
        path = folder / self.token_file
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise RigError(f"{path}: the hub's token cannot be read: {error.strerror}") from error


class Rig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The places of one host, and the hub that reaches them."""

    place: tuple[Place, ...]
    hub: HubAddress | None = None

    def named(self, name: str | None) -> Place:
        """Return a place by name; None: the only one. Raises RigError."""
        found = [place for place in self.place if name in (None, place.name)]
        if len(found) == 1:
            return found[0]
        names = ", ".join(place.name for place in self.place)
        if name is None:
            raise RigError(f"the rig has several places: say which by --place: {names}")
        raise RigError(f"the rig has no place {name!r}; it has: {names}")


def load(path: Path) -> Rig:
    """Read and check a rig file. Raises RigError."""
    try:
        rig = msgspec.toml.decode(path.read_bytes(), type=Rig)
    except OSError as error:
        raise RigError(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.ValidationError as error:
        raise RigError(f"{path}: {mismatch(error, Rig).text}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RigError(f"{path}: {error}") from error
    _check(path, rig)
    return rig


def _check(path: Path, rig: Rig) -> None:
    if not rig.place:
        raise RigError(f"{path}: `place`: there is none")
    names = [place.name for place in rig.place]
    for place in rig.place:
        where = f"{path}: place {place.name!r}"
        if names.count(place.name) > 1:
            raise RigError(f"{where} is there twice")
        if place.resource.virtual == (place.resource.port is not None):
            raise RigError(f"{where}: `resource` needs either `port` or `virtual = true`")
        if bool(place.resource.power_off) != bool(place.resource.power_on):
            raise RigError(f"{where}: `power_off` and `power_on` go together")


def virtual_rig() -> Rig:
    """Return the rig of a host without hardware: one virtual board."""
    return Rig(place=(Place(name="virtual", resource=Resource(virtual=True)),))


def port_rig(port: str) -> Rig:
    """Return the rig of one board on a serial port."""
    return Rig(place=(Place(name=port, resource=Resource(port=port)),))
