"""`outpost status`: one screen of a running hub, and an exit code that says whether it is well."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner

from hil.hub import HubProcess
from hub.access import LocalAccess, leave
from hub.cli import status
from hub.cli.main import main
from hub.cli.status import Told, look
from hub.enrolment import EnrolmentView
from hub.enrolment.views import BoardStanding
from hub.store.alerts import Alert
from hub.store.wear import StoreFigures
from hub.web.api.views import CameraView, HubHealth, HubView

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIGURES = StoreFigures(
    file_bytes=12_300_000,
    queue_readings=4,
    sealed_bytes_per_sample=0.5,
    written_bytes_per_day=2_100_000,
    card_years=48.2,
    compression=32.0,
    commit_p50_ms=2.1,
    commit_p99_ms=9.4,
)


def told(*, degraded: str | None = None, figures: StoreFigures = FIGURES, **lists: list[Any]) -> Told:
    health = HubHealth(
        store_degraded=degraded, store=figures, devices=0, devices_online=0, streams=0, viewers=0
    )
    known = HubView(
        name="shed", version="1", time=0, time_zone="UTC", epoch="e", uptime_s=7200, health=health
    )
    parts = {"devices": [], "enrolments": [], "alerts": [], "cameras": [], **lists}
    return msgspec.convert(msgspec.to_builtins({"hub": known, **parts}), Told)


def found(what: str, of: Told) -> tuple[str, bool]:
    """Return what is said of a thing, and whether the hub is not well by it."""
    (finding,) = [one for one in look(of, "http://127.0.0.1:8080") if one.what == what]
    return str(finding), finding.fatal


def alert(severity: str) -> Alert:
    return Alert(
        id="1",
        rule="frost",
        title="Frost",
        severity=severity,
        device="a",
        metric="t",
        text="t of a is -3 °C",
        raised_time=0,
    )


def camera(state: str, error: str | None = None) -> CameraView:
    return CameraView(id="front", name="Front", state=state, error=error, viewers=2, encoders=1)


def test_a_store_that_cannot_commit_is_told_with_its_reason_and_is_not_well() -> None:
    text, fatal = found("store", told(degraded="the card is full"))
    assert ("cannot commit: the card is full" in text, fatal) == (True, True)


@pytest.mark.parametrize(("severity", "fatal"), [("info", False), ("warning", True), ("critical", True)])
def test_an_active_alert_is_told_and_from_a_warning_on_is_not_well(severity: str, fatal: bool) -> None:
    text, bad = found("alerts", told(alerts=[alert(severity)]))
    assert (f"{severity}: t of a is -3 °C" in text, bad) == (True, fatal)


@pytest.mark.parametrize(
    ("one", "words", "fatal"),
    [
        (camera("failed", "no such device"), "front failed: no such device", True),
        (camera("live"), "front (live, 2 watch)", False),
    ],
)
def test_a_camera_is_told_by_its_state_and_one_that_fails_is_not_well(
    one: CameraView, words: str, fatal: bool
) -> None:
    text, bad = found("cameras", told(cameras=[one]))
    assert (words in text, bad) == (True, fatal)


def test_a_card_that_lasts_less_than_two_years_is_noted_with_what_to_do() -> None:
    short = msgspec.structs.replace(FIGURES, card_years=1.2)
    assert "→" in found("card", told(figures=short))[0]
    assert "→" not in found("card", told())[0]


def test_many_devices_away_are_named_up_to_six_and_counted() -> None:
    away = [{"id": f"board-{n}", "online": False, "last_seen": 0} for n in range(9)]
    text, fatal = found("devices", told(devices=away))
    assert ("0 of 9 online" in text, "board-5" in text, "board-6" in text) == (True, True, False)
    assert ("and 3 more" in text, fatal) == (True, False)


def test_boards_that_wait_and_boards_that_are_refused_are_told_apart() -> None:
    boards = [
        EnrolmentView(device="new", state=BoardStanding.PENDING),
        EnrolmentView(device="old", state=BoardStanding.REFUSED, place="/dev/ttyACM0"),
        EnrolmentView(device="known", state=BoardStanding.ACCEPTED),
    ]
    said = told(enrolments=boards)
    assert "waiting: new\n" in found("waiting", said)[0]
    assert "refused: old on /dev/ttyACM0\n" in found("refused", said)[0]


def outpost(data: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["status", *arguments, "--data", str(data)])
    return done.exit_code, done.output


def test_a_hub_that_does_not_run_is_not_well_in_words_and_in_json(tmp_path: Path) -> None:
    code, said = outpost(tmp_path)
    assert (code, "outpost run" in said) == (1, True)
    code, said = outpost(tmp_path, "--json")
    content = msgspec.json.decode(said)
    assert (code, content["healthy"], len(content["wrong"])) == (1, False, 1)


def test_a_hub_that_takes_the_call_and_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "_PATIENCE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        leave(tmp_path, LocalAccess(url=f"http://127.0.0.1:{mute.getsockname()[1]}", token="x"))
        code, said = outpost(tmp_path)
    assert (code, "does not answer within" in said) == (1, True)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    config = '[serial]\nports = []\n[mqtt]\nenabled = false\n[[camera]]\nid = "front"\nsource = "test"\n'
    with HubProcess(tmp_path_factory.mktemp("status") / "data", config=config) as running:
        yield running


@pytest.mark.slow
def test_a_hub_that_is_well_ends_with_0(hub: HubProcess) -> None:
    code, said = outpost(hub.data)
    assert code == 0, said
    assert f"at {hub.url}, up for" in said
    assert "cameras: front (idle)" in said


@pytest.mark.slow
def test_an_alert_that_is_active_ends_with_1(hub: HubProcess) -> None:
    rule = (
        '[[rule]]\nid = "warm"\ntitle = "Warm"\nsource = "host/*"\ncondition = "above"\nthreshold = -1000.0\n'
    )
    done = CliRunner().invoke(main, ["rules", "import", "-", "--data", str(hub.data)], input=rule)
    assert done.exit_code == 0, done.output
    deadline = time.monotonic() + 60
    while outpost(hub.data)[0] == 0:
        assert time.monotonic() < deadline, "the alert is not told"
        time.sleep(0.1)
    assert "alerts: warning: " in outpost(hub.data)[1]
