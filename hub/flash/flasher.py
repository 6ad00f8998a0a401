"""Flashes one board. Blocking: use it in a thread.

Every file is copied under a temporary name beside its place and its hash is asked of the board; only when all
are whole does a script on the board rename them. A cut before that leaves the old firmware as it was, and
what was copied is not copied again; a cut in the renames is ended by the board itself at its next start.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from hub.flash import plan, scripts
from hub.links.raw_repl import BoardError, BoardFull, BoardGone, RawRepl
from hub.links.serial_port import PortAbsent
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.flash.image import BoardFile
    from hub.flash.plan import Board, Hashes, Plan

# Hashing all files on a slow flash; each is printed as it is done.
LOOK_S = 30.0
# For so long a board whose port comes and goes is tried.
CATCH_S = 12.0


class Damaged(OutpostError):
    """What was copied is not what the board has."""


def flash(
    port: str,
    files: Sequence[BoardFile],
    *,
    planned: Callable[[Board, Plan], None],
    copied: Callable[[int], None],
    dry_run: bool = False,
) -> None:
    """Put `files` on the board at `port` and restart it.

    `planned` is told what was found and will be done, `copied` the bytes of each piece; what it raises ends
    the work. With `dry_run` nothing is written. Raises PortAbsent, PortUnusable, links.raw_repl.BoardError,
    WrongChip, NoRoom, Damaged.
    """
    with _entered(port) as repl:
        try:
            board = scripts.identified(repl.run(scripts.IDENTIFY))
            plan.check(board)
            if not dry_run:
                repl.run(scripts.SETTLE)
            todo = plan.make(files, board, _look(repl, files))
            planned(board, todo)
            if todo.exchange and not dry_run:
                _exchange(repl, todo, copied)
        except BaseException:
            # What stood there before runs on; a board that is gone hears nothing.
            with contextlib.suppress(BoardError):
                repl.restart()
            raise
        repl.restart()


def _entered(port: str) -> RawRepl:
    """Enter the board's REPL. One that starts again and again takes its port with it: try until caught."""
    end_s = time.monotonic() + CATCH_S
    caught: BoardError | None = None
    while True:
        try:
            return RawRepl(port)
        except BoardGone as error:
            caught = error
        except PortAbsent:
            if caught is None:
                raise
        if time.monotonic() > end_s:
            raise caught
        time.sleep(0.1)


def _look(repl: RawRepl, files: Sequence[BoardFile]) -> Hashes:
    return scripts.seen(repl.run(scripts.look(files), LOOK_S))


def _exchange(repl: RawRepl, todo: Plan, copied: Callable[[int], None]) -> None:
    repl.run(scripts.folders(todo.exchange))
    try:
        for file in todo.copy:
            repl.write(file.path + plan.STAGED, file.data, copied)
    except BoardFull:
        repl.run(scripts.forget(todo.exchange))
        raise
    hashes = _look(repl, todo.exchange)
    damaged = [file.path for file in todo.exchange if hashes[file.path][1] != file.sha256]
    if damaged:
        repl.run(scripts.forget(todo.exchange))
        raise Damaged(
            f"{', '.join(damaged)} did not arrive whole; the board keeps what it had. Run it again, with "
            "another cable if this comes again"
        )
    repl.run(scripts.exchange(todo.exchange))
