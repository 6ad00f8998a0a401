"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


def default_data() -> Path:
    """Return the data folder when none is named: systemd's StateDirectory, else XDG's data home."""
    if state := os.environ.get("STATE_DIRECTORY"):
        return Path(state)
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "outpost"


def data_option(command: F) -> F:
    """Add `--data DIR`. What is wrong with the folder, the command says: it knows what it needs of it."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path, readable=False),
        metavar="DIR",
        default=default_data,
        envvar="OUTPOST_DATA",
        show_default="$OUTPOST_DATA, else $STATE_DIRECTORY, else ~/.local/share/outpost",
        help="The hub's data folder.",
    )(command)
