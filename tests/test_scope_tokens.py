"""What a scope is, and the tokens that have one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hub.model import Role, Scope
from hub.store.identity.accounts import Accounts
from hub.store.identity.rights import BadScope
from hub.web.live.filters import Filter, NameSet, Reach
from tests.scoped_hub import OTHER, asked, scoped_hub
from tests.web_hub import DEVICE, WebHub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with scoped_hub(tmp_path) as running:
        yield running


async def test_a_token_of_some_devices_is_made_and_listed(hub: WebHub) -> None:
    body = {"name": "lab", "role": "viewer", "devices": ["pico-*"], "tags": ["lab"]}
    made = await hub.call("POST", "tokens", role=Role.ADMIN, json=body)
    assert (made.status, made.json()["devices"], made.json()["tags"]) == (201, ["pico-*"], ["lab"])
    listed = (await hub.call("GET", "tokens", role=Role.ADMIN)).json()["items"]
    assert [(one["devices"], one["tags"]) for one in listed if one["name"] == "lab"] == [
        (["pico-*"], ["lab"])
    ]
    who = await asked(hub, "GET", "session", {"Authorization": f"Bearer {made.json()['token']}"})
    assert who.json() == {"name": "token:lab", "role": "viewer", "devices": ["pico-*"], "tags": ["lab"]}
    events = (await hub.call("GET", "security/events?kind=token_made", role=Role.ADMIN)).json()["items"]
    assert "pico-*" in events[0]["detail"]


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"role": "viewer", "devices": [""]}, "devices[0]"),
        ({"role": "viewer", "devices": ["a\nb"]}, "devices"),
        ({"role": "viewer", "tags": ["\u0000"]}, "tags"),
        ({"role": "viewer", "devices": ["x"] * 65}, "devices"),
        ({"role": "device", "devices": ["pico-*"]}, "devices"),
        ({"role": "device", "devices": ["a", "b"]}, "devices"),
        ({"role": "device", "tags": ["lab"]}, "tags"),
    ],
)
async def test_a_scope_that_is_none_is_refused(hub: WebHub, body: dict[str, Any], parameter: str) -> None:
    answered = await hub.call("POST", "tokens", role=Role.ADMIN, json={"name": "x", **body})
    assert (answered.status, answered.problem()["parameter"]) == (400, parameter)


async def test_a_device_reads_itself_and_nothing_else(hub: WebHub) -> None:
    body = {"name": DEVICE, "role": "device"}
    made = (await hub.call("POST", "tokens", role=Role.ADMIN, json=body)).json()
    assert made["devices"] == [DEVICE]
    headers = {"Authorization": f"Bearer {made['token']}"}
    expected = {f"devices/{DEVICE}": 200, f"devices/{OTHER}": 404, "devices": 403, "latest": 200}
    found = {path: (await asked(hub, "GET", path, headers)).status for path in expected}
    assert found == expected


async def test_people_do_not_have_the_role_of_devices(hub: WebHub) -> None:
    body = {"name": "eva", "password": "correct horse battery"}
    made = await hub.call("POST", "users", role=Role.ADMIN, json={**body, "role": "device"})
    assert (made.status, made.problem()["parameter"]) == (400, "role")
    await hub.call("POST", "users", role=Role.ADMIN, json={**body, "role": "viewer"})
    changed = await hub.call("PATCH", "users/eva", role=Role.ADMIN, json={"role": "device"})
    assert (changed.status, changed.problem()["parameter"]) == (400, "role")


def test_a_scope_is_kept_in_the_file(tmp_path: Path) -> None:
    accounts = Accounts.open(tmp_path)
    scope = Scope(devices=("pico-*",), tags=("lab",))
    plain = accounts.tokens.create("a", Role.VIEWER, 1, scope=scope)
    known = Accounts.open(tmp_path).tokens.identity(plain, 2)
    assert known is not None
    assert known.scope == scope


def test_a_scope_of_the_role_device_has_one_device(tmp_path: Path) -> None:
    with pytest.raises(BadScope, match="one device"):
        Accounts.open(tmp_path).tokens.create("a", Role.DEVICE, 1)


@pytest.mark.parametrize(
    ("scope", "tagged", "device", "expected"),
    [
        (Scope(), (), "any", True),
        (Scope(devices=("a",)), (), "a", True),
        (Scope(devices=("a",)), (), "ab", False),
        (Scope(devices=("a*",)), (), "ab", True),
        (Scope(devices=("a?",)), (), "a", False),
        (Scope(devices=("[a]",)), (), "a", False),
        (Scope(tags=("t",)), (), "a", False),
        (Scope(tags=("t",)), ("a",), "a", True),
        (Scope(devices=("b",), tags=("t",)), ("a",), "a", True),
        (Scope(devices=("b",), tags=("t",)), ("a",), "c", False),
    ],
)
def test_a_reach_takes_ids_patterns_and_tags(
    scope: Scope, tagged: tuple[str, ...], device: str, expected: bool
) -> None:
    assert Reach.of(scope, tagged).includes(device) == expected


def test_what_concerns_no_device_is_for_who_may_know_all() -> None:
    assert Filter().takes_device(None)
    assert not Filter(reach=Reach(False, NameSet(frozenset({"*"})))).takes_device(None)
