"""What commands did since the store last had it: a file that outlives `kill -9`, line by line.

The store commits in groups, a moment later; a command that a device has must be in the trail before. A line
is one write(2), so it is the kernel's as soon as the call returns, and no command waits for a disk. Lines are
synced in groups (`hub.commands.durable`): a power cut takes the last quarter of a second of them.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import msgspec

from hub.model import Command, CommandResult  # noqa: TC001 - msgspec resolves the fields' types

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.commands.durable import Durable

log = logging.getLogger(__name__)

NAME = "commands.journal"
FULL_BYTES = 2 << 20


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """A state that was reached; the first line of a command tells what it is."""

    result: CommandResult
    command: Command | None = None


class Journal:
    """An append-only file in the data folder, and the one before it. Loop thread only.

    `settled` tells whether the store has what is older than a moment; while it has not, nothing is dropped.
    `durable` is told of every write.
    """

    def __init__(
        self,
        folder: Path,
        settled: Callable[[], bool],
        full_bytes: int = FULL_BYTES,
        durable: Durable | None = None,
    ) -> None:
        self._path = folder / NAME
        self._before = folder / f"{NAME}.1"
        self._settled = settled
        self._full_bytes = full_bytes
        self._durable = durable
        self._descriptor: int | None = None
        self._size = 0
        self._failing = False
        self._encoder = msgspec.json.Encoder()

    def read(self) -> list[tuple[Command, CommandResult]]:
        """Return every state that the files tell of, in order. A line that was cut short is left out."""
        known: dict[str, Command] = {}
        states: list[tuple[Command, CommandResult]] = []
        decoder = msgspec.json.Decoder(Line)
        for path in (self._before, self._path):
            for text in _lines(path):
                try:
                    line = decoder.decode(text)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
                if line.command is not None:
                    known[line.result.id] = line.command
                if (command := known.get(line.result.id)) is not None:
                    states.append((command, line.result))
        return states

    def clear(self) -> None:
        """Begin anew: the store has it all."""
        self.close()
        for path in (self._before, self._path):
            path.unlink(missing_ok=True)

    def put(self, result: CommandResult, command: Command | None = None) -> None:
        """Write that a state was reached. Never raises: on a full disk only the store tells of it."""
        try:
            content = self._encoder.encode(Line(result, command)) + b"\n"
        except (TypeError, ValueError):
            # What no JSON can hold (a lone surrogate) is in the store's form of it soon.
            content = self._encoder.encode(Line(msgspec.structs.replace(result, result=None, error=None)))
            content += b"\n"
        try:
            self._write(content)
            self._failing = False
        except OSError as error:
            if not self._failing:
                log.error("%s: cannot be written: %s", self._path, error)
            self._failing = True

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            if self._durable is not None:
                self._durable.closes()
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, content: bytes) -> None:
        if self._size + len(content) > self._full_bytes and self._settled():
            self.close()
            if self._path.exists():
                self._path.replace(self._before)
        made = self._descriptor is None
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._size = os.fstat(self._descriptor).st_size
        os.write(self._descriptor, content)
        self._size += len(content)
        if self._durable is not None:
            self._durable.wrote(self._descriptor, made=made)


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        log.error("%s: cannot be read: %s", path, error)
        return []
