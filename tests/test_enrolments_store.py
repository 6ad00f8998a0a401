"""Decisions about boards on the disk: kept, bounded, told in the log, and made for boards of older files."""

from __future__ import annotations

import contextlib
import json
import stat
from typing import TYPE_CHECKING

from sqlite_utils import Database

from hub.cli.enrolling import vouch
from hub.health import Health
from hub.model import Birth, LinkKind
from hub.store.folder import DATABASE, prepare
from hub.store.identity.enrolments import KEPT_REJECTED, Enrolled, Enrolments
from hub.store.identity.rights import SecurityKind
from hub.store.schema import APPLICATION_ID, MIGRATIONS, connect
from hub.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

BEFORE = next(at for at, step in enumerate(MIGRATIONS) if step.__name__ == "add_enrolments")


def of_before(folder: Path, *births: tuple[Birth, LinkKind]) -> None:
    """Make a data folder as the hub had it before there was enrolment."""
    with contextlib.closing(connect(prepare(folder))) as connection:
        db = Database(connection)
        for step in MIGRATIONS[:BEFORE]:
            step(db)
        for birth, link in births:
            text = json.dumps({"device": birth.device, "boot_id": birth.boot_id})
            connection.execute(
                "INSERT INTO device (device, link, birth, last_seen) VALUES (?, ?, ?, 7)",
                (birth.device, str(link), text),
            )
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {BEFORE}")


def test_boards_that_a_hub_knew_before_stay_accepted_without_a_key(tmp_path: Path) -> None:
    of_before(
        tmp_path,
        (Birth(device="pico", name="", boot_id="00000001"), LinkKind.SERIAL),
        (Birth(device="far", name="", boot_id="00000002"), LinkKind.MQTT),
        (Birth(device="lamp", name=""), LinkKind.MQTT),
        (Birth(device="host", name=""), LinkKind.HOST),
    )
    assert Enrolments.open(tmp_path).all() == [
        Enrolled(device="far", accepted=True, time=7, by="hub"),
        Enrolled(device="pico", accepted=True, time=7, by="hub"),
    ]


def test_a_decision_is_kept_with_its_line_in_the_log_until_it_is_forgotten(tmp_path: Path) -> None:
    enrolments = Enrolments.open(tmp_path)
    one = Enrolled(device="pico", accepted=True, key=bytes(32), next_key=b"\xff" * 32, time=5, by="user:eva")
    enrolments.put(one, SecurityKind.BOARD_ACCEPTED, "pico on /dev/ttyACM0", 6)
    assert Enrolments.open(tmp_path).all() == [one]
    assert enrolments.forget("pico", 8, "user:eva")
    assert not enrolments.forget("pico", 9, "user:eva")
    assert enrolments.all() == []
    with contextlib.closing(connect(tmp_path / DATABASE)) as connection:
        told = connection.execute("SELECT time, kind, actor, detail FROM security_event").fetchall()
    assert told == [
        (6, "board_accepted", "user:eva", "pico on /dev/ttyACM0"),
        (8, "board_forgotten", "user:eva", "pico"),
    ]


def test_of_the_rejected_the_newest_are_kept_and_of_the_accepted_all(tmp_path: Path) -> None:
    enrolments = Enrolments.open(tmp_path)
    with contextlib.closing(connect(tmp_path / DATABASE)) as connection:
        connection.executemany(
            "INSERT INTO enrolment (device, accepted, time, by) VALUES (?, ?, ?, 'x')",
            [(f"out-{number}", 0, number) for number in range(KEPT_REJECTED + 20)]
            + [(f"in-{number}", 1, 0) for number in range(20)],
        )
    last = Enrolled(device="out-last", accepted=False, time=10_000, by="x")
    enrolments.put(last, SecurityKind.BOARD_REJECTED, "out-last", 10_000)
    kept = enrolments.all()
    assert sum(one.accepted for one in kept) == 20
    rejected = {one.device for one in kept if not one.accepted}
    assert len(rejected) == KEPT_REJECTED
    assert "out-last" in rejected
    assert "out-0" not in rejected


def test_keys_are_in_a_file_of_the_hubs_user_alone(tmp_path: Path) -> None:
    Enrolments.open(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data" / DATABASE).stat().st_mode) == 0o600


async def test_what_is_flashed_while_no_hub_runs_is_accepted_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OUTPOST_URL", raising=False)
    nowhere = tmp_path / "nowhere"
    assert "accept it in its dashboard" in await vouch(nowhere, "pico")
    assert not nowhere.exists()
    data = tmp_path / "data"
    store = Store.open(data, health=Health(), now_ms=lambda: 0)
    await store.close()
    assert "will let it in" in await vouch(data, "pico")
    (kept,) = Enrolments.open(data).all()
    assert (kept.device, kept.accepted, kept.key) == ("pico", True, None)
    assert len(kept.next_key or b"") == 32
