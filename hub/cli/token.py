"""`outpost token`: API tokens, made and revoked beside a running hub or without one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from hub.cli.client import Failed
from hub.cli.options import data_option
from hub.cli.table import age, table
from hub.model import Role

if TYPE_CHECKING:
    from pathlib import Path

    from hub.store.identity.accounts import Accounts


@click.group(short_help="Make, list and revoke API tokens, for programs.")
def token() -> None:
    """Make, list and revoke API tokens (for programs; a browser logs in by the link that `run` prints)."""


@token.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([str(role) for role in Role]),
    required=True,
    help="viewer reads; operator also sends commands; admin also changes the hub. device: what one device "
    "may read of itself; NAME is its id where no --device is.",
)
@click.option(
    "--device", "devices", multiple=True, metavar="ID", help="For this device alone; * and ? fit more."
)
@click.option("--tag", "tags", multiple=True, help="For the devices that `[tags]` gives this tag.")
@data_option
def create(data: Path, name: str, role: str, devices: tuple[str, ...], tags: tuple[str, ...]) -> None:
    """Make a token called NAME and print it, alone on a line. It is shown this once.

    Use it as `Authorization: Bearer TOKEN`, or with this command line as OUTPOST_TOKEN together with
    OUTPOST_URL.

    With --device and --tag, which may be given several times, the token is for those devices and cameras
    only: for it there are no others.
    """
    from hub.store.identity.rights import scope_of  # noqa: PLC0415 - as below

    scope = scope_of(name, Role(role), devices, tags)
    click.echo(
        _accounts(data, make=True).tokens.create(name, Role(role), time.time_ns() // 1_000_000, scope=scope)
    )


@token.command("list", short_help="List the tokens, without their secrets.")
@data_option
def list_tokens(data: Path) -> None:
    """List the tokens: name, role, what for, when made, when last used (never the token itself)."""
    rows = [
        (
            one.name,
            one.role,
            " ".join([*one.devices, *(f"tag:{tag}" for tag in one.tags)]) or "all",
            age(one.created_time),
            "never" if one.last_used_time is None else age(one.last_used_time),
        )
        for one in _accounts(data).tokens.all()
    ]
    click.echo(table(("name", "role", "devices", "made", "last used"), rows) if rows else "no tokens yet")


@token.command()
@click.argument("name")
@data_option
def revoke(data: Path, name: str) -> None:
    """Revoke the token called NAME, at once."""
    if not _accounts(data).tokens.revoke(name, time.time_ns() // 1_000_000):
        raise Failed(f"there is no token called {name!r}; `outpost token list` shows those there are")
    click.echo(f"token {name} is revoked")


def _accounts(data: Path, *, make: bool = False) -> Accounts:
    """Open the tokens of a data folder; `make` one for a hub that is to come. Raises StoreError."""
    from hub.store.folder import check_used  # noqa: PLC0415 - as below
    from hub.store.identity.accounts import Accounts  # noqa: PLC0415 - sqlite-utils is slow to import, help must not be

    if not make:
        check_used(data)
    return Accounts.open(data)
