"""A change of rules is answered when it is in the file, and refused while the store cannot commit."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from hub.model import Role
from tests.fakes import until
from tests.web_hub import DEVICE, WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HOT = {"id": "hot", "source": "*/temperature", "condition": "above", "threshold": 30.0}
TOML = b'[[rule]]\nid = "cold"\nsource = "*/temperature"\ncondition = "below"\nthreshold = 2.0\n'
CHANGES: list[tuple[str, dict[str, Any], tuple[str, str]]] = [
    ("rules/hot", {"json": HOT}, ("rule", "hot")),
    ("rules", {"data": TOML, "headers": {"Content-Type": "application/toml"}}, ("rule", "cold")),
    ("retention/rules", {"json": {"raw": "30d"}}, ("retention", "retention")),
    (f"devices/{DEVICE}/desired", {"json": {"commands": []}}, ("desired", DEVICE)),
]


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


def documents(folder: Path) -> list[tuple[str, str]]:
    """Read what is committed, as another program would."""
    with contextlib.closing(sqlite3.connect(folder / "data" / "outpost.db")) as other:
        return other.execute("SELECT kind, id FROM document ORDER BY kind, id").fetchall()


def rename(folder: Path, old: str, new: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / "data" / "outpost.db", timeout=30)) as other:
        other.execute(f"ALTER TABLE {old} RENAME TO {new}")


@pytest.mark.parametrize(("path", "body", "key"), CHANGES)
async def test_a_change_is_in_the_file_when_it_is_answered(
    hub: WebHub, tmp_path: Path, path: str, body: dict[str, Any], key: tuple[str, str]
) -> None:
    answered = await hub.call("PUT", path, role=Role.ADMIN, **body)
    assert (answered.status, documents(tmp_path)) == (200, [key])


async def test_what_was_removed_is_gone_from_the_file_when_it_is_answered(
    hub: WebHub, tmp_path: Path
) -> None:
    await hub.call("PUT", "rules/hot", role=Role.ADMIN, json=HOT)
    assert (await hub.call("DELETE", "rules/hot", role=Role.ADMIN)).status == 204
    assert documents(tmp_path) == []


async def test_a_change_that_cannot_be_committed_says_so_and_is_written_when_it_can(
    hub: WebHub, tmp_path: Path
) -> None:
    rename(tmp_path, "document", "lost")
    answered = await hub.call("PUT", "rules/hot", role=Role.ADMIN, json=HOT)
    assert answered.status == 503
    assert "acts, but is not on the disk yet" in answered.problem()["detail"]
    rename(tmp_path, "lost", "document")
    await until(lambda: documents(tmp_path) == [("rule", "hot")])


async def test_nothing_is_changed_while_the_store_cannot_commit(hub: WebHub, tmp_path: Path) -> None:
    rename(tmp_path, "document", "lost")
    await hub.call("PUT", "rules/hot", role=Role.ADMIN, json=HOT)
    warm = {**HOT, "id": "warm"}
    answered = await hub.call("PUT", "rules/warm", role=Role.ADMIN, json=warm)
    assert (answered.status, answered.headers["Retry-After"]) == (503, "5")
    assert "nothing was changed" in answered.problem()["detail"]
    assert (await hub.call("GET", "rules/warm", role=Role.ADMIN)).status == 404
    rename(tmp_path, "lost", "document")
