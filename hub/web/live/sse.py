"""Server-sent events as bytes (WHATWG HTML, 9.2): what a filter lets through, written once for all."""

from __future__ import annotations

import re
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from hub.web.live.packing import packed
from hub.web.problem import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from hub.bus import Batch
    from hub.web.live.filters import Filter

RETRY_MS = 2000

Row: TypeAlias = "tuple[str, str, int, Any, str]"
"""Device, metric, source time in ms, value, quality."""

Passed: TypeAlias = "tuple[tuple[tuple[int, ...], ...], tuple[bool, ...]]"
"""The places of each reading's metrics, and of each event whether it."""

_ID = re.compile(r"(?P<epoch>[0-9a-f]{8})-(?P<n>[0-9]{1,15})")


class Frame(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A piece of the stream as plain bytes and as one HTTP chunk, and what is lost when it is dropped."""

    plain: bytes
    chunk: bytes
    since: int = 0
    """A client that lacks this frame, and nothing before it, stands at this number."""
    samples: int = 0
    events: int = 0
    from_ms: int | None = None
    """The earliest source time among its samples."""

    @cached_property
    def packed(self) -> bytes:
        """The same as one HTTP chunk of the compressed stream, made when the first client wants it."""
        return chunk(packed(self.plain))

    @classmethod
    def of(cls, plain: bytes) -> Frame:
        """Make a frame without samples and events."""
        return cls(plain=plain, chunk=chunk(plain))


Form: TypeAlias = "Callable[[Frame], bytes]"
"""Which of a frame's bytes a client gets."""
PLAIN: Form = attrgetter("plain")
CHUNK: Form = attrgetter("chunk")
PACKED: Form = attrgetter("packed")


def chunk(plain: bytes) -> bytes:
    """Return bytes as one HTTP chunk (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(plain), plain)


def frame_of(
    batches: Sequence[Batch], wanted: Filter, epoch: str, *, since: int, latest: bool = False
) -> Frame | None:
    """Return what `batches`, which follow on `since`, have for a filter; None where that is nothing.

    With `latest`, or where the filter bounds the rate, of each metric the latest sample alone. The id stands
    in the last event alone: whoever read half a frame resumes before it, not within it.
    """
    rows: Collection[Row] = [row for batch in batches for row in _rows(batch, wanted)]
    if latest or wanted.max_hz is not None:
        rows = _latest(rows)
    texts = [event_text("samples", rows)] if rows else []
    # A lone event of the hub itself passes every filter.
    events = [event for batch in batches for event in batch.events if wanted.takes_device(event.device)]
    texts += [event_text(event.kind, event.data) for event in events]
    if not texts:
        return None
    plain = b"\n".join(texts) + id_line(epoch, batches[-1].n) + b"\n"
    return Frame(
        plain=plain,
        chunk=chunk(plain),
        since=since,
        samples=len(rows),
        events=len(events),
        from_ms=min((row[2] for row in rows), default=None),
    )


def let_through(batch: Batch, wanted: Filter) -> Passed:
    """Return what a filter lets through of a batch: filters of whom that is the same share a frame of it."""
    picks = wanted.picks
    return (
        tuple([picks(reading.device, reading.metrics) for reading in batch.readings]),
        tuple([wanted.takes_device(event.device) for event in batch.events]),
    )


def _rows(batch: Batch, wanted: Filter) -> list[Row]:
    picks = wanted.picks
    return [
        (reading.device, reading.metrics[place], reading.source_time_ms, value, reading.quality_of(value))
        for reading in batch.readings
        for place in picks(reading.device, reading.metrics)
        for value in (reading.values[place],)
    ]


def _latest(rows: Iterable[Row]) -> Collection[Row]:
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        held = found.get(row[:2])
        if held is None or held[2] <= row[2]:
            found[row[:2]] = row
    return list(found.values())


def event_text(kind: str, data: Any) -> bytes:
    """Return an event without its closing empty line, so that an id may follow."""
    return b"event: %b\ndata: %b\n" % (kind.encode(), encode(data))


def id_line(epoch: str, n: int) -> bytes:
    """Return the line that tells a client where it is."""
    return b"id: %b-%d\n" % (epoch.encode(), n)


def opening(position: tuple[str, int] | None) -> bytes:
    """Return the first bytes: how soon to come back, and from where, even if no event ever comes."""
    return b"retry: %d\n%b\n" % (RETRY_MS, id_line(*position) if position is not None else b"")


def comment(epoch: str, n: int) -> bytes:
    """Return a sign of life that also moves the client's id on, past what its filter left out."""
    return b": alive\n%b\n" % id_line(epoch, n)


def parse_id(text: str) -> tuple[str, int] | None:
    """`1a2b3c4d-17` → (epoch, n); None where it is no id of ours."""
    found = _ID.fullmatch(text)
    return (found["epoch"], int(found["n"])) if found else None
