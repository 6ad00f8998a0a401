"""`outpost flash`: puts the firmware on a board, starts it, and shows what was born."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from hub.cli.client import Failed
from hub.cli.options import data_option
from hub.flash import image
from hub.model import OutpostError


@click.command()
@click.argument("port", required=False)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also put this JSON file on the board, as its board.json; else the board keeps its own.",
)
@click.option("--dry-run", is_flag=True, help="Only look at the board and say what would be copied.")
@data_option
def flash(port: str | None, config_file: Path | None, dry_run: bool, data: Path) -> None:
    """Put the firmware on the board at PORT and start it.

    Without PORT it takes the one board that is plugged in by USB. The board needs MicroPython
    (https://micropython.org/download/). Files that are there already are not copied again; a hub that
    runs here lends the port meanwhile. A run that was cut short is repaired by the next.
    """
    # Of this machine, so bad usage (2); all that follows is what a board or a port does (1).
    files = [*([image.configuration(config_file)] if config_file else []), *image.firmware()]
    from hub.cli import flashing  # noqa: PLC0415 - mpremote and pyserial, which no other command needs

    try:
        asyncio.run(flashing.run(port or flashing.only_board(), files, data, dry_run=dry_run))
    except flashing.BoardGone as error:
        raise Failed(f"{error}; run this again: what was copied is kept, and the rest is repaired") from error
    except OutpostError as error:
        raise Failed(str(error)) from error
