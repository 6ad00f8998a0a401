"""Server-sent events as bytes (WHATWG HTML, 9.2): a batch for a filter, written once for all who share it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from hub.web.problem import encode

if TYPE_CHECKING:
    from hub.bus import Batch
    from hub.web.filters import Filter

RETRY_MS = 2000

_ID = re.compile(r"(?P<epoch>[0-9a-f]{8})-(?P<n>[0-9]{1,15})")


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the stream as plain bytes and as one HTTP chunk, and what is lost when it is dropped."""

    plain: bytes
    chunk: bytes
    samples: int = 0
    events: int = 0
    from_ms: int | None = None
    """The earliest source time among its samples."""

    @classmethod
    def of(cls, plain: bytes, *, samples: int = 0, events: int = 0, from_ms: int | None = None) -> Frame:
        """Make a frame; the chunk is RFC 9112's (7.1)."""
        chunk = b"%x\r\n%b\r\n" % (len(plain), plain)
        return cls(plain=plain, chunk=chunk, samples=samples, events=events, from_ms=from_ms)


def batch_frame(batch: Batch, wanted: Filter, epoch: str) -> Frame | None:
    """Return what `batch` has for a filter; None where that is nothing.

    The id stands in the last event alone: whoever read half a batch resumes before it, not within it.
    """
    rows = _rows(batch, wanted)
    texts = [event_text("samples", rows)] if rows else []
    # A lone event of the hub itself passes every filter.
    events = [event for event in batch.events if wanted.takes_device(event.device)]
    texts += [event_text(event.kind, event.data) for event in events]
    if not texts:
        return None
    return Frame.of(
        b"\n".join(texts) + id_line(epoch, batch.n) + b"\n",
        samples=len(rows),
        events=len(events),
        from_ms=min((row[2] for row in rows), default=None),
    )


def _rows(batch: Batch, wanted: Filter) -> list[tuple[str, str, int, Any, str]]:
    return [
        (reading.device, metric, reading.source_time_ms, value, reading.quality_of(value))
        for reading in batch.readings
        if wanted.takes_device(reading.device)
        for metric, value in zip(reading.metrics, reading.values, strict=True)
        if not wanted.metrics or metric in wanted.metrics
    ]


def event_text(kind: str, data: Any) -> bytes:
    """Return an event without its closing empty line, so that an id may follow."""
    return b"event: %b\ndata: %b\n" % (kind.encode(), encode(data))


def id_line(epoch: str, n: int) -> bytes:
    """Return the line that tells a client where it is."""
    return b"id: %b-%d\n" % (epoch.encode(), n)


def opening(epoch: str, n: int) -> bytes:
    """Return the first bytes: how soon to come back, and from where, even if no event ever comes."""
    return b"retry: %d\n%b\n" % (RETRY_MS, id_line(epoch, n))


def comment(epoch: str, n: int) -> bytes:
    """Return a sign of life that also moves the client's id on, past what its filter left out."""
    return b": alive\n%b\n" % id_line(epoch, n)


def parse_id(text: str) -> tuple[str, int] | None:
    """`1a2b3c4d-17` → (epoch, n); None where it is no id of ours."""
    found = _ID.fullmatch(text)
    return (found["epoch"], int(found["n"])) if found else None
