"""Who the devices are, kept over restarts."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import msgspec

from hub.model import Birth, LinkKind
from hub.store.format.hotlog import clean

if TYPE_CHECKING:
    import sqlite3

    from hub.store.writing.intake import Statement

log = logging.getLogger(__name__)


def statement(birth: Birth, link: LinkKind, last_seen_ms: int) -> Statement:
    """Return what records a birth, and with it the units and kinds of its metrics."""
    # The standard library's writer, since its ASCII escapes keep what no UTF-8 text can (lone surrogates).
    text = json.dumps(msgspec.to_builtins(birth), separators=(",", ":"))
    return (
        "INSERT INTO device (device, link, birth, last_seen) VALUES (?, ?, ?, ?) ON CONFLICT (device)"
        " DO UPDATE SET link = excluded.link, birth = excluded.birth, last_seen = excluded.last_seen",
        (clean(birth.device), str(link), text, last_seen_ms),
    )


def drop(device: str) -> Statement:
    """Return what forgets who a device is; its samples stay."""
    return "DELETE FROM device WHERE device = ?", (clean(device),)


def births(connection: sqlite3.Connection) -> list[tuple[Birth, LinkKind, int]]:
    """Return each device's last birth, its link and when it was last seen."""
    found: list[tuple[Birth, LinkKind, int]] = []
    for device, link, text, last_seen in connection.execute(
        "SELECT device, link, birth, last_seen FROM device ORDER BY device"
    ):
        try:
            found.append((msgspec.convert(json.loads(text), Birth), LinkKind(link), last_seen))
        except ValueError as error:
            # It comes back with the device's next session; its samples are untouched.
            log.warning("the stored birth of %s cannot be read: %s", device, error)
    return found
