"""What was known at a time: the last sample of each metric, looked for backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.model import Quality  # noqa: TC001 - msgspec resolves the fields' types
from hub.store.queries import history
from hub.store.queries.series import piece_from
from hub.store.writing.samples import MAX_TIME_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.model import Value
    from hub.store.queries.series import Series


class Known(msgspec.Struct, frozen=True):
    """The last sample of a metric at a time."""

    device: str
    metric: str
    time: int
    value: Value
    quality: Quality


def known(found: Sequence[Series], at_ms: int, back_ms: int) -> list[Known]:
    """Return the last sample of each metric in `at_ms - back_ms <= time <= at_ms`. Raises QueryRefused."""
    history.check_span(at_ms, min(at_ms + 1, MAX_TIME_MS))
    from_ms = max(0, at_ms - back_ms)
    answer = []
    for series in found:
        pieces = next(series.pieces_back(from_ms, at_ms + 1), None)
        if pieces is not None:
            last = max(int(piece.times[-1]) for piece in pieces)
            ends = [cut for piece in pieces if (cut := piece_from(piece, last)) is not None]
            row = history.rows_of(ends)[-1]
            answer.append(Known(series.device, series.metric, row.time, row.value, row.quality))
    return answer
