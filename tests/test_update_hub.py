"""The hub's side of updates: the package, the offer, the job in the trail, the route. The board is a fake."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from hub.flash.image import BoardFile, FirmwareMissing, firmware
from hub.links.link import Cancelled, NotReachable, Refused
from hub.model import Born, LinkKind, Role
from hub.update import package, updates
from hub.update.updates import Packages, Updates
from tests.web_hub import BIRTH, DEVICE, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.model import Command

UPDATE = f"devices/{DEVICE}/update"


# --- the package ----------------------------------------------------------------------------------------


def test_a_manifest_names_every_file_by_its_hash() -> None:
    made = package.make([BoardFile("/a.py", b"a"), BoardFile("/b/c.py", b"")], "1.2.3", ("rp2",), (1, 24))
    head, a, c = made.parts[0].decode().splitlines()
    assert head == "outpost-firmware 1 1.2.3 rp2 1.24"
    assert a == f"{hashlib.sha256(b'a').hexdigest()} 1 /a.py"
    assert c.endswith(" 0 /b/c.py")
    assert made.parts[1:] == (b"a", b"")


def test_the_installed_firmware_fits_what_a_board_takes() -> None:
    made = package.installed()
    assert len(made.parts) == 1 + len(firmware())
    assert made.manifest_bytes <= package.MANIFEST_BYTES
    assert (package.parsed(made.version) or ()) >= updates.FIRST


def test_a_firmware_of_too_many_files_is_no_package() -> None:
    with pytest.raises(FirmwareMissing, match="129 files"):
        package.make([BoardFile(f"/{number}.py", b"") for number in range(129)], "1.0.0")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0.2.0 on MicroPython 1.27.0", (0, 2, 0)),
        ("1.10", (1, 10)),
        ("Linux 6.1.0", None),
        ("1.2-beta", None),
        ("", None),
        ("9" * 5000, None),
    ],
)
def test_a_version_is_read_from_what_a_birth_says(text: str, numbers: tuple[int, ...] | None) -> None:
    assert package.parsed(text) == numbers


# --- the job and the route ------------------------------------------------------------------------------


@pytest.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WebHub]:
    monkeypatch.setattr(updates, "AGAIN_S", 0.01)
    async with web_hub(tmp_path) as running:
        running.parts.updates = Updates(
            registry=running.parts.registry,
            commands=running.parts.commands,
            packages=Packages(),
            load=lambda: package.make([BoardFile("/a.py", b"a")], "1.3.0"),
        )
        yield running


def answers(hub: WebHub, *outcomes: Any) -> None:
    """Let the board answer so, one after the other."""
    queue = list(outcomes)

    def answer(_command: Command) -> Any:
        outcome = queue.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    hub.link.answer = answer


async def test_what_there_is_stands_beside_what_runs(hub: WebHub) -> None:
    offer = (await hub.get(f"devices/{DEVICE}/firmware")).json()
    assert (offer["firmware"], offer["version"], offer["newer"], offer["possible"]) == (
        "1.2.3",
        "1.3.0",
        True,
        True,
    )


async def test_an_update_is_one_command_with_the_manifests_hash(hub: WebHub) -> None:
    answers(hub, {"version": "1.3.0"})
    result = (await hub.call("POST", UPDATE, role=Role.ADMIN, json={"force": True})).json()
    assert (result["state"], result["result"]["before"]) == ("succeeded", "1.2.3")
    (sent,) = hub.link.sent
    made = package.make([BoardFile("/a.py", b"a")], "1.3.0")
    assert sent.params == {"manifest": made.manifest_sha256, "bytes": made.manifest_bytes, "force": True}


async def test_an_update_is_in_the_security_log(hub: WebHub) -> None:
    answers(hub, {"version": "1.3.0"})
    await hub.call("POST", UPDATE, role=Role.ADMIN, json={})
    events = (await hub.get("security/events?kind=firmware_update", role=Role.ADMIN)).json()["items"]
    told = [(event["actor"], event["detail"]) for event in reversed(events)]
    assert told == [("token:test-admin", f"{DEVICE}: {end}") for end in ("asked for", "succeeded")]


async def test_a_board_that_restarts_is_asked_the_same_again(hub: WebHub) -> None:
    answers(hub, NotReachable("it restarts"), NotReachable("it restarts"), {"version": "1.3.0"})
    result = (await hub.call("POST", UPDATE, role=Role.ADMIN, json={})).json()
    assert result["state"] == "succeeded"
    assert len({sent.id for sent in hub.link.sent}) == 1
    assert len(hub.link.sent) == 3


async def test_a_board_that_stays_away_fails_the_update(hub: WebHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "AWAY_S", 0.05)
    hub.link.answer = lambda _command: (_ for _ in ()).throw(NotReachable("unplugged"))
    result = (await hub.call("POST", UPDATE, role=Role.ADMIN, json={})).json()
    assert result["state"] == "failed"
    assert "did not come back" in result["error"]


async def test_what_the_board_refuses_is_in_its_words(hub: WebHub) -> None:
    answers(hub, Refused("version 1.3.0 is older than 2.0.0"))
    result = (await hub.call("POST", UPDATE, role=Role.ADMIN, json={})).json()
    assert (result["state"], result["error"]) == ("failed", "version 1.3.0 is older than 2.0.0")


async def test_a_cancelled_update_asks_the_board_and_ends_as_it_says(hub: WebHub) -> None:
    hub.link.gate = asyncio.Event()
    answers(hub, Cancelled("cancelled: the firmware stays as it is"))
    work = asyncio.create_task(hub.call("POST", UPDATE, role=Role.ADMIN, json={}))
    while not hub.link.sent:
        await asyncio.sleep(0.01)
    asked = await hub.call("POST", f"commands/{hub.link.sent[0].id}/cancel", role=Role.OPERATOR, json={})
    assert asked.status == 202
    while not hub.link.cancelled:
        await asyncio.sleep(0.01)
    hub.link.gate.set()
    assert (await work).json()["state"] == "cancelled"


async def test_past_the_point_of_no_return_a_cancel_changes_nothing(hub: WebHub) -> None:
    hub.link.gate = asyncio.Event()
    answers(hub, {"version": "1.3.0"})
    work = asyncio.create_task(hub.call("POST", UPDATE, role=Role.ADMIN, json={}))
    while not hub.link.sent:
        await asyncio.sleep(0.01)
    await hub.call("POST", f"commands/{hub.link.sent[0].id}/cancel", role=Role.OPERATOR, json={})
    hub.link.gate.set()
    assert (await work).json()["state"] == "succeeded"


async def test_the_same_key_updates_once(hub: WebHub) -> None:
    answers(hub, {"version": "1.3.0"})
    first = await hub.call("POST", UPDATE, role=Role.ADMIN, json={"key": "k"})
    again = await hub.call("POST", UPDATE, role=Role.ADMIN, json={"key": "k"})
    assert first.json()["id"] == again.json()["id"]
    assert len(hub.link.sent) == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("devices/nobody/update", {}, 404),
        (UPDATE, {"force": "yes"}, 400),
        (UPDATE, {"key": ""}, 400),
        (UPDATE, {"version": "9"}, 400),
    ],
)
async def test_what_makes_no_sense_is_refused(
    hub: WebHub, path: str, body: dict[str, Any], status: int
) -> None:
    assert (await hub.call("POST", path, role=Role.ADMIN, json=body)).status == status


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
async def test_only_an_admin_updates(hub: WebHub, role: Role) -> None:
    assert (await hub.call("POST", UPDATE, role=role, json={})).status == 403
    assert hub.link.sent == []


async def test_a_firmware_that_knows_no_updates_is_told_what_to_do(hub: WebHub) -> None:
    old = msgspec.structs.replace(BIRTH, firmware="0.1.0 on MicroPython 1.24.0")
    hub.sink(Born(old, LinkKind.SERIAL))
    problem = await hub.call("POST", UPDATE, role=Role.ADMIN, json={})
    assert problem.status == 409
    assert "outpost flash" in problem.json()["detail"]


async def test_a_hub_without_firmware_says_so(hub: WebHub) -> None:
    hub.parts.updates = None
    assert (await hub.call("POST", UPDATE, role=Role.ADMIN, json={})).status == 503
