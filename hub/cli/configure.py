"""`outpost configure`: what a board measures, printed, or taken from a file and followed until it holds."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from hub.cli.client import Failed, Session, answer, hub
from hub.cli.options import data_option
from hub.flash import image

# Three boots that fail, each with its restart, and what the board waits for a hub.
SETTLED_S = 180.0
LOOK_S = 0.5


@click.command(short_help="Print a board's configuration, or put a file's in force.")
@click.argument("device")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@data_option
def configure(data: Path, device: str, file: Path | None) -> None:
    """Print the configuration of the board DEVICE; with FILE, a JSON file, put that in force.

    The board checks it, restarts with it on trial, and comes back with the former one where it crashes or
    hangs three times, or no hub has a session with it. Passwords are not printed; those that FILE leaves out
    stay as they are.
    """
    if file is None:
        asyncio.run(_show(data, device))
        return
    wanted = msgspec.json.decode(image.configuration(file).data)
    asyncio.run(_apply(data, device, wanted))


async def _show(data: Path, device: str) -> None:
    async with hub(data) as session:
        told = await _ask(session, device, "configuration", {})
        found, part = told["configuration"], told
        while "next" in part:
            part = await _ask(session, device, "configuration", {"from": part["next"]})
            found["sensors"] += part["configuration"]["sensors"]
    click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    if told["on_trial"]:
        click.echo("it is on trial", err=True)
    if "put_back" in told:
        click.echo(f"the one after it was put back: {told['put_back']}", err=True)


async def _apply(data: Path, device: str, wanted: Any) -> None:
    async with hub(data) as session:
        before = await _device(session, device)
        done = await _ask(session, device, "configure", {"configuration": wanted})
        if not done["changed"]:
            click.echo("that is what is in force already")
            return
        click.echo("taken; the board restarts")
        try:
            await _follow(session, device, before["boot_id"])
        except asyncio.CancelledError:  # Ctrl-C
            click.echo(
                f"the board goes on by itself; `outpost configure {device}` shows what holds", err=True
            )
            raise
    click.echo("confirmed")


async def _follow(session: Session, device: str, boot_id: str) -> None:
    """Wait until the change holds. Raises Failed where it was put back."""
    end_s, on_trial = time.monotonic() + SETTLED_S, False
    while time.monotonic() < end_s:
        await asyncio.sleep(LOOK_S)
        now = await _device(session, device)
        if not now["online"] or now["boot_id"] == boot_id:
            continue
        if "on trial" in now["notice"]:
            if not on_trial:
                click.echo("it runs, on trial")
            on_trial = True
        elif now["notice"]:
            raise Failed(now["notice"])
        else:
            return
    raise Failed(f"the board did not come back in {SETTLED_S:.0f} s; `outpost devices` shows when it does")


async def _device(session: Session, device: str) -> dict[str, Any]:
    async with session.get(f"/api/v1/devices/{device}") as response:
        found: dict[str, Any] = await answer(response)
    return found


async def _ask(session: Session, device: str, command: str, params: dict[str, Any]) -> dict[str, Any]:
    body = {"command": command, "params": params}
    async with session.post(f"/api/v1/devices/{device}/commands", json=body) as response:
        result = await answer(response)
    if result["state"] != "succeeded":
        raise Failed(result.get("error") or f"{command}: {result['state'].replace('_', ' ')}")
    found: dict[str, Any] = result["result"]
    return found
