"""`outpost devices pending | accept | reject | forget | remove`: an admin's word on boards and devices."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click
import msgspec

from hub.cli.client import Failed, NoHub, answer, hub
from hub.cli.loan import is_here
from hub.cli.near import meant
from hub.cli.options import data_option
from hub.cli.table import age, table

if TYPE_CHECKING:
    from pathlib import Path

    from hub.cli.client import Session

_KEYS = {
    "none": "without a key",
    "offered": "it gets its key as soon as it can keep one",
    "kept": "it has its key",
}


@click.command(short_help="List the boards that wait, and what is refused.")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print the API's JSON instead of a table.")
def pending(data: Path, as_json: bool) -> None:
    """List the boards that wait to be accepted, and what is refused under the id of one that is."""
    items = [item for item in asyncio.run(_items(data)) if item["state"] in ("pending", "refused")]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(items), indent=2).decode())
        return
    if not items:
        click.echo("no board waits to be accepted")
        return
    rows = [
        (
            item["device"],
            item["name"] or "-",
            item["state"],
            f"{item['place']}" + ("" if item["online"] else " (away)"),
            age(item["since"]),
            item["reason"] or f"{item['readings_kept']} readings kept aside",
        )
        for item in items
    ]
    click.echo(table(("device", "name", "state", "on", "since", "what"), rows))


@click.command(short_help="Let a board in, and give it a key of its own.")
@click.argument("device")
@click.option("--unseen", is_flag=True, help="Also a board that has not come yet: it is let in when it does.")
@data_option
def accept(device: str, unseen: bool, data: Path) -> None:
    """Let the board DEVICE in, and give it a key of its own.

    What it said while it waited becomes history. Of a board that is in already, or lost its key, this makes a
    new one.
    """
    view = asyncio.run(_accept(data, device) if unseen else _accept_known(data, device))
    click.echo(f"{device} is accepted; {_KEYS[view['key']]}")


@click.command(short_help="Turn away a board that waits.")
@click.argument("device")
@data_option
def reject(device: str, data: Path) -> None:
    """Turn away the board DEVICE, which waits; what it said is dropped."""
    view = asyncio.run(_decide(data, "POST", device, "/reject"))
    click.echo(f"{device} is {view['state']}")


@click.command(short_help="Forget a board and its key; its history stays.")
@click.argument("device")
@data_option
def forget(device: str, data: Path) -> None:
    """Forget the board DEVICE and its key: it waits when it comes again. Its history stays."""
    asyncio.run(_decide(data, "DELETE", device, ""))
    click.echo(f"{device} is forgotten")


@click.command(short_help="Take a device that is gone off the list; its samples stay.")
@click.argument("device")
@data_option
def remove(device: str, data: Path) -> None:
    """Take DEVICE, which is gone, off the list, with its key, its desired values and its alerts.

    Its samples stay until retention takes them, and are its history again if it comes back; `outpost erase`
    erases them.
    """
    known, removed = asyncio.run(_remove(data, device))
    click.echo(f"{device} is removed; its samples stay until retention takes them")
    if not removed["broker_cleared"]:
        click.echo(
            f"{device} may come back: the MQTT broker is away, and what it retains of the device could not "
            "be cleared. Remove it again then",
            err=True,
        )
    if known["link"] == "mqtt":
        click.echo(f"if the broker has a user for it: `outpost mqtt user remove {device}`", err=True)


async def vouch(data: Path, device: str) -> str:
    """Have the hub of this machine accept a board that was flashed here; return words about that."""
    try:
        if not is_here(data):
            return "accept it in the dashboard of its hub, or by `outpost devices accept` there"
        await _accept(data, device)
    except NoHub:
        return _vouch_in_file(data, device)
    except Failed as error:
        return f"the hub of this machine did not accept it: {error}"
    return "the hub of this machine accepts it, and gives it a key"


def _vouch_in_file(data: Path, device: str) -> str:
    """Leave word for a hub that does not run now, where there is one."""
    from hub.store.folder import DATABASE, StoreError  # noqa: PLC0415 - as above
    from hub.store.identity.enrolments import Enrolled, Enrolments  # noqa: PLC0415 - sqlite-utils, for this alone
    from hub.store.identity.rights import CONSOLE, SecurityKind  # noqa: PLC0415 - as above

    if not (data / DATABASE).exists():
        return "a hub will ask before it lets the board in: accept it in its dashboard"
    enrolled = Enrolled(
        device=device,
        accepted=True,
        next_key=secrets.token_bytes(32),
        time=time.time_ns() // 1_000_000,
        by=CONSOLE,
    )
    try:
        Enrolments.open(data).put(enrolled, SecurityKind.BOARD_ACCEPTED, device, enrolled.time)
    except StoreError as error:
        return f"the hub of this machine did not accept it: {error}"
    return "the hub of this machine will let it in, and give it a key"


async def _items(data: Path) -> list[dict[str, Any]]:
    async with hub(data) as session:
        return await _listed(session, "enrolments")


async def _accept(data: Path, device: str) -> dict[str, Any]:
    return await _decide(data, "POST", device, "/accept")


async def _accept_known(data: Path, device: str) -> dict[str, Any]:
    """Accept a board that the hub has heard of. Raises Failed for a name that is another's, misspelt."""
    async with hub(data) as session:
        boards = {item["device"] for item in await _listed(session, "enrolments")}
        known = boards | {item["id"] for item in await _listed(session, "devices")}
    if device not in known:
        raise Failed(
            f"no board {device!r} waits or is known here (`outpost devices pending` lists those that wait, "
            f"--unseen accepts one before it comes){meant(device, known)}"
        )
    return await _accept(data, device)


async def _remove(data: Path, device: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the device was, and how it went. Raises Failed."""
    async with hub(data) as session:
        known = {item["id"]: item for item in await _listed(session, "devices")}
        if device not in known:
            near = meant(device, known)
            raise Failed(f"no device {device!r} is known here (`outpost devices` lists those that are){near}")
        async with session.request("DELETE", f"/api/v1/devices/{quote(device, safe='')}") as response:
            return known[device], await answer(response)


async def _listed(session: Session, what: str) -> list[dict[str, Any]]:
    async with session.get(f"/api/v1/{what}") as response:
        items: list[dict[str, Any]] = (await answer(response))["items"]
    return items


async def _decide(data: Path, method: str, device: str, what: str) -> dict[str, Any]:
    path = f"/api/v1/enrolments/{quote(device, safe='')}{what}"
    async with hub(data) as session, session.request(method, path) as response:
        view: dict[str, Any] = {} if response.status == 204 else await answer(response)
    return view
