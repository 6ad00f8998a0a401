"""`outpost update`: brings the firmware of boards up to date over their link, with a progress bar."""

from __future__ import annotations

import asyncio
import secrets
import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hub.cli.client import Failed, Session, answer, hub, stream
from hub.cli.options import data_option

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from click._termui_impl import ProgressBar


@click.command(short_help="Update boards' firmware over their link.")
@click.argument("device", required=False)
@click.option("--all", "every", is_flag=True, help="Every board that is online and has an older firmware.")
@click.option("--force", is_flag=True, help="Also to an older version than the board has.")
@click.option("--check", is_flag=True, help="Only say what each board has and what there is.")
@data_option
def update(data: Path, device: str | None, every: bool, force: bool, check: bool) -> None:
    """Update DEVICE's firmware over its link, while it goes on sending.

    The board checks every file, starts the new firmware on trial, and goes back to the former one if that
    does not reach the hub. Ctrl-C asks the board to give it up. Exit codes: 0 done, 1 not updated.
    """
    if every == (device is not None):
        raise click.UsageError("name a device, or give --all; `outpost devices` lists them")
    failed = asyncio.run(_run(data, device, force=force, check=check))
    if failed:
        raise Failed(f"not updated: {', '.join(failed)}")


async def _run(data: Path, device: str | None, *, force: bool, check: bool) -> list[str]:
    """Update one board or all; return those that were not."""
    failed = []
    async with hub(data) as session:
        offers = await _offers(session, device)
        for offer in offers:
            state = _state(offer)
            if check or (device is None and not offer["newer"]):
                click.echo(f"{offer['device']}: {offer['firmware'] or 'no firmware known'}; {state}")
            elif not await _update(session, offer, force=force):
                failed.append(offer["device"])
        if not offers:
            click.echo("no board is online")
    return failed


def _state(offer: dict[str, Any]) -> str:
    if not offer["possible"]:
        return str(offer["reason"])
    return f"{offer['version']} is newer" if offer["newer"] else f"{offer['version']} is no newer"


async def _offers(session: Session, device: str | None) -> list[dict[str, Any]]:
    """Return what there is for the device, or for every board that is online."""
    if device is not None:
        names = [device]
    else:
        async with session.get("/api/v1/devices") as response:
            items = (await answer(response))["items"]
        names = [item["id"] for item in items if item["link"] == "serial" and item["online"]]
    offers = []
    for name in names:
        async with session.get(f"/api/v1/devices/{name}/firmware") as response:
            offers.append(await answer(response))
    return offers


async def _update(session: Session, offer: dict[str, Any], *, force: bool) -> bool:
    """Update a board and say how it ended; return whether it has the new firmware."""
    device = offer["device"]
    key = secrets.token_hex(8)
    body = {"key": key, "force": force}
    click.echo(f"{device}: {offer['firmware']} → {offer['version']}")
    async with stream(session, [("device", device), ("max_hz", "5")]) as events:
        work = asyncio.create_task(_asked(session, device, body))
        watching = asyncio.create_task(_show(events, key))
        try:
            result = await asyncio.shield(work)
        except asyncio.CancelledError:
            await _cancel(session, device)
            await asyncio.wait([work], timeout=15)
            raise
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    if result["state"] == "succeeded":
        click.echo(f"{device}: runs {result['result']['firmware']}")
        return True
    click.echo(f"{device}: {result['state'].replace('_', ' ')}: {result.get('error') or '?'}", err=True)
    return False


async def _asked(session: Session, device: str, body: dict[str, Any]) -> dict[str, Any]:
    async with session.post(f"/api/v1/devices/{device}/update", json=body, timeout=None) as response:
        result: dict[str, Any] = await answer(response)
    return result


async def _cancel(session: Session, device: str) -> None:
    """Ask the board to give up the update that is under way."""
    query = {"device": device, "state": "sent"}
    async with session.get("/api/v1/commands", params=query) as response:
        items = (await answer(response))["items"]
    for item in items:
        if item["command"] == "update":
            await session.post(f"/api/v1/commands/{item['id']}/cancel")


async def _show(events: AsyncIterator[tuple[str, str]], key: str) -> None:
    """Show how far the update is: a bar on a terminal, a line for each step elsewhere."""
    bar: ProgressBar[int] = click.progressbar(
        length=100, item_show_func=lambda text: None if text is None else str(text)
    )
    said = ""
    with bar:
        async for event, text in events:
            told = msgspec.json.decode(text) if event == "command" else None
            progress = told.get("progress") if told is not None and told.get("key") == key else None
            if progress is None:
                continue
            if not sys.stdout.isatty():
                step = progress["text"].split(" ")[0]
                if step != said:
                    click.echo(f"  {progress['text']}")
                said = step
            elif progress["percent"] is not None:
                bar.update(max(0, progress["percent"] - bar.pos), progress["text"])
