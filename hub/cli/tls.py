"""`outpost tls`: the hub's own certificate authority, by which browsers trust its HTTPS."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hub.cli.client import Failed
from hub.cli.options import data_option
from hub.config import Config, load

if TYPE_CHECKING:
    from cryptography import x509

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The hub's configuration, which may allow more host names.",
)


@click.group()
def tls() -> None:
    """Serve HTTPS with an authority of this hub's own.

    \b
    Make the authority:            outpost tls init
    Serve by it:                   outpost run --tls --listen :8443
    Trust it on another machine:   outpost tls ca > outpost-ca.crt, and import that file there
    Look at dates and names:       outpost tls show

    The certificate is for the machine's names and addresses, lasts 90 days, and the running hub renews it,
    also when an address is added. The authority may vouch for local names and private addresses only.
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines


@tls.command()
@click.option("--new", is_flag=True, help="Replace an authority that is there: browsers must trust anew.")
@config_option
@data_option
def init(data: Path, config_file: Path | None, new: bool) -> None:
    """Make the authority and the first certificate."""
    from hub.tls.folder import TlsFolder  # noqa: PLC0415 - cryptography takes a while to load

    folder = TlsFolder(data)
    if folder.exists() and not new:
        raise Failed(f"{folder.ca}: the authority is there already; --new replaces it")
    config = _config(config_file)
    folder.make(config.hub.name, _names(config), _now_ms())
    _show(folder.known().authority, folder.known().certificate)
    click.echo(
        f"\nServe by it with `outpost run --tls`, and import {folder.ca} where browsers shall trust it."
    )


@tls.command()
@data_option
def show(data: Path) -> None:
    """Show names, dates and fingerprints of the certificates."""
    from hub.tls.folder import TlsFolder  # noqa: PLC0415 - see above

    known = TlsFolder(data).known()
    _show(known.authority, known.certificate)


@tls.command(short_help="Make the hub's certificate anew.")
@config_option
@data_option
def renew(data: Path, config_file: Path | None) -> None:
    """Make the hub's certificate anew; a running hub serves it within ten minutes."""
    from hub.tls.folder import TlsFolder  # noqa: PLC0415 - see above

    folder = TlsFolder(data)
    folder.renew(_names(_config(config_file)), _now_ms(), force=True)
    _show(folder.known().authority, folder.known().certificate)


@tls.command(short_help="Print the authority's certificate, for browsers.")
@data_option
def ca(data: Path) -> None:
    """Print the authority's certificate (PEM), to import where browsers shall trust the hub."""
    from hub.tls.folder import TlsFolder  # noqa: PLC0415 - see above

    folder = TlsFolder(data)
    folder.known()
    click.echo(folder.ca.read_text(encoding="ascii"), nl=False)


def _show(authority: x509.Certificate, certificate: x509.Certificate | None) -> None:
    from hub.tls.authority import fingerprint, names_of  # noqa: PLC0415 - see above

    click.echo(f"authority     {authority.subject.rfc4514_string()}")
    click.echo(f"  until       {authority.not_valid_after_utc:%Y-%m-%d}")
    click.echo(f"  SHA-256     {fingerprint(authority)}")
    if certificate is not None:
        click.echo(f"certificate   {', '.join(sorted(names_of(certificate)))}")
        click.echo(f"  until       {certificate.not_valid_after_utc:%Y-%m-%d}")
        click.echo(f"  SHA-256     {fingerprint(certificate)}")


def _config(path: Path | None) -> Config:
    return load(path) if path is not None else msgspec.convert({}, Config)


def _names(config: Config) -> set[str]:
    from hub.tls.names import own_names  # noqa: PLC0415 - see above

    return own_names(config.hub)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
