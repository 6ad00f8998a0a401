"""`outpost user`: people with a password, made and removed beside a running hub or without one."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from hub.cli.client import Failed
from hub.cli.options import data_option
from hub.cli.table import age, table
from hub.model import Role

if TYPE_CHECKING:
    from pathlib import Path

    from hub.store.identity.users import Users

_ROLES = click.Choice([str(role) for role in Role if role is not Role.DEVICE])


@click.group(short_help="Make, list, change and remove users with passwords.")
def user() -> None:
    """Make, list, change and remove users, who log in with a name and a password."""


@user.command()
@click.argument("name")
@click.option(
    "--role", type=_ROLES, required=True, help="viewer reads; operator also sends commands; admin all."
)
@data_option
def add(data: Path, name: str, role: str) -> None:
    """Make a user called NAME. Asks for the password, or reads it as a line from a pipe."""
    _users(data, make=True).create(name, Role(role), _password(), _now_ms())
    click.echo(f"user {name} may log in as {role}")


@user.command("list")
@data_option
def list_users(data: Path) -> None:
    """List the users: name, role, when made, when last logged in."""
    rows = [
        (
            one.name,
            one.role,
            age(one.created_time),
            "never" if one.last_login_time is None else age(one.last_login_time),
        )
        for one in _users(data).all()
    ]
    click.echo(table(("name", "role", "made", "last login"), rows) if rows else "no users yet")


@user.command()
@click.argument("name")
@click.argument("new_role", metavar="ROLE", type=_ROLES)
@data_option
def role(data: Path, name: str, new_role: str) -> None:
    """Give NAME another role, at once."""
    _known(_users(data).set_role(name, Role(new_role), _now_ms()), name)
    click.echo(f"user {name} is {new_role} now")


@user.command()
@click.argument("name")
@data_option
def password(data: Path, name: str) -> None:
    """Give NAME another password. It ends the sessions of NAME."""
    _known(_users(data).set_password(name, _password(), _now_ms()), name)
    click.echo(f"user {name} has a new password")


@user.command()
@click.argument("name")
@data_option
def remove(data: Path, name: str) -> None:
    """Remove NAME, and end the sessions, at once."""
    _known(_users(data).remove(name, _now_ms()), name)
    click.echo(f"user {name} is removed")


def _known(found: bool, name: str) -> None:
    if not found:
        raise Failed(f"there is no user called {name!r}; `outpost user list` shows those there are")


def _password() -> str:
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    return sys.stdin.readline().rstrip("\r\n")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _users(data: Path, *, make: bool = False) -> Users:
    """Open the users of a data folder; `make` one for a hub that is to come. Raises StoreError."""
    from hub.store.folder import check_used  # noqa: PLC0415 - as below
    from hub.store.identity.accounts import Accounts  # noqa: PLC0415 - the store is slow to import, help must not be

    if not make:
        check_used(data)
    return Accounts.open(data).users
