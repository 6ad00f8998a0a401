"""`outpost backup`, `erase` and `sql`: the whole store, beside a running hub or without one."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from hub.cli.client import Failed
from hub.cli.options import data_option
from hub.cli.table import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import IO, Any


_BESIDE = ("recordings", "secrets", "tls")
"""Folders beside the store: films, what webhooks are sent with, the hub's authority."""


@click.command(short_help="Copy the store into a new folder, while the hub runs too.")
@click.argument("target", type=click.Path(path_type=Path))
@data_option
def backup(data: Path, target: Path) -> None:
    """Copy the store, while the hub runs too, into the new folder TARGET.

    `outpost run --data TARGET` runs on the copy. Samples that wait for their commit (10 s at most) are not
    in it, nor are recordings, webhooks' secrets and the authority of HTTPS: folders beside the store.
    """
    from hub.store.transfer import archive  # noqa: PLC0415 - numpy is slow to import, help must not be

    with click.progressbar(length=1, label="backup", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        copy = archive.backup(data, target, progress)
    click.echo(f"{copy}: {copy.stat().st_size:,} bytes")
    if left := [name for name in _BESIDE if (data / name).exists()]:
        click.echo(f"not in it: {', '.join(left)}; copy these folders of {data} too", err=True)


@click.command()
@click.option("--device", "devices", multiple=True, help="Only of this device; may be given again.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_option
def erase(data: Path, devices: tuple[str, ...], yes: bool) -> None:
    """Erase history for good: samples, births and commands. Tokens and users stay. The hub must not run."""
    from hub.store.transfer import archive  # noqa: PLC0415 - see above

    archive.check_idle(data)
    going = [one for one in archive.stock(data) if not devices or one.device in devices]
    unknown = set(devices) - {one.device for one in going}
    if unknown:
        raise Failed(f"{data} holds nothing of {', '.join(sorted(unknown))}")
    rows = [(one.device, f"{one.samples:,}", f"{one.chunk_bytes:,}") for one in going]
    click.echo(table(("device", "samples", "bytes"), rows) if rows else "no samples")
    if not yes:
        click.confirm(f"Erase this from {data}? It cannot be undone", abort=True)
    archive.erase(data, devices)
    click.echo("erased")


@click.command(short_help="Ask the store in SQL, read-only.")
@click.argument("statement", required=False)
@click.option("--datasette", "browse", is_flag=True, help="Browse it with Datasette, on this machine alone.")
@data_option
def sql(data: Path, statement: str | None, browse: bool) -> None:
    """Ask the store in SQL, read-only: STATEMENT, or a shell that reads statements up to their `;`.

    The view `samples` has device, metric, time (UTC ms), utc, value, quality and chunk. It opens every chunk,
    so on years of history narrow the chunks: WHERE chunk >= chunk_at('2026-11-20').
    """
    from hub.store.folder import StoreError  # noqa: PLC0415 - see above
    from hub.store.shell import ask, complete, connect_shell  # noqa: PLC0415 - see above
    from hub.store.transfer.archive import existing  # noqa: PLC0415 - see above

    if browse:
        _browse(existing(data))
        return
    with closing(connect_shell(existing(data))) as connection:
        if statement is not None:
            _show(ask(connection, statement))
            return
        for text in _statements(sys.stdin, complete):
            try:
                _show(ask(connection, text))
            except StoreError as error:
                click.echo(str(error), err=True)


def _browse(database: Path) -> None:
    """Run Datasette until it is stopped; it prints a link that logs in, without which it shows nothing."""
    if find_spec("datasette") is None:
        raise Failed("Datasette is not installed: pip install 'outpost-hub[datasette]'")
    # Ctrl-C is how it is ended: Datasette hears it too.
    with TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
        rights = Path(folder) / "metadata.json"
        rights.write_text('{"allow": {"id": "root"}}')
        subprocess.run(  # noqa: S603 - this Python, and arguments of our own
            [
                *(sys.executable, "-m", "datasette", "serve", str(database), "--metadata", str(rights)),
                *("--root", "--setting", "sql_time_limit_ms", "20000"),
            ],
            check=False,
        )


def _statements(lines: IO[Any], complete: Callable[[str], bool]) -> Iterable[str]:
    text = ""
    prompt = lines.isatty()
    while True:
        if prompt:
            click.echo("   ...> " if text else "outpost> ", nl=False, err=True)
        line = lines.readline()
        text += line
        if text.strip() and (complete(text) or not line):
            yield text
            text = ""
        if not line:
            return


def _show(rows: Iterable[tuple[object, ...]]) -> None:
    for row in rows:
        click.echo("\t".join("" if cell is None else str(cell) for cell in row))
