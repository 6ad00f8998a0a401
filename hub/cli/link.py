"""`outpost link`: a fresh one-time link into a running hub."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from hub.cli.client import access, answer, hub, hub_url
from hub.cli.options import data_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Print a new link that opens the dashboard as admin.")
@click.option(
    "--url", help="The hub's address as your browser reaches it, as in http://greenhouse.local:8080."
)
@data_option
def link(data: Path, url: str | None) -> None:
    """Print a new link that opens the dashboard logged in as admin: it works once, for 10 minutes.

    The one before stops working. Run this as the hub's user, for the service as
    `sudo outpost link --data /var/lib/outpost`.
    """
    shown = access(data).url if url is None else hub_url(url, "--url")
    made = asyncio.run(_make(data))
    click.echo(shown + made["path"])


async def _make(data: Path) -> dict[str, Any]:
    async with hub(data) as session, session.post("/api/v1/link") as response:
        made: dict[str, Any] = await answer(response)
    return made
