"""`outpost retention`: what the store holds of each metric, and what goes, before it goes."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from hub.cli.client import answer, hub
from hub.cli.options import data_option
from hub.cli.table import size, table

_FOREVER = "ever"


@click.command(short_help="Show how long samples stay, and what goes in 7 days.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Show what the rules of this file would delete, in place of those that act. Needs no running hub.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the API's JSON instead of tables.")
@data_option
def retention(data: Path, config_file: Path | None, as_json: bool) -> None:
    """Show how long samples stay, and what goes now and within 7 days.

    With --config, try rules before the hub has them:

    \b
      outpost retention --config new.toml
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    found = asyncio.run(_asked(data)) if config_file is None else _computed(data, config_file)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    for line in _notes(found):
        click.echo(line)
    click.echo("")
    click.echo(_metrics(found["items"]))
    click.echo("")
    click.echo(
        table(
            ("rollups by", "size", "since"),
            [(one["tier"], size(one["bytes"]), _day(one["oldest"])) for one in found["tiers"]],
        )
    )


async def _asked(data: Path) -> dict[str, Any]:
    async with hub(data) as session, session.get("/api/v1/retention") as response:
        content: dict[str, Any] = await answer(response)
    return content


def _computed(data: Path, config_file: Path) -> dict[str, Any]:
    # The store pulls numpy in, which no other command here needs.
    from hub.config import load  # noqa: PLC0415 - see above
    from hub.store.lifetime.forecast import forecast  # noqa: PLC0415 - see above
    from hub.store.lifetime.policy import Policy  # noqa: PLC0415 - see above
    from hub.store.schema import connect_reader  # noqa: PLC0415 - see above
    from hub.store.transfer.archive import existing  # noqa: PLC0415 - see above

    config = load(config_file)
    with closing(connect_reader(existing(data))) as connection:
        found = forecast(connection, Policy(config.retention, config.tags), time.time_ns() // 1_000_000)
    content: dict[str, Any] = msgspec.to_builtins(found)
    return content


def _notes(found: dict[str, Any]) -> list[str]:
    notes = [
        f"The store uses {size(found['used_bytes'])}, and {size(found['free_bytes'])} are free in its file."
    ]
    if found["size_bytes"] is not None:
        limit, over = size(found["size_bytes"]), size(found["over_bytes"])
        notes.append(f"It may take {limit}; after the rules it is {over} over that.")
    if found.get("hold"):
        notes.append(f"Nothing goes by age now: {found['hold']}.")
    if found.get("grace_until"):
        minutes = max(0, found["grace_until"] - time.time_ns() // 1_000_000) // 60_000
        notes.append(f"The rules have changed; they act in {minutes} min.")
    if found.get("over_budget"):
        notes.append("All that may go for the size has gone, and the store is larger all the same.")
    return notes


def _metrics(items: list[dict[str, Any]]) -> str:
    if not items:
        return "no samples are sealed yet"
    head = ("device", "metric", "keeps", "samples", "size", "since", "goes now", "within 7 days")
    rows = [
        (
            one["device"],
            one["metric"],
            _keeps(one["keep"]),
            f"{one['samples']:,}",
            size(one["bytes"]),
            _day(one["oldest"]),
            _amount(one["now"]),
            _amount(one["week"]),
        )
        for one in items
    ]
    total = {
        name: {key: sum(one[name][key] for one in items) for key in ("samples", "bytes")}
        for name in ("now", "week")
    }
    rows.append(
        (
            "all",
            "",
            "",
            f"{sum(one['samples'] for one in items):,}",
            size(sum(one["bytes"] for one in items)),
            "",
            _amount(total["now"]),
            _amount(total["week"]),
        )
    )
    return table(head, rows)


def _sum(amounts: list[dict[str, int]]) -> dict[str, int]:
    return {key: sum(amount[key] for amount in amounts) for key in ("samples", "bytes")}


def _keeps(keep: dict[str, int | None]) -> str:
    """Return ages in short: `raw 90d, 10s 30d`; tiers that stay for ever are left out."""
    said = [f"raw {_age(keep['raw'])}"]
    said += [f"{name} {_age(keep[name])}" for name in ("10s", "1m", "1h", "1d") if keep[name]]
    return ", ".join(said)


def _age(seconds: int | None) -> str:
    if seconds is None:
        return _FOREVER
    for unit_s, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds % unit_s == 0 or seconds >= 100 * unit_s:
            return f"{seconds // unit_s}{unit}"
    return f"{seconds}s"


def _amount(amount: dict[str, int]) -> str:
    return f"{amount['samples']:,} ({size(amount['bytes'])})" if amount["samples"] else "-"


def _day(time_ms: int | None) -> str:
    """Return a day in UTC: the figures are by whole days."""
    return "-" if time_ms is None else datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d")
