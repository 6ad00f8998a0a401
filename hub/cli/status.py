"""`outpost status`: how the running hub is, on one screen, and as an exit code for what watches it."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hub.cli.client import Failed, NoHub, access, answer, hub
from hub.cli.finding import Finding
from hub.cli.options import data_option
from hub.cli.table import age, size, span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hub.cli.client import Session

_PATIENCE_S = 15.0
"""A hub that runs answers within milliseconds, on a Pi whose card is busy within a few seconds."""
_SHORT_YEARS = 2
_NAMED = 6
"""So many are named in a line; the rest is counted."""


class Told(msgspec.Struct, kw_only=True):
    """What the hub's own routes say of it, each as the API has it."""

    hub: dict[str, Any]
    devices: list[dict[str, Any]]
    enrolments: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    cameras: list[dict[str, Any]]


@click.command(short_help="Show how the running hub is; exits with 1 where it is not well.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: healthy, wrong, and the API's own answers."
)
@data_option
def status(data: Path, as_json: bool) -> None:
    """Show how the running hub is: store, card, devices, alerts, cameras.

    Exits with 0 where it is well; with 1 where none answers, it cannot store, an alert of a severity above
    info is active, or a camera fails. A device that is offline is told and no failure: an alert on silence
    makes it one.
    """
    try:
        url = access(data).url
        told = asyncio.run(_ask(data))
    except Failed as error:
        if not as_json:
            raise
        _print_json({"healthy": False, "wrong": [str(error)]})
        sys.exit(1)
    findings = list(look(told, url))
    wrong = [f"{one.what}: {one.found}" for one in findings if one.fatal]
    if as_json:
        _print_json({"healthy": not wrong, "wrong": wrong, "url": url, **msgspec.to_builtins(told)})
    else:
        for finding in findings:
            click.echo(finding)
    sys.exit(1 if wrong else 0)


def look(told: Told, url: str) -> Iterator[Finding]:
    """Yield what the hub says of itself, a thing at a time. Pure, but for the ages that it tells."""
    known = told.hub
    yield Finding("hub", f"{known['name']} {known['version']} at {url}, up for {span(known['uptime_s'])}")
    yield _store(known["health"])
    yield _card(known["health"]["store"])
    yield _devices(told.devices)
    if waiting := [one["device"] for one in told.enrolments if one["state"] == "pending"]:
        yield Finding("waiting", _names(waiting), "outpost devices pending, then accept or reject them")
    refused = [one for one in told.enrolments if one["state"] == "refused"]
    if refused:
        named = _names([f"{one['device']} on {one['place']}" for one in refused])
        yield Finding("refused", named, "outpost devices pending says why")
    yield _alerts(told.alerts)
    yield _cameras(told.cameras)


def _store(health: dict[str, Any]) -> Finding:
    if health["store_degraded"] is not None:
        return Finding(
            "store",
            f"cannot commit: {health['store_degraded']}",
            "boards keep what they send until it can; the hub's log says more",
            fatal=True,
        )
    store = health["store"]
    found = f"{size(store['file_bytes'])}, {store['queue_readings']} readings wait"
    typical_ms, slow_ms = store["commit_p50_ms"], store["commit_p99_ms"]
    if typical_ms is not None:
        found += f"; a commit takes {typical_ms:.0f} ms, one of a hundred {slow_ms:.0f} ms or more"
    return Finding("store", found)


def _card(store: dict[str, Any]) -> Finding:
    years, day = store["card_years"], store["written_bytes_per_day"]
    if years is None or day is None:
        return Finding("card", "too early to tell how long it lasts")
    found = f"{size(round(day))} a day are written: {'over 50' if years > 50 else f'{years:.1f}'} years"
    if years >= _SHORT_YEARS:
        return Finding("card", found)
    return Finding("card", found, "store less (docs/retention.md), commit less often, or use a larger card")


def _devices(devices: list[dict[str, Any]]) -> Finding:
    away = [one for one in devices if not one["online"]]
    found = f"{len(devices) - len(away)} of {len(devices)} online"
    if not away:
        return Finding("devices", found)
    named = _names([f"{one['id']} ({age(one['last_seen'])})" for one in away])
    return Finding("devices", f"{found}; offline: {named}", "outpost devices says why each is")


def _alerts(alerts: list[dict[str, Any]]) -> Finding:
    if not alerts:
        return Finding("alerts", "none is active")
    texts = [f"{one['severity']}: {one['text']} ({age(one['raised_time'])})" for one in alerts]
    serious = any(one["severity"] != "info" for one in alerts)
    return Finding("alerts", _names(texts, "; "), "look at the dashboard's page Alerts", fatal=serious)


def _cameras(cameras: list[dict[str, Any]]) -> Finding:
    if not cameras:
        return Finding("cameras", "none is configured")
    found = _names([_camera(one) for one in cameras])
    if any(one["state"] == "failed" for one in cameras):
        return Finding("cameras", found, "outpost doctor lists what is connected", fatal=True)
    return Finding("cameras", found)


def _camera(camera: dict[str, Any]) -> str:
    if camera["state"] == "failed":
        return f"{camera['id']} failed: {camera['error']}"
    viewers = f", {camera['viewers']} watch" if camera["viewers"] else ""
    return f"{camera['id']} ({camera['state']}{viewers})"


def _names(names: list[str], between: str = ", ") -> str:
    more = len(names) - _NAMED
    return between.join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


async def _ask(data: Path) -> Told:
    """Return what the hub says. Raises Failed; NoHub where it does not answer in time."""
    try:
        async with asyncio.timeout(_PATIENCE_S), hub(data) as session:
            known, devices, enrolments, alerts, cameras = await asyncio.gather(
                _get(session, "hub"),
                _get(session, "devices"),
                _get(session, "enrolments"),
                _get(session, "alerts?active=true&limit=1000"),
                _get(session, "cameras"),
            )
    except TimeoutError as error:
        raise NoHub(f"the hub at {access(data).url} does not answer within {_PATIENCE_S:.0f} s") from error
    return Told(
        hub=known,
        devices=devices["items"],
        enrolments=enrolments["items"],
        alerts=alerts["items"],
        cameras=cameras["items"],
    )


async def _get(session: Session, what: str) -> dict[str, Any]:
    async with session.get(f"/api/v1/{what}") as response:
        content: dict[str, Any] = await answer(response)
    return content


def _print_json(content: dict[str, Any]) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(content), indent=2).decode())
