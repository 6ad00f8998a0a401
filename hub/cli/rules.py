"""`outpost rules`: the rules that raise alerts, as a TOML file."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from hub.cli.client import Failed, answer, hub
from hub.cli.options import data_option
from hub.config import ConfigError

TOML = "application/toml"


@click.group()
def rules() -> None:
    """Export and import the rules that raise alerts."""


@rules.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@data_option
def export_rules(data: Path, file: Path | None) -> None:
    """Write all rules to FILE, or to the terminal, as TOML."""
    text = asyncio.run(fetch(data))
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failed(f"{file}: cannot be written: {error.strerror}") from error


@rules.command("import", short_help="Put the rules of a file in place of all.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@data_option
def import_rules(data: Path, file: Path) -> None:
    """Put the rules of FILE (- is stdin) in place of all: one bad rule, and nothing changes."""
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    count = asyncio.run(replace(data, content))
    click.echo("1 rule" if count == 1 else f"{count} rules")


async def fetch(data: Path) -> str:
    """Return the hub's rules as TOML. Raises Failed."""
    async with hub(data) as session, session.get("/api/v1/rules", params={"format": "toml"}) as response:
        if response.status != 200:
            await answer(response)
        return await response.text()


async def replace(data: Path, content: bytes) -> int:
    """Put the rules of a TOML text in place of all; return how many there are. Raises Failed."""
    headers = {"Content-Type": TOML}
    async with hub(data) as session, session.put("/api/v1/rules", data=content, headers=headers) as response:
        return len((await answer(response))["items"])
