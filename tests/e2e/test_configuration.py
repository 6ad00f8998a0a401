"""A board is configured in the browser: a wrong field is named, a right change is tried and confirmed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import UIDS, Rig, Watched
from tests.e2e.dashboard_page import check_look, live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

pytestmark = pytest.mark.e2e


def shoot(page: Page, name: str) -> None:
    """Keep a picture where OUTPOST_SHOTS says, for whoever wants to look."""
    if folder := os.environ.get("OUTPOST_SHOTS"):
        form = page.locator("form.configuration")
        form.scroll_into_view_if_needed()
        form.screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture
def hasty(rig: Rig) -> Iterator[None]:
    """The second board, which confirms sooner; afterwards it is as it was."""
    board = rig.boards[1]
    files = {name: board.flash.resolve(name)[0] for name in ("/guard.py", "/board.json")}
    before = {name: path.read_text() for name, path in files.items()}
    text = before["/guard.py"]
    assert "CONFIRM_MS = const(20000)" in text
    files["/guard.py"].write_text(text.replace("CONFIRM_MS = const(20000)", "CONFIRM_MS = const(4000)"))
    restart(rig)
    yield
    for name, path in files.items():
        path.write_text(before[name])
    restart(rig)


def restart(rig: Rig) -> None:
    boot = rig.api.device(UIDS[1])["boot_id"]
    rig.boards[1].reset()
    rig.wait(lambda: rig.api.online(UIDS[1]) and rig.api.device(UIDS[1])["boot_id"] != boot)


@pytest.mark.usefixtures("hasty")
def test_a_sensor_is_added_refused_at_its_field_put_right_and_confirmed(watched: Watched) -> None:
    page = watched.page
    page.goto(f"/devices/{UIDS[1]}")
    live(page)
    page.get_by_role("button", name="Configure", exact=True).click()
    form = page.locator("form.configuration")
    expect(form.get_by_role("group", name="4. Door open")).to_be_visible()
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    check_look(page)
    shoot(page, "in-force-390-dark")

    form.get_by_role("button", name="Add a sensor").click()
    added = form.locator("fieldset.sensor").nth(4)
    added.get_by_label("Driver", exact=True).select_option("digital_in")
    added.get_by_label("Pin", exact=True).fill("15")
    added.get_by_label("Name", exact=True).fill("window")
    form.get_by_role("button", name="Apply and restart").click()
    expect(added.locator(".note.bad")).to_contain_text("15 is taken")
    expect(form.locator("output")).to_have_attribute("data-phase", "refused")
    expect(added.get_by_label("Pin", exact=True)).to_be_focused()
    shoot(page, "error-390-dark")

    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 900})
    check_look(page)
    shoot(page, "error-1440-light")
    added.get_by_label("Pin", exact=True).fill("14")
    form.get_by_role("button", name="Apply and restart").click()
    output = form.locator("output")
    expect(output).to_have_attribute("data-phase", "trial", timeout=20_000)
    expect(page.locator(".banner")).to_contain_text("on trial")
    expect(output).to_have_attribute("data-phase", "confirmed", timeout=40_000)
    shoot(page, "confirmed-1440-light")
    expect(page.locator(".banner")).to_have_count(0)


def test_the_raw_view_takes_json_alone(watched: Watched) -> None:
    page = watched.page
    page.goto(f"/devices/{UIDS[1]}")
    live(page)
    page.get_by_role("button", name="Configure", exact=True).click()
    form = page.locator("form.configuration")
    expect(form.locator("fieldset.sensor").first).to_be_visible()
    form.get_by_role("button", name="Edit as JSON").click()
    area = form.get_by_label("The configuration as JSON")
    expect(area).to_have_value(re.compile('"driver": "sht3x"'))
    area.fill("{")
    form.get_by_role("button", name="Apply and restart").click()
    expect(form.locator(".note.bad")).to_contain_text("no JSON object")
    shoot(page, "raw")
