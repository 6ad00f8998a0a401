"""A journal of commands that tells on fd 1 what it holds to be on the medium. Not a test."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from hub.commands.durable import Durable
from hub.commands.journal import Journal
from hub.model import Command, CommandResult, CommandState

LINES = 40
COMMAND = Command(
    id="", device="d", command="c", params={}, ttl_ms=1, caller="u", origin="http", created_time=1
)


async def main(folder: Path, synced: bool) -> None:
    """Write line after line."""
    durable = Durable(folder, sync_s=0.001)
    journal = Journal(folder, lambda: True, durable=durable if synced else None)
    for number in range(LINES):
        journal.put(
            CommandResult(id=f"{number}", device="d", command="c", state=CommandState.QUEUED, time=number),
            COMMAND,
        )
        if number % 3 == 0:
            while not durable.settled:
                await asyncio.sleep(0.001)
            os.write(1, b"%d\n" % number)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2] == "synced"))
