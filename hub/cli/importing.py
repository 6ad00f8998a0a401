"""`outpost import`: history from a backup, a CSV file or Home Assistant, into a store that no hub uses."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.client import Failed
from hub.cli.options import data_option
from hub.cli.table import table
from hub.store.folder import DATABASE

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from hub.store.transfer.bulk import Bulk
    from hub.store.transfer.import_values import Skipped

    Progress: TypeAlias = Callable[[int, int], None]
    Bring: TypeAlias = Callable[[Bulk, Progress], Skipped]

KINDS = ("backup", "csv", "home-assistant", "damaged")
_SQLITE = b"SQLite format 3\0"
_OTHERS = (b"PAR1", b"PK\x03\x04", b"\x1f\x8b", b"(\xb5/\xfd")
"""How Parquet, ZIP (and so XLSX), gzip and zstd begin."""
_DAMAGED = ".db.damaged-"
_RECORDER = "home-assistant_v2.db"


@click.command("import", short_help="Bring history along: a backup, CSV, Home Assistant's.")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--kind", type=click.Choice(KINDS), help="What SOURCE is.", show_default="what it looks like")
@click.option("--dry-run", is_flag=True, help="Tell what would come, and change nothing.")
@click.option(
    "--map",
    "map_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Home Assistant: a CSV file of ENTITY,DEVICE,METRIC; ENTITY may have * and ?, the first that fits"
    " counts, * in METRIC is the entity's own name, an empty DEVICE leaves it out.",
)
@click.option("--device", help="CSV: all samples are of this device.")
@click.option("--metric", help="CSV: all samples are of this metric.")
@click.option("--time", default="time", show_default=True, help="CSV: the column with the time.")
@click.option(
    "--value",
    "values",
    multiple=True,
    default=("value",),
    show_default=True,
    help="CSV: the column with the value; several, each then a metric by its name.",
)
@click.option("--device-column", default="device", show_default=True, help="CSV: the column with the device.")
@click.option("--metric-column", default="metric", show_default=True, help="CSV: the column with the metric.")
@click.option("--unit-column", default="unit", show_default=True, help="CSV: the column with the unit.")
@click.option(
    "--time-form",
    type=click.Choice(["auto", "iso", "s", "ms"]),
    default="auto",
    show_default=True,
    help="CSV: ISO 8601, or seconds or milliseconds since 1970.",
)
@click.option(
    "--zone", default="UTC", show_default=True, help="CSV: the time zone of times without an offset."
)
@click.option(
    "--delimiter", help="CSV: what is between columns.", show_default="the likeliest of , ; and tab"
)
@click.option(
    "--decimal",
    type=click.Choice([".", ","]),
    default=".",
    show_default=True,
    help="CSV: what is before a number's fraction.",
)
@data_option
def import_(data: Path, source: Path, kind: str | None, dry_run: bool, **options: Any) -> None:
    """Bring history along: from a backup folder, a CSV file, or Home Assistant's home-assistant_v2.db.

    Or what is intact in a store's damaged file, page by page, where the hub could not open it.

    The hub must not run. What is there already is not stored again, so an import may be repeated; one that
    was interrupted goes on where it was. Rollups are made by the hub when it runs next.

    \b
    outpost import old-backup
    outpost import samples.csv                      # as `outpost export` writes them
    outpost import log.csv --device shed --time ts --value temp --value humidity
    outpost import home-assistant_v2.db --dry-run
    outpost import outpost.db.damaged-1795275166995
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    from hub.store.transfer.bulk import Bulk  # noqa: PLC0415 - numpy is slow to import, help must not be

    source = _meant(source, kind)
    kind = kind or _looks_like(source)
    name, bring = _sources()[kind](source, options)
    with Bulk(data, name, dry=dry_run) as bulk:
        if kind == "backup" and source.resolve() == data.resolve():
            raise Failed(f"{source} is the hub's own data folder")
        with click.progressbar(length=1, label="import", file=sys.stderr) as bar:

            def progress(done: int, total: int) -> None:
                bar.length = max(total, 1)
                bar.update(done - bar.pos)

            try:
                skipped = bring(bulk, progress)
            except KeyboardInterrupt:
                if not dry_run:
                    click.echo("\nwhat came so far is kept; the same command goes on from there", err=True)
                raise
        _tell(bulk, skipped, dry_run)


def _meant(source: Path, kind: str | None) -> Path:
    """Return what is to be read: of a folder of Home Assistant its file, of a backup its folder."""
    if source.is_dir() and kind != "backup" and (source / _RECORDER).is_file():
        return source / _RECORDER
    if source.name == DATABASE and kind in (None, "backup") and source.is_file():
        return source.absolute().parent
    return source


def _looks_like(source: Path) -> str:
    if source.is_dir():
        if not (source / DATABASE).exists():
            raise Failed(f"{source}: holds neither a backup ({DATABASE}) nor Home Assistant's {_RECORDER}")
        return "backup"
    if _DAMAGED in source.name:
        return "damaged"
    with source.open("rb") as file:
        begin = file.read(4096)
    if begin.startswith(_SQLITE):
        return "home-assistant"
    if begin.startswith(_OTHERS) or b"\0" in begin.partition(b"\n")[0]:
        raise Failed(f"{source}: is neither CSV (in UTF-8) nor an SQLite database; save it as CSV first")
    return "csv"


def _sources() -> dict[str, Callable[[Path, dict[str, Any]], tuple[str, Bring]]]:
    return {"backup": _backup, "csv": _csv, "home-assistant": _home_assistant, "damaged": _damaged}


def _backup(source: Path, _: dict[str, Any]) -> tuple[str, Bring]:
    from hub.store.transfer import import_backup  # noqa: PLC0415 - see above

    return import_backup.name_of(source), lambda bulk, progress: import_backup.bring(source, bulk, progress)


def _damaged(source: Path, _: dict[str, Any]) -> tuple[str, Bring]:
    from hub.store.transfer import rescue  # noqa: PLC0415 - see above

    return rescue.name_of(source), lambda bulk, progress: rescue.bring(source, bulk, progress)


def _home_assistant(source: Path, options: dict[str, Any]) -> tuple[str, Bring]:
    from hub.store.transfer import import_recorder  # noqa: PLC0415 - see above

    file = options["map_file"]
    mapping = import_recorder.Mapping() if file is None else import_recorder.Mapping.load(file)
    return (
        import_recorder.name_of(source, mapping),
        lambda bulk, progress: import_recorder.bring(source, mapping, bulk, progress),
    )


def _csv(source: Path, options: dict[str, Any]) -> tuple[str, Bring]:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - see above

    from hub.store.transfer import import_csv  # noqa: PLC0415 - see above

    try:
        zone = UTC if options["zone"] == "UTC" else ZoneInfo(options["zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise click.BadParameter(f"there is no time zone {options['zone']!r}", param_hint="--zone") from error
    delimiter = options["delimiter"]
    if delimiter is not None and len(delimiter) != 1:
        raise click.BadParameter("must be one character", param_hint="--delimiter")
    columns = import_csv.Columns(
        time=options["time"],
        values=options["values"],
        device=options["device_column"],
        metric=options["metric_column"],
        unit=options["unit_column"],
        for_device=options["device"],
        for_metric=options["metric"],
        time_form=options["time_form"],
        zone=zone,
        delimiter=delimiter,
        decimal=options["decimal"],
    )
    return (
        import_csv.name_of(source, columns),
        lambda bulk, progress: import_csv.bring(source, columns, bulk, progress),
    )


def _tell(bulk: Bulk, skipped: Skipped, dry_run: bool) -> None:
    rows = [
        (device, metric, f"{one.new:,}", f"{one.known:,}", _utc(one.first_ms), _utc(one.last_ms))
        for (device, metric), one in sorted(bulk.tallies.items())
        if one.new or one.known
    ]
    new = "would come" if dry_run else "new"
    click.echo(table(("device", "metric", new, "known", "from", "to"), rows) if rows else "no samples")
    for reason, count in skipped.reasons.most_common(10):
        click.echo(f"{count:,} left out: {reason}", err=True)
    for example in skipped.examples:
        click.echo(f"  at {example}", err=True)


def _utc(time_ms: int) -> str:
    if time_ms in (0, 2**53 - 1):
        return ""
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError):
        return str(time_ms)
