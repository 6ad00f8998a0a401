"""`outpost mqtt`: users and access rules of the Mosquitto broker, one user for each device."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hub.cli.client import Failed
from hub.cli.table import table
from hub.links.mqtt_users import PASSWORDS, RULES, Files, MqttUser

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

FOLDER = Path("/etc/mosquitto/outpost")
BROKER = "mosquitto"
RELOAD = "have Mosquitto read it: `sudo systemctl reload mosquitto` (SIGHUP)"


@click.group(short_help="Make users and access rules for a Mosquitto broker.")
def mqtt() -> None:
    """Make users and access rules for a Mosquitto broker, so that a device speaks only for itself."""


@mqtt.group(short_help="Users of the broker, one for each device.")
def user() -> None:
    """Add, list and remove users of the broker: one for each device, and one for the hub."""


def _where(command: F) -> F:
    command = click.option(
        "--folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=FOLDER,
        show_default=True,
        help=f"Where the files `{PASSWORDS}` and `{RULES}` are.",
    )(command)
    return click.option(
        "--topic", default="outpost", show_default=True, help="`mqtt.topic` of the hub's configuration."
    )(command)


@user.command(short_help="Add a user, and print its password.")
@click.argument("name")
@click.option("--hub", is_flag=True, help="The hub's own user, which reads all devices and speaks to boards.")
@_where
def add(name: str, hub: bool, folder: Path, topic: str) -> None:
    """Add a user called NAME, a device's id, and print its password, alone on a line.

    It is shown this once. A user who is there gets a new password. A device may publish its own values, and a
    board may hold its own session; nobody reads or writes anything else.
    """
    files = _files(folder, topic)
    try:
        password = files.add(MqttUser(name, hub))
    except OSError as error:
        raise Failed(_cannot(folder, error)) from error
    click.echo(password)
    click.echo(f"{files.passwords} and {files.rules} know {name} now; {RELOAD}", err=True)


@user.command("list")
@_where
def list_users(folder: Path, topic: str) -> None:
    """List the users that were added here."""
    try:
        rows = [(one.name, "the hub" if one.hub else "a device") for one in _files(folder, topic).users()]
    except OSError as error:
        raise Failed(_cannot(folder, error)) from error
    click.echo(table(("name", "is"), rows) if rows else f"no users yet in {folder}")


@user.command()
@click.argument("name")
@_where
def remove(name: str, folder: Path, topic: str) -> None:
    """Remove the user called NAME. Its connection ends when Mosquitto reads the files again."""
    try:
        _files(folder, topic).remove(name)
    except OSError as error:
        raise Failed(_cannot(folder, error)) from error
    click.echo(f"user {name} is removed; {RELOAD}")


@mqtt.command(short_help="Print what belongs into Mosquitto's configuration.")
@_where
def rules(folder: Path, topic: str) -> None:
    """Print what belongs into Mosquitto's configuration, as in /etc/mosquitto/conf.d/outpost.conf."""
    files = _files(folder, topic)
    click.echo(f"allow_anonymous false\npassword_file {files.passwords}\nacl_file {files.rules}")


def _files(folder: Path, topic: str) -> Files:
    return Files(folder.absolute(), topic, _broker() if os.geteuid() == 0 else None)


def _broker() -> tuple[int, int] | None:
    """Return Mosquitto's own user where there is one: the files are for it alone."""
    try:
        found = pwd.getpwnam(BROKER)
    except KeyError:
        return None
    return found.pw_uid, found.pw_gid


def _cannot(folder: Path, error: OSError) -> str:
    return f"{folder}: {error.strerror}; use sudo, or name another folder with --folder"
