"""How much of the file each device's samples take: kept by triggers, so that nobody need look through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils import Database

TABLE = "size"
_ADD = """
INSERT INTO size (source, samples, bytes) VALUES (NEW.id >> 8 & 1048575, NEW.n, length(NEW.data))
ON CONFLICT DO UPDATE SET samples = samples + excluded.samples, bytes = bytes + excluded.bytes;
"""
_TAKE = """
UPDATE size SET samples = samples - OLD.n, bytes = bytes - length(OLD.data)
WHERE source = OLD.id >> 8 & 1048575;
"""


class DeviceSize(msgspec.Struct, frozen=True):
    """What a device's sealed samples come to. Rollups and what is not sealed yet are not in it."""

    device: str
    samples: int
    bytes: int


def add_sizes(db: Database) -> None:
    """Format 8: the file knows how large each device's samples are."""
    db.create_table(
        TABLE,
        {"source": int, "samples": int, "bytes": int},
        pk="source",
        not_null=("samples", "bytes"),
        strict=True,
    )
    db.execute(
        "INSERT INTO size SELECT id >> 8 & 1048575, sum(n), sum(length(data)) FROM chunk"
        " GROUP BY id >> 8 & 1048575"
    )
    for name, event, work in (
        ("came", "INSERT", _ADD),
        ("went", "DELETE", _TAKE),
        ("changed", "UPDATE OF n, data", _TAKE + _ADD),
    ):
        db.execute(f"CREATE TRIGGER chunk_{name} AFTER {event} ON chunk BEGIN {work} END")


def sizes(connection: sqlite3.Connection) -> list[DeviceSize]:
    """Return the devices' sizes, the largest first."""
    rows = connection.execute(
        "SELECT device, samples, bytes FROM size JOIN source ON source.id = source WHERE samples > 0"
        " ORDER BY bytes DESC, device"
    )
    return [DeviceSize(*row) for row in rows]
