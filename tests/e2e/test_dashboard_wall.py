"""The dashboard on a wall: who is let in, how large it is, and that the screen stays on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import UIDS
from tests.e2e.dashboard_page import BOARD, browsing, live

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.e2e.conftest import Rig, Watched

pytestmark = pytest.mark.e2e

LISTEN = """(() => {
    window.locks = [];
    const real = navigator.wakeLock.request.bind(navigator.wakeLock);
    navigator.wakeLock.request = async (kind) => {
        const lock = await real(kind);
        window.locks.push({ kind, lock });
        return lock;
    };
})()"""
"""Chromium's own locks, and what was asked for."""
HELD = "window.locks.filter(({ kind, lock }) => kind === 'screen' && !lock.released).length"
SEEN = """(seen) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => !seen });
    document.dispatchEvent(new Event('visibilitychange'));
}"""


def hung(page: Page, name: str) -> str:
    """Make a display in Settings, and return its link."""
    page.goto("/settings")
    live(page)
    walls = page.locator("section").filter(has=page.get_by_role("heading", name="Wall displays"))
    walls.get_by_role("button", name="New display").click()
    walls.get_by_label("Name").fill(name)
    walls.get_by_role("button", name="Create").click()
    return walls.get_by_label(f"The link for {name}").input_value()


def test_a_display_is_let_in_by_its_link_stays_and_goes_dark_when_it_is_revoked(
    rig: Rig, browser: Browser, watched: Watched
) -> None:
    link = hung(watched.page, "hall")
    token = link.partition("#")[2]
    with browsing(rig, browser, service_workers="block") as display:
        asked: list[str] = []
        display.on("request", lambda request: asked.append(request.url))
        display.goto(link)
        live(display)
        assert display.url == f"{rig.hub.url}/wall"
        assert display.evaluate("history.length") <= 2
        expect(display.locator(f'[data-device="{BOARD}"]')).to_be_visible()
        expect(display.get_by_role("navigation")).to_have_count(0)
        display.goto("/wall")
        live(display)
        assert token not in " ".join(asked), "the token was in a URL"
        assert token not in "\n".join(rig.hub.lines), "the token was in the log"
        walls = watched.page.locator("section").filter(has=watched.page.locator("#walls"))
        walls.get_by_role("button", name="Revoke hall").click()
        walls.get_by_role("button", name="Yes, revoke").click()
        expect(display.get_by_role("heading", name="This display is not let in")).to_be_visible()
        display.get_by_label("Token").fill(token)
        display.get_by_role("button", name="Let in").click()
        expect(display.locator("form output")).to_contain_text("does not know this token")
    assert watched.errors == []


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160)])
def test_on_a_wall_type_is_as_large_as_all_devices_leave_room_for(
    watched: Watched, width: int, height: int
) -> None:
    page = watched.page
    page.set_viewport_size({"width": width, "height": height})
    page.goto("/wall")
    live(page)
    expect(page.locator("html")).to_have_attribute("data-fitted", "")
    expect(page.locator(f'[data-device="{UIDS[1]}"] [data-metric="vibration"]')).to_be_in_viewport()
    size = page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    assert size > (17 if width == 1920 else 26)
    assert page.evaluate("document.documentElement.scrollHeight") <= height + 1
    page.goto("/")
    live(page)
    assert page.evaluate("document.documentElement.style.fontSize") == ""


def test_on_a_wall_the_screen_is_kept_on_again_when_it_is_seen_again_and_let_go_with_the_page(
    watched: Watched,
) -> None:
    page = watched.page
    page.add_init_script(LISTEN)
    page.goto("/")
    live(page)
    assert page.evaluate("window.locks.length") == 0, "asked for where nobody needs it"
    page.goto("/wall")
    live(page)
    page.wait_for_function(f"{HELD} === 1")
    # A browser takes the lock back when the page is hidden.
    page.evaluate(SEEN, False)
    page.evaluate("window.locks[0].lock.release()")
    assert page.evaluate("window.locks.length") == 1, "asked for while it is hidden"
    page.evaluate(SEEN, True)
    page.wait_for_function(f"{HELD} === 1 && window.locks.length === 2")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.get_by_role("navigation")).to_be_visible()
    page.wait_for_function(f"{HELD} === 0")
    assert watched.errors == []
