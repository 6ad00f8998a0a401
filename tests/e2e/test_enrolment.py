"""A board that nobody knows, on a hub as it comes: accepted in the browser, forgotten and back by the CLI."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from hil.hub import HubProcess
from hil.virtual.board import VirtualBoard
from hil.virtual.image import assemble, demo_configuration
from tests.e2e.api import Api
from tests.e2e.dashboard_page import AXE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

UID = "e66141d0e0e00001"


class Desk:
    """A hub as it comes, and one board that it does not know."""

    def __init__(self, folder: Path) -> None:
        assemble(folder / "flash", demo_configuration("Stranger"))
        self.board = VirtualBoard(folder / "flash", uid=UID, link=folder / "tty")
        config = f'[serial]\nports = ["{folder / "tty"}"]\n[mqtt]\nenabled = false\n'
        self.hub = HubProcess(folder / "data", config=config)
        self.api = Api(self.hub)

    def wait(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, f"the hub's last words:\n{self.hub.tail()}"
            time.sleep(0.05)

    def stands(self) -> str | None:
        """Return how the board stands: what is open goes before what was decided."""
        items = self.api.get("enrolments")["items"]
        return next((item["state"] for item in items if item["device"] == UID), None)

    def proven(self) -> bool:
        return self.api.online(UID) and self.api.device(UID)["key"] == "proven"

    def outpost(self, *words: str) -> str:
        """Run `outpost devices`; return what it printed."""
        command = [sys.executable, "-m", "hub.cli", "devices", *words, "--data", str(self.hub.data)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "flash").mkdir()
    desk = Desk(tmp_path)
    try:
        desk.board.start()
        desk.hub.start()
        yield desk
    finally:
        desk.hub.stop()
        desk.board.stop()


@pytest.fixture
def page(desk: Desk, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(base_url=desk.hub.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(desk.hub.claim_url)
    yield page
    context.close()


def accessible(page: Page) -> Any:
    """Return what axe has against the page as it is."""
    page.evaluate(AXE.read_text())
    return page.evaluate(
        "axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes.map((n) => n.target)]))"
    )


def test_a_stranger_waits_until_it_is_accepted_and_is_known_from_then_on(desk: Desk, page: Page) -> None:
    waiting = page.locator(f'.enrolment[data-device="{UID}"]')
    waiting.wait_for()
    assert "Stranger waits to be accepted" in waiting.inner_text()
    assert desk.stands() == "pending"
    assert UID in desk.outpost("pending")
    assert not any(device["id"] == UID for device in desk.api.get("devices")["items"])
    assert accessible(page) == []

    waiting.get_by_role("button", name="Accept").click()
    page.locator(f'.panel.device[data-device="{UID}"]').wait_for()
    waiting.wait_for(state="detached")
    desk.wait(desk.proven)
    stored = desk.api.stored(UID, "sequence")
    assert stored == list(range(len(stored))), "what it said while it waited is lost or doubled"
    assert stored
    assert desk.api.command(UID, "led", state="on")["state"] == "succeeded"

    page.goto(f"/devices/{UID}")
    page.locator(".panel.key", has_text="No other can take its place").wait_for()
    assert accessible(page) == []
    assert desk.outpost("forget", UID) == f"{UID} is forgotten\n"
    page.locator('.banner[data-enrolment="pending"]').wait_for()
    assert desk.stands() == "pending"
    assert "is accepted" in desk.outpost("accept", UID)
    desk.wait(desk.proven)
    page.locator('.banner[data-enrolment="pending"]').wait_for(state="detached")

    # What boards cause is written with the next commit, what people do at once: so by time, not by place.
    log = sorted(desk.api.get("security/events", limit=50)["items"], key=lambda event: event["time"])
    told = [event for event in log if event["kind"].startswith("board_")]
    once = ["board_pending", "board_accepted", "board_keyed"]
    assert [event["kind"] for event in told] == [*once, "board_forgotten", *once]
    assert told[1]["actor"].startswith("user:"), "the log does not say who accepted it"
