"""The work of `outpost flash`: find the board, borrow its port, copy, and wait for the birth."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import click

from hub.cli.client import Failed
from hub.cli.enrolling import vouch
from hub.cli.loan import borrowed
from hub.cli.table import table
from hub.flash import flasher
from hub.links import usb
from hub.links.first_birth import first_birth
from hub.links.holders import holders
from hub.links.raw_repl import BoardGone
from hub.links.serial_port import PortUnusable
from hub.model import Birth, OutpostError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from click._termui_impl import ProgressBar

    from hub.flash.image import BoardFile
    from hub.flash.plan import Board, Plan

__all__ = ["BoardGone", "only_board", "run"]

# From the reset to the birth: USB comes back, MicroPython and the firmware start, the session opens.
BIRTH_S = 30.0
# A hub that lets go of a port needs a moment; a program that is there for longer stays.
FREE_S = 3.0


def only_board() -> str:
    """Return the port of the only board here. Raises Failed, click.UsageError."""
    found = usb.boards()
    if len(found) > 1:
        listed = "".join(f"\n  {board.text}" for board in found)
        raise click.UsageError(f"several ports may be boards; name one:{listed}")
    if found:
        return found[0].device
    if drives := usb.bootloaders():
        raise Failed(
            f"a board waits for MicroPython (the drive {drives[0]}): copy the .uf2 file for it from "
            "https://micropython.org/download/ there, and run this again"
        )
    raise Failed(
        "no board was found on USB: plug it in by a cable that carries data (many only charge), or name its "
        "port, as in `outpost flash /dev/ttyACM0`; `outpost doctor` says what is here"
    )


async def run(port: str, files: Sequence[BoardFile], data: Path, *, dry_run: bool) -> None:
    """Put `files` on the board at `port`, and show what it is then. Raises OutpostError."""
    before = await asyncio.to_thread(usb.at, port)
    async with borrowed(data, port) as held:
        if held:
            click.echo(f"the hub lends {port}")
        await _free(port)
        try:
            await _copy(port, files, dry_run=dry_run)
        except PortUnusable as error:
            raise Failed(f"{error}; of a hub that has it, name the data folder with --data") from error
        if dry_run:
            return
        click.echo("starting the board")
        birth = await first_birth(_finder(port, before), BIRTH_S)
        _show(birth)
        # Before the hub has the port back: what was flashed here is no stranger to it.
        click.echo(f"\n{await vouch(data, birth.device)}")


def _finder(port: str, before: usb.UsbPort | None) -> Callable[[], str | None]:
    """Return what finds the board's port after its reset; the kernel may give it another name."""

    def find() -> str | None:
        found = usb.again(before) if before is not None else None
        return found.device if found is not None else port

    return find


async def _free(port: str) -> None:
    """Wait a moment until no other program has the port. Raises Failed."""
    for _ in range(round(FREE_S / 0.2)):
        others = await asyncio.to_thread(holders, port)
        if not others:
            return
        await asyncio.sleep(0.2)
    raise Failed(
        f"{port}: in use by {', '.join(others)}; end it there, or, if it is a hub, name its data folder "
        "with --data"
    )


class _Stopped(OutpostError):
    """Ctrl-C was pressed."""


async def _copy(port: str, files: Sequence[BoardFile], *, dry_run: bool) -> None:
    """Flash in a thread, with a progress bar; when cancelled, end it between two pieces."""
    stop = threading.Event()
    bar = _Bar(stop, dry_run=dry_run)
    work = asyncio.ensure_future(
        asyncio.to_thread(flasher.flash, port, files, planned=bar.planned, copied=bar.copied, dry_run=dry_run)
    )
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.gather(work, return_exceptions=True)
        raise
    finally:
        bar.close()


class _Bar:
    """What is shown while a board is flashed."""

    def __init__(self, stop: threading.Event, *, dry_run: bool) -> None:
        self._stop = stop
        self._dry_run = dry_run
        self._bar: ProgressBar[int] | None = None

    def planned(self, board: Board, plan: Plan) -> None:
        """Say what the board is and what will be done."""
        click.echo(board.text)
        kept = f"; {plan.same} are there already" if plan.same else ""
        if self._dry_run:
            for file in plan.copy:
                click.echo(f"  would copy {file.path} ({len(file.data)} bytes)")
        if not plan.copy:
            click.echo(f"nothing to copy{kept}")
            return
        click.echo(f"{len(plan.copy)} files to copy, {plan.copy_bytes} bytes{kept}")
        if not self._dry_run:
            self._bar = click.progressbar(length=plan.copy_bytes, label="copying")
            self._bar.render_progress()

    def copied(self, count: int) -> None:
        """Move the bar. Raises _Stopped."""
        if self._stop.is_set():
            raise _Stopped("stopped; the board keeps what it had")
        if self._bar is not None:
            self._bar.update(count)

    def close(self) -> None:
        """End the bar's line."""
        if self._bar is not None:
            self._bar.render_finish()


def _show(birth: Birth) -> None:
    """Print what was born."""
    click.echo(f"\n{birth.name} ({birth.device}), {birth.model}, firmware {birth.firmware}\n")
    rows = [
        (metric.name, metric.unit or "-", f"{metric.interval_ms} ms", metric.title or "-")
        for metric in birth.metrics
    ]
    click.echo(table(("metric", "unit", "interval", "title"), rows))
    click.echo(f"\ncommands: {', '.join(command.name for command in birth.commands) or '-'}")
