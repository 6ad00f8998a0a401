"""The health of the link on one port, by the names of docs/link-health.md."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .console import Console
    from .frame import Decoder
    from .intake import Intake
    from .known import Boot


def figures(
    counts: "dict[str, int]", decoder: "Decoder", console: "Console", intake: "Intake", boot: "Boot | None"
) -> "dict[str, float]":
    """Return counters since the port opened, and gauges; those of a board's boot where one is known."""
    told: dict[str, float] = dict(counts)
    told["crc_errors"] = decoder.crc_errors
    told["resyncs"] = decoder.resyncs
    told["log_bytes"] = console.taken
    told["log_dropped"] = console.dropped
    told["bad_messages"] += intake.refused
    told["gaps"] = intake.gaps
    told["outbox_depth"] = intake.outbox_depth
    told["outbox_dropped"] = intake.outbox_dropped
    if boot is not None:
        told["resends"] = boot.inbox.resends
        told["duplicates"] = boot.inbox.duplicates
        if boot.clock.ready:
            told["rtt_ms"] = round(boot.clock.rtt_ms, 2)
            told["clock_bound_ms"] = round(boot.clock.best_bound_ms, 2)
    return told
