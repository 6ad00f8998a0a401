"""The parts around the hub: boards, broker, browser, all real."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from hil.hub import HubProcess
from hil.virtual.board import VirtualBoard
from hil.virtual.image import assemble, demo_configuration
from tests.broker import Broker, free_port
from tests.e2e.api import Api
from tests.e2e.browser import FLAGS, chromium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

UIDS = ("e66141d0e2e00001", "e66141d0e2e00002")
TAG = "cellar"
"""Of the first board."""


class Rig:
    """A hub, two virtual boards, a broker: the demo, in a test's hands."""

    def __init__(self, folder: Path) -> None:
        self.boards = []
        for number, uid in enumerate(UIDS, start=1):
            flash = folder / f"flash-{number}"
            flash.mkdir()
            assemble(flash, demo_configuration(f"Board {number}"))
            self.boards.append(VirtualBoard(flash, uid=uid, link=folder / f"tty-{number}"))
        self.broker = Broker(folder)
        ports = ", ".join(f'"{folder / f"tty-{number}"}"' for number in (1, 2))
        config = (
            f'[hub]\nname = "end to end"\n[serial]\nports = [{ports}]\nenrolment = "auto"\n'
            f'[mqtt]\nhost = "{self.broker.host}"\nport = {self.broker.port}\n'
            f'[tags]\n{UIDS[0]} = ["{TAG}"]\n'
            '[[camera]]\nid = "front"\nsource = "test"\nwidth = 640\nheight = 360\nfps = 15\n'
        )
        # A fixed port, so that a page that is open finds the hub again after a restart.
        self.hub = HubProcess(folder / "data", listen=f"127.0.0.1:{free_port()}", config=config)
        self.api = Api(self.hub)

    def start(self) -> None:
        """Bring everything up and wait until both boards are online."""
        self.broker.start()
        for board in self.boards:
            board.start()
        self.hub.start()
        for uid in UIDS:
            self.wait(partial(self.api.online, uid))

    def stop(self) -> None:
        """Take everything down."""
        self.hub.stop()
        for board in self.boards:
            board.stop()
        self.broker.kill()

    def wait(self, condition: Callable[[], Any], timeout_s: float = 20) -> None:
        """Wait until `condition()` is true; fails with the hub's last words."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, (
                f"it did not come to pass; the hub's last words:\n{self.hub.tail()}"
            )
            time.sleep(0.05)


@pytest.fixture(scope="package")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("rig"))
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser for this folder alone: while Playwright's own loop runs, no asyncio test can."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield running
        running.close()


class Watched:
    """A page whose every error is kept: a test ends by asking that there were none."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)


@pytest.fixture(scope="package")
def storage(rig: Rig, browser: Browser) -> Any:
    """The cookies of a browser that opened the claim link."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(rig.hub.claim_url)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def watched(rig: Rig, browser: Browser, storage: Any) -> Iterator[Watched]:
    context = browser.new_context(
        storage_state=storage,
        base_url=rig.hub.url,
        viewport={"width": 1440, "height": 900},
        # It would fetch all pages' code for each test anew; its own tests let it.
        service_workers="block",
    )
    context.set_default_timeout(20_000)
    yield Watched(context.new_page())
    context.close()
