"""A sensor that is retired: removed in the browser and by the command line, on a hub that runs on."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import expect

from hil.hub import HubProcess
from tests.broker import Broker
from tests.e2e.api import Api
from tests.e2e.dashboard_page import live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

SHED = "far-shed"
KEEPS = "barn"
PATIENCE_MS = 30_000


class Field:
    """A hub, a broker, and a client that speaks for sensors."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        config = f'[serial]\nports = []\n[mqtt]\nhost = "{broker.host}"\nport = {broker.port}\n'
        self.hub = HubProcess(folder / "data", config=config)
        self.api = Api(self.hub)
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()

    def retain(self, topic: str, payload: str) -> None:
        self._client.publish(f"outpost/{topic}", payload, qos=1, retain=True).wait_for_publish(20)

    def retire(self, device: str) -> None:
        """Let a device speak and say goodbye; the broker keeps both. Wait until the hub knows."""
        self.retain(f"{device}/t", "21.5")
        self.retain(f"{device}/status", "offline")
        self.wait(lambda: self.state(device) is False)

    def state(self, device: str) -> bool | None:
        """Whether a device is online; None where it is not known."""
        items = self.api.get("devices")["items"]
        return next((item["online"] for item in items if item["id"] == device), None)

    def wait(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, f"the hub's last words:\n{self.hub.tail()}"
            time.sleep(0.05)

    def outpost(self, *words: str) -> tuple[int, str]:
        """Run `outpost devices`; return its exit code, and all that it printed."""
        command = [sys.executable, "-m", "hub.cli", "devices", *words, "--data", str(self.hub.data)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self.hub.stop()


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    with Broker(tmp_path) as broker:
        field = Field(tmp_path, broker)
        try:
            field.hub.start()
            yield field
        finally:
            field.close()


@pytest.fixture
def page(browser: Browser, field: Field) -> Iterator[Page]:
    context = browser.new_context(base_url=field.hub.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield context.new_page()
    expect.set_options()
    context.close()


def test_a_retired_sensor_leaves_every_open_dashboard_and_stays_away_after_a_restart(
    field: Field, page: Page
) -> None:
    field.retire(SHED)
    field.retire(KEEPS)
    page.goto(field.hub.claim_url)
    live(page)
    overview = page.context.new_page()
    overview.goto("/")
    live(overview)
    expect(overview.locator(f'a[href="/devices/{SHED}"]').first).to_be_visible()
    page.goto(f"/devices/{SHED}")
    page.get_by_role("button", name="Remove the device").click()
    expect(page.get_by_text("Its samples stay until retention takes them")).to_be_visible()
    page.get_by_role("button", name="Remove it").click()
    expect(page).to_have_url(f"{field.hub.url}/")
    for one in (page, overview):
        expect(one.locator(f'a[href="/devices/{SHED}"]')).to_have_count(0)
        expect(one.locator(f'a[href="/devices/{KEEPS}"]').first).to_be_visible()
    field.hub.stop()
    field.hub.start()
    field.retain("knock/t", "1")  # behind all that the broker retains
    field.wait(lambda: field.state("knock") is not None)
    assert (field.state(SHED), field.state(KEEPS)) == (None, False)


def test_the_command_line_removes_what_is_gone_and_nothing_that_speaks(field: Field) -> None:
    code, said = field.outpost("remove", "host")
    assert (code, "is this hub itself" in said) == (1, True)
    field.retire(SHED)
    code, said = field.outpost("remove", "far-shet")
    assert (code, "did you mean far-shed?" in said) == (1, True)
    code, said = field.outpost("remove", SHED)
    assert (code, "far-shed is removed; its samples stay" in said) == (0, True)
    assert field.state(SHED) is None
