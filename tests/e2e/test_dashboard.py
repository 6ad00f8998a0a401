"""The dashboard in a real Chromium, on a real hub with real boards: what a viewer and an operator see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.dashboard_page import AXE, BOARD, live

if TYPE_CHECKING:
    from tests.e2e.conftest import Rig, Watched

pytestmark = pytest.mark.e2e

LED_PIN = "LED"


def value_of(page: Page, metric: str) -> str:
    row = page.locator(f'[data-device="{BOARD}"] [data-metric="{metric}"]')
    expect(row).to_have_attribute("data-fresh", "live")
    return row.inner_text()


def test_the_claim_link_works_once(rig: Rig, browser: Browser, watched: Watched) -> None:
    stranger = browser.new_context()
    page = stranger.new_page()
    answer = page.goto(rig.hub.claim_url)
    assert answer is not None
    assert answer.status == 403
    stranger.close()


def test_without_a_session_the_page_says_how_to_get_a_link(rig: Rig, browser: Browser) -> None:
    stranger = browser.new_context()
    page = stranger.new_page()
    page.goto(rig.hub.url)
    expect(page.get_by_text("outpost link").first).to_be_visible()
    page.evaluate(AXE.read_text())
    assert page.evaluate("axe.run().then((r) => r.violations.map((v) => v.id))") == []
    stranger.close()


def test_a_user_logs_in_by_name_and_password_and_a_wrong_one_is_told(rig: Rig, browser: Browser) -> None:
    rig.api.post("users", {"name": "vera", "role": "viewer", "password": "a long enough secret"})
    stranger = browser.new_context()
    page = stranger.new_page()
    page.goto(rig.hub.url)
    page.get_by_label("Name", exact=True).fill("vera")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("form.door output")).to_contain_text("wrong name or password")
    page.get_by_label("Password").fill("a long enough secret")
    page.get_by_role("button", name="Log in").click()
    live(page)
    stranger.close()


def test_values_move_on_screen(watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    live(page)
    first = value_of(page, "sequence")
    expect(page.locator(f'[data-device="{BOARD}"] [data-metric="sequence"]')).not_to_have_text(first)
    assert watched.errors == []


def test_a_command_lights_the_led_and_its_result_shows(rig: Rig, watched: Watched) -> None:
    page = watched.page
    page.goto(f"/devices/{BOARD}")
    live(page)
    form = page.locator('form[data-command="led"]')
    form.get_by_text("on", exact=True).click()
    form.get_by_role("button", name="Send").click()
    expect(form.locator("[data-state]")).to_have_attribute("data-state", "succeeded")
    rig.wait(lambda: rig.boards[0].wiring.outputs.get(LED_PIN) == 1)
    assert watched.errors == []


def test_the_videos_pixels_change(watched: Watched) -> None:
    page = watched.page
    page.goto("/cameras/front")
    expect(page.locator(".screen")).to_have_attribute("data-video", "live")
    grab = """() => { const v = document.querySelector('video'), c = document.createElement('canvas');
        c.width = v.videoWidth; c.height = v.videoHeight; const g = c.getContext('2d'); g.drawImage(v, 0, 0);
        return Array.from(g.getImageData(0, 0, c.width, c.height).data.filter((_, i) => i % 397 === 0)); }"""
    expect(page.locator("video")).not_to_have_js_property("videoWidth", 0)
    first = page.evaluate(grab)
    page.wait_for_timeout(1500)
    second = page.evaluate(grab)
    assert len(set(first)) > 4, "the picture is one colour"
    assert first != second
    assert watched.errors == []


def test_an_unplugged_board_looks_offline_and_heals_without_a_reload(rig: Rig, watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    live(page)
    panel = page.locator(f'[data-device="{BOARD}"]')
    expect(panel).to_have_attribute("data-online", "true")
    rig.boards[0].unplug()
    expect(panel).to_have_attribute("data-online", "false")
    rig.boards[0].replug()
    expect(panel).to_have_attribute("data-online", "true")
    assert watched.errors == []


def test_a_restarted_hub_is_found_again_without_a_reload(rig: Rig, watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    live(page)
    rig.hub.kill()
    expect(page.locator("footer.status")).not_to_have_attribute("data-state", "live")
    rig.hub.start()
    expect(page.locator("footer.status")).to_have_attribute("data-state", "live", timeout=30_000)
    value_of(page, "sequence")


def test_the_page_asks_nobody_else_for_anything(rig: Rig, watched: Watched) -> None:
    page = watched.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    live(page)
    page.wait_for_timeout(500)
    own = re.compile(re.escape(rig.hub.url) + "|blob:|data:")
    assert [url for url in asked if not own.match(url)] == []
