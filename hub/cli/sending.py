"""`outpost send`: a command to a device, its progress as it comes, and its result."""

from __future__ import annotations

import asyncio
import secrets
import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hub.cli.client import Failed, answer, hub, stream
from hub.cli.options import data_option

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@click.command()
@click.argument("device")
@click.argument("command")
@click.argument("params", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--ttl",
    "ttl_ms",
    type=click.IntRange(1, 600_000),
    metavar="MS",
    help="Give up after so many milliseconds: 1 to 600000.",
)
@click.option("--key", help="Makes a retry safe: the same key returns the first result.")
@data_option
def send(
    data: Path, device: str, command: str, params: tuple[str, ...], ttl_ms: int | None, key: str | None
) -> None:
    """Send COMMAND to DEVICE and print its result.

    Values are read as JSON where they are JSON (1, true, "text"), as text otherwise:

    \b
      outpost send e66141d0c0ffee01 led state=blink interval_ms=200
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    body: dict[str, Any] = {"command": command, "params": _pairs(params)}
    if ttl_ms is not None:
        body["ttl_ms"] = ttl_ms
    if key is not None:
        body["key"] = key
    result = asyncio.run(_send(data, device, body))
    if result["state"] != "succeeded":
        raise Failed(
            f"{command}: {result['state'].replace('_', ' ')}: {result.get('error') or 'no reason given'}"
        )
    click.echo(msgspec.json.format(msgspec.json.encode(result["result"]), indent=2).decode())


async def _send(data: Path, device: str, body: dict[str, Any]) -> dict[str, Any]:
    # By its key the command is known in the stream before its answer tells its id.
    body.setdefault("key", secrets.token_hex(8))
    async with hub(data) as session, stream(session, [("device", device), ("max_hz", "5")]) as events:
        watching = asyncio.create_task(_show_progress(events, body["key"]))
        try:
            async with session.post(
                f"/api/v1/devices/{device}/commands", json=body, timeout=None
            ) as response:
                result: dict[str, Any] = await answer(response)
        finally:
            watching.cancel()
    return result


async def _show_progress(events: AsyncIterator[tuple[str, str]], key: str) -> None:
    """Tell on stderr how far the command is: on a terminal in one line that changes."""
    line = sys.stderr.isatty()
    async for event, text in events:
        told = msgspec.json.decode(text) if event == "command" else None
        if told is None or told.get("key") != key:
            continue
        progress = told.get("progress")
        if progress is not None:
            percent = "" if progress["percent"] is None else f"{progress['percent']:3d} %  "
            shown = f"{percent}{progress['text']}".rstrip()
            click.echo(f"\r\x1b[K{shown}" if line else shown, err=True, nl=not line)
        elif line and told["state"] not in ("queued", "sent"):
            click.echo("\r\x1b[K", err=True, nl=False)


def _pairs(params: tuple[str, ...]) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for param in params:
        key, equals, text = param.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{param!r} is not KEY=VALUE", param_hint="params")
        try:
            pairs[key] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            pairs[key] = text
    return pairs
