"""`outpost export`: samples as CSV, line protocol or Parquet, beside a running hub or without one."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.client import Failed
from hub.cli.near import meant
from hub.cli.options import data_option
from hub.iso_time import NoSuchTime, iso_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import IO, Any

    from hub.store.queries.history import Row


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
            return iso_ms(text)
        except NoSuchTime as error:
            self.fail(f"{text!r} does not exist: {error}", param, ctx)
        except ValueError:
            self.fail(
                f"{text!r} is no time; write 2026-11-21, 2026-11-21T08:00:00Z or UTC milliseconds", param, ctx
            )


@click.command(short_help="Write samples as CSV, InfluxDB lines or Parquet.")
@click.option("--device", "devices", multiple=True, help="Of this device; may be given again. Default: all.")
@click.option("--metric", "metrics", multiple=True, help="Of this metric; may be given again. Default: all.")
@click.option(
    "--from", "from_ms", type=_Time(), default=0, help="From this time on.", show_default="the start"
)
@click.option("--to", "to_ms", type=_Time(), default=2**53 - 1, help="Before this time.", show_default="now")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "lines", "parquet"]),
    default="csv",
    show_default=True,
    help="CSV (RFC 4180), InfluxDB's line protocol, or Parquet (needs pyarrow).",
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
    """Write samples by device, metric and time; progress goes to stderr.

    Times are UTC milliseconds in CSV and Parquet, and nanoseconds in lines, where a null is left out. In
    lines and Parquet numbers are in `value`, booleans in `state` and texts in `text`.
    """
    from hub.store.transfer import archive  # noqa: PLC0415 - see above

    if from_ms >= to_ms:
        raise click.BadParameter("is not before --to", param_hint="--from")
    _known(archive.metrics(data), data, devices, metrics)
    wanted = archive.Wanted(devices=devices, metrics=metrics, from_ms=from_ms, to_ms=to_ms)
    try:
        parts = archive.samples(data, wanted)
        if kind == "parquet":
            count = _parquet(parts, output)
        else:
            with click.open_file(str(output or "-"), "w", encoding="utf-8") as file:
                count = _told(parts, _csv(file) if kind == "csv" else _lines(file))
    except BrokenPipeError:  # as by `| head`: who reads has enough, and click ends without a word
        raise
    except OSError as error:
        raise Failed(f"{output or 'stdout'}: cannot be written: {error.strerror}") from error
    click.echo(f"{count:,} samples", err=True)


def _known(
    there: set[tuple[str, str]], data: Path, devices: tuple[str, ...], metrics: tuple[str, ...]
) -> None:
    """Raise Failed where a name was misspelt: an empty file would look as if nothing had been measured."""
    if unknown := sorted(set(devices) - {device for device, _ in there}):
        near = meant(unknown[0], {device for device, _ in there})
        raise Failed(f"{data} holds nothing of {', '.join(unknown)}{near}")
    names = {metric for device, metric in there if not devices or device in devices}
    if unknown := sorted(set(metrics) - names):
        known = ", ".join(sorted(names)[:20]) + (", …" if len(names) > 20 else "")
        raise Failed(f"{data} holds no metric {', '.join(unknown)}; it has: {known or 'none'}")


def _told(parts: Iterable[tuple[str, str, list[Row]]], write: Callable[[str, str, list[Row]], None]) -> int:
    count, current = 0, ("", "")
    for device, metric, rows in parts:
        if (device, metric) != current:
            current = device, metric
            click.echo(f"{device} {metric}", err=True)
        write(device, metric, rows)
        count += len(rows)
    return count


def _parquet(parts: Iterable[tuple[str, str, list[Row]]], output: Path | None) -> int:
    # Opened by now, so that a library that is missing leaves no empty file.
    try:
        from hub.cli.parquet import ParquetWriter  # noqa: PLC0415 - pyarrow is large, and optional
    except ImportError as error:
        raise Failed(
            f"Parquet needs pyarrow ({error}): pip install 'outpost-hub[parquet]', or export CSV, which "
            "DuckDB and pandas turn into it"
        ) from error
    with click.open_file(str(output or "-"), "wb") as file, ParquetWriter(file) as writer:
        return _told(parts, writer.write)


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
