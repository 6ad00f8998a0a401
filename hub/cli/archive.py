"""`outpost backup`, `export`, `erase` and `sql`: the whole store, beside a running hub or without one."""

from __future__ import annotations

import csv
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.client import Failed
from hub.cli.options import data_option
from hub.cli.table import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import IO, Any

    from hub.store.history import Row


class _Time(click.ParamType[int]):
    """A time: RFC 3339 as in 2026-11-21T08:00:00Z, a date, or UTC milliseconds."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return UTC milliseconds."""
        if isinstance(value, int):
            return value
        text = str(value)
        if text.isascii() and text.isdigit():
            return int(text)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(
                f"{text!r} is no time; write 2026-11-21, 2026-11-21T08:00:00Z or UTC milliseconds", param, ctx
            )
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@data_option
def backup(data: Path, target: Path) -> None:
    """Copy the store, while the hub runs too, into the new folder TARGET.

    `outpost run --data TARGET` runs on the copy. Samples that wait for their commit (10 s at most) are not
    in it.
    """
    from hub.store import archive  # noqa: PLC0415 - numpy is slow to import, help must not be

    with click.progressbar(length=1, label="backup", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        copy = archive.backup(data, target, progress)
    click.echo(f"{copy}: {copy.stat().st_size:,} bytes")


@click.command()
@click.option("--device", "devices", multiple=True, help="Of this device; may be given again. Default: all.")
@click.option("--metric", "metrics", multiple=True, help="Of this metric; may be given again. Default: all.")
@click.option(
    "--from", "from_ms", type=_Time(), default=0, help="From this time on.", show_default="the start"
)
@click.option("--to", "to_ms", type=_Time(), default=2**53 - 1, help="Before this time.", show_default="now")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "lines"]),
    default="csv",
    show_default=True,
    help="CSV (RFC 4180), or InfluxDB's line protocol.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file.",
    show_default="stdout",
)
@data_option
def export(
    data: Path,
    devices: tuple[str, ...],
    metrics: tuple[str, ...],
    from_ms: int,
    to_ms: int,
    kind: str,
    output: Path | None,
) -> None:
    """Write samples as text, by device, metric and time; progress goes to stderr.

    Times are UTC milliseconds in CSV and nanoseconds in lines, where a null is left out, numbers are the
    field `value`, booleans `state` and texts `text`.
    """
    from hub.store.archive import Wanted, samples  # noqa: PLC0415 - see above

    wanted = Wanted(devices=devices, metrics=metrics, from_ms=from_ms, to_ms=to_ms)
    try:
        with click.open_file(str(output or "-"), "w", encoding="utf-8") as file:
            write = _csv(file) if kind == "csv" else _lines(file)
            count = _told(samples(data, wanted), write)
    except OSError as error:
        raise Failed(f"{output or 'stdout'}: cannot be written: {error.strerror}") from error
    click.echo(f"{count:,} samples", err=True)


def _told(parts: Iterable[tuple[str, str, list[Row]]], write: Callable[[str, str, list[Row]], None]) -> int:
    count, current = 0, ("", "")
    for device, metric, rows in parts:
        if (device, metric) != current:
            current = device, metric
            click.echo(f"{device} {metric}", err=True)
        write(device, metric, rows)
        count += len(rows)
    return count


def _csv(file: IO[Any]) -> Callable[[str, str, list[Row]], None]:
    writer = csv.writer(file)
    writer.writerow(("device", "metric", "time", "value", "quality"))

    def write(device: str, metric: str, rows: list[Row]) -> None:
        writer.writerows((device, metric, row.time, row.value, row.quality) for row in rows)

    return write


def _lines(file: IO[Any]) -> Callable[[str, str, list[Row]], None]:
    def write(device: str, metric: str, rows: list[Row]) -> None:
        tags = f"outpost,device={_tag(device)},metric={_tag(metric)},quality="
        file.writelines(
            f"{tags}{row.quality} {_field(row.value)} {row.time}000000\n"
            for row in rows
            if row.value is not None
        )

    return write


def _tag(text: str) -> str:
    for mark in ("\\", ",", "=", " "):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.splitlines())


def _field(value: float | bool | str) -> str:
    if isinstance(value, bool):
        return f"state={'t' if value else 'f'}"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'text="{escaped}"'
    return f"value={float(value)!r}"


@click.command()
@click.option("--device", "devices", multiple=True, help="Only of this device; may be given again.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_option
def erase(data: Path, devices: tuple[str, ...], yes: bool) -> None:
    """Erase history for good: samples, births and commands. Tokens and users stay. The hub must not run."""
    from hub.store import archive  # noqa: PLC0415 - see above

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


@click.command()
@click.argument("statement", required=False)
@data_option
def sql(data: Path, statement: str | None) -> None:
    """Ask the store in SQL, read-only: STATEMENT, or a shell that reads statements up to their `;`.

    The view `samples` has device, metric, time (UTC ms), utc, value and quality; it opens every chunk, so
    on years of history narrow `chunk.id` first (see docs/storage.md).
    """
    from hub.store.archive import existing  # noqa: PLC0415 - see above
    from hub.store.folder import StoreError  # noqa: PLC0415 - see above
    from hub.store.shell import ask, complete, connect_shell  # noqa: PLC0415 - see above

    with closing(connect_shell(existing(data))) as connection:
        if statement is not None:
            _show(ask(connection, statement))
            return
        for text in _statements(sys.stdin, complete):
            try:
                _show(ask(connection, text))
            except StoreError as error:
                click.echo(str(error), err=True)


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
