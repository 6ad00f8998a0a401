"""The `outpost` command: the group, `run`, and how errors become exit codes."""

from __future__ import annotations

import os
from pathlib import Path

import click

from hub import __version__
from hub.cli import pins
from hub.cli.archive import backup, erase, sql
from hub.cli.client import Failed
from hub.cli.configure import configure
from hub.cli.doctor import doctor
from hub.cli.export import export
from hub.cli.flash import flash
from hub.cli.importing import import_
from hub.cli.link import link
from hub.cli.logs import to_stderr
from hub.cli.mqtt import mqtt
from hub.cli.options import data_option
from hub.cli.remote import devices, watch
from hub.cli.retention import retention
from hub.cli.rules import rules
from hub.cli.sending import send
from hub.cli.status import status
from hub.cli.tls import tls
from hub.cli.token import token
from hub.cli.update import update
from hub.cli.user import user
from hub.config import Config, ConfigError, check_exposure, listen_address, load
from hub.model import OutpostError
from hub.store.folder import NoStore


class _People(click.Group):
    """A group that prints the project's own errors for people, without a traceback, and exits 2."""

    def invoke(self, ctx: click.Context) -> object:
        # What is raised inside `except*` would come out wrapped in a group, Exit included.
        result, error = None, None
        try:
            result = super().invoke(ctx)
        except* OutpostError as group:
            error = _first(group)
        if error is not None:
            click.echo(f"outpost: {error}{_not_from_afar(error)}", err=True)
            ctx.exit(1 if isinstance(error, Failed) else 2)
        return result


def _not_from_afar(error: OutpostError) -> str:
    if isinstance(error, NoStore) and "OUTPOST_URL" in os.environ:
        return "; OUTPOST_URL does not help here: this works on the folder itself, on the hub's machine"
    return ""


def _first(group: BaseExceptionGroup[OutpostError]) -> OutpostError:
    """Return the error that a person should read: the first one, however deep a task group wrapped it."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, OutpostError)  # noqa: S101 - by construction of except*
    return error


@click.group(cls=_People, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="outpost")
def main() -> None:
    """Run and use Outpost, a telemetry hub for a Raspberry Pi in the field.

    \b
    Start one here:           outpost run
    Make a board of it:       outpost flash
    A new link into it:       outpost link
    See how it is:            outpost status
    See what it knows:        outpost devices
    Follow the live values:   outpost watch
    Light a board's LED:      outpost send BOARD led state=on

    On the hub's own machine these find the running hub through its data folder. From elsewhere, set
    OUTPOST_URL and OUTPOST_TOKEN (see `outpost token create --help`). What works on the folder itself runs on
    the hub's machine alone: backup, export, import, erase, sql, token, user, tls.
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines


@main.command(short_help="Run the hub, and print a link that opens its dashboard.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The TOML configuration file; every key is optional.",
)
@data_option
@click.option("--listen", metavar="HOST:PORT", help="Where to serve; port 0 takes a free one.")
@click.option(
    "--tls", "with_tls", is_flag=True, help="Serve HTTPS by an authority of the hub's own: see `outpost tls`."
)
@click.option("--plain-http", is_flag=True, help="Let other machines in without TLS.")
@click.option(
    "--demo", is_flag=True, help="With no board plugged in, bring up two virtual boards and a test camera."
)
@click.option("-v", "--verbose", count=True, help="Log more; twice also what libraries do.")
def run(
    config_file: Path | None,
    data: Path,
    listen: str | None,
    with_tls: bool,
    plain_http: bool,
    demo: bool,
    verbose: int,
) -> None:
    """Run the hub until it is told to stop, and print a link that opens its dashboard logged in."""
    import uvloop  # noqa: PLC0415 - only `run` needs a loop, and `--help` should be instant

    config = configuration(config_file, listen, tls=with_tls, plain_http=plain_http)
    to_stderr(verbose)
    os.umask(0o077)  # films too are the hub's user's alone; the service has the same from its unit

    async def serve() -> None:
        from hub.app import App  # noqa: PLC0415 - the whole hub, which no other command needs

        try:
            await App(config, data, demo=demo, say=click.echo).run()
        except ConfigError as error:
            # What a room finds wrong with its section, a file that is missing there: the rooms know no file.
            raise ConfigError(str(error) if config_file is None else f"{config_file}: {error}") from error

    uvloop.run(serve())


def configuration(
    path: Path | None, listen: str | None, *, tls: bool = False, plain_http: bool = False
) -> Config:
    """Read the configuration, let the options override its keys, and check both. Raises ConfigError."""
    import msgspec  # noqa: PLC0415 - see above

    config = load(path) if path is not None else Config()
    if listen is not None:
        try:
            listen_address(listen, "--listen")
        except ConfigError as error:
            raise ConfigError(str(error).replace("`hub.listen`: ", "")) from error
        config = msgspec.structs.replace(config, hub=msgspec.structs.replace(config.hub, listen=listen))
    if tls and config.tls.mode == "off":
        config = msgspec.structs.replace(config, tls=msgspec.structs.replace(config.tls, mode="local"))
    if plain_http:
        config = msgspec.structs.replace(config, hub=msgspec.structs.replace(config.hub, plain_http=True))
    check_exposure(config, "--listen" if listen is not None else str(path))
    pins.check(config, str(path))
    return config


main.add_command(status)
main.add_command(devices)
main.add_command(watch)
main.add_command(send)
main.add_command(rules)
main.add_command(link)
main.add_command(user)
main.add_command(token)
main.add_command(mqtt)
main.add_command(tls)
main.add_command(flash)
main.add_command(configure)
main.add_command(update)
main.add_command(doctor)
main.add_command(backup)
main.add_command(export)
main.add_command(import_)
main.add_command(erase)
main.add_command(sql)
main.add_command(retention)
