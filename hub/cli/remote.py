"""Commands that read from a running hub: `devices`, `watch`."""

from __future__ import annotations

import asyncio
import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hub.cli.client import Failed, answer, hub, stream
from hub.cli.enrolling import accept, forget, pending, reject, remove
from hub.cli.near import meant
from hub.cli.options import data_option
from hub.cli.table import age, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@click.group(
    invoke_without_command=True,
    short_help="List the devices, decide about boards that wait, remove what is gone.",
)
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print the API's JSON instead of a table.")
@click.pass_context
def devices(context: click.Context, data: Path, as_json: bool) -> None:
    """List the devices that the hub knows, with last values; decide about boards; remove what is gone."""
    if context.invoked_subcommand is None:
        _list(data, as_json=as_json)


devices.add_command(pending)
devices.add_command(accept)
devices.add_command(reject)
devices.add_command(forget)
devices.add_command(remove)


def _list(data: Path, *, as_json: bool) -> None:
    items = asyncio.run(_devices(data))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(items), indent=2).decode())
        return
    if not items:
        click.echo("no devices yet: plug in a board, or publish to outpost/<device>/<metric> by MQTT")
        return
    rows = []
    for device in items:
        lasts = [metric["last"] for metric in device["metrics"] if metric["last"]]
        rows.append(
            (
                device["id"],
                device["name"],
                device["link"],
                "online" if device["online"] else f"offline: {device.get('reason') or 'no session'}",
                age(device["last_seen"]),
                f"{len(lasts)} of {len(device['metrics'])}",
                ", ".join(command["name"] for command in device["commands"]) or "-",
            )
        )
    click.echo(table(("device", "name", "link", "state", "last seen", "metrics", "commands"), rows))


async def _devices(data: Path) -> list[dict[str, Any]]:
    async with hub(data) as session, session.get("/api/v1/devices") as response:
        content = await answer(response)
    items: list[dict[str, Any]] = content["items"]
    return items


@click.command(short_help="Print samples as they arrive, a line each.")
@click.argument("device", required=False)
@click.option("--metric", "-m", multiple=True, help="Only this metric; may be given several times.")
@data_option
def watch(data: Path, device: str | None, metric: tuple[str, ...]) -> None:
    """Print samples as they arrive, a line each: time, device, metric, value, unit. Ctrl-C ends it.

    DEVICE and metrics may have * and ?.
    """
    try:
        asyncio.run(_watch(data, device, metric))
    except KeyboardInterrupt:
        sys.exit(0)


async def _watch(data: Path, device: str | None, metric: tuple[str, ...]) -> None:
    known = await _devices(data)
    if device is not None and not any(fnmatchcase(item["id"], device) for item in known):
        near = meant(device, [item["id"] for item in known])
        raise Failed(f"no device {device!r} is known here (`outpost devices` lists those that are){near}")
    if unknown := unheard(metric, known, device):
        click.echo(f"{unknown} (Ctrl-C ends)", err=True)
    units = {(item["id"], one["name"]): one["unit"] for item in known for one in item["metrics"]}
    query = [("device", device)] if device else []
    query += [("metric", name) for name in metric]
    async with hub(data) as session, stream(session, query) as events:
        async for event, text in events:
            _print_event(event, text, units)
    raise Failed("the hub closed the stream")


def unheard(metrics: Sequence[str], known: Sequence[dict[str, Any]], device: str | None = None) -> str:
    """Return that metrics are waited for which no device has, or none of `device`; else an empty text."""
    those = [item for item in known if device is None or fnmatchcase(item["id"], device)]
    names = {one["name"] for item in those for one in item["metrics"]}
    missing = [one for one in metrics if not any(fnmatchcase(name, one) for name in names)]
    if not missing:
        return ""
    near = "".join(meant(one, names) for one in missing[:1])
    return f"no metric {', '.join(map(repr, missing))} is known here, it is waited for{near}"


def _print_event(event: str, text: str, units: dict[tuple[str, str], str]) -> None:
    content = msgspec.json.decode(text)
    if event == "samples":
        for device, metric, time_ms, value, quality in content:
            shown = f"{value} {units.get((device, metric), '')}".rstrip()
            doubt = "" if quality == "good" else f"  ({quality})"
            click.echo(f"{clock(time_ms)}  {device:<20} {metric:<16} {shown}{doubt}")
    elif event == "gap":
        click.echo(f"-- this terminal was too slow: {content} dropped", err=True)


def clock(time_ms: int) -> str:
    """Return a UTC millisecond time as local `HH:MM:SS.mmm`."""
    from datetime import datetime  # noqa: PLC0415 - only `watch` needs it

    return datetime.fromtimestamp(time_ms / 1000).astimezone().strftime("%H:%M:%S.%f")[:-3]
