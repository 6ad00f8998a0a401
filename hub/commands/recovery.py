"""After a hub ended: the trail is brought to an end, keys are remembered, and nothing is sent again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hub.commands.keys import REMEMBERED_KEYS, Keys, done
from hub.model import Command, CommandResult, CommandState
from hub.store.audit import CommandFilter

if TYPE_CHECKING:
    from hub.commands.journal import Journal
    from hub.commands.record import Recorder
    from hub.store.audit import AuditEntry
    from hub.store.store import Store

log = logging.getLogger(__name__)

NOT_SENT = "not sent: the hub ended before it was its turn"
UNKNOWN = (
    "unknown: the hub ended while the device had it; it may have been done, and is not sent again by itself"
)


async def recover(store: Store, journal: Journal | None, recorder: Recorder, keys: Keys) -> int:
    """Say what is known of the commands that were under way, and return how many. Raises StoreError."""
    for request, outcome in journal.read() if journal is not None else ():
        store.put_command(request, outcome)
    open_ = 0
    for state, error in ((CommandState.QUEUED, NOT_SENT), (CommandState.SENT, UNKNOWN)):
        entries = await _all(store, CommandFilter(state=state))
        for entry in entries:
            recorder.reached(_request(entry), CommandState.FAILED, error=error)
        open_ += len(entries)
    await _remember(store, keys)
    if journal is not None and store.degraded is None:
        journal.clear()
    if open_:
        log.warning("%d commands were under way when the hub ended: they count as failed", open_)
    return open_


async def _remember(store: Store, keys: Keys) -> None:
    keyed, _ = await store.commands(CommandFilter(keyed=True), limit=REMEMBERED_KEYS)
    for entry in reversed(keyed):
        if entry.state.final:
            keys.remember(_request(entry), done(_result(entry)))


async def _all(store: Store, wanted: CommandFilter) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    cursor = None
    while True:
        page, cursor = await store.commands(wanted, limit=1000, before=cursor)
        entries += page
        if cursor is None:
            return entries


def _request(entry: AuditEntry) -> Command:
    return Command(
        id=entry.id,
        device=entry.device,
        command=entry.command,
        params=entry.params,
        ttl_ms=entry.ttl_ms,
        caller=entry.caller,
        origin=entry.origin,
        created_time=entry.created_time,
        key=entry.key,
    )


def _result(entry: AuditEntry) -> CommandResult:
    return CommandResult(
        id=entry.id,
        device=entry.device,
        command=entry.command,
        state=entry.state,
        time=entry.times.get(entry.state, entry.created_time),
        result=entry.result,
        error=entry.error,
        caller=entry.caller,
        origin=entry.origin,
        key=entry.key,
    )
