"""Every page, with data, empty, in error and without the hub: wide and narrow, light and dark.

The hub is real; only answers that no healthy hub gives (an empty list, a broken store) are put in its place.
Of every look a picture is kept in build/screenshots. One page of the browser walks them all.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import UIDS, Watched
from tests.e2e.dashboard_page import AXE, REASON, SHIFTS, answer_broken, answer_nothing, live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.e2e.conftest import Rig

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "build" / "screenshots"
PAGES = {
    "overview": "/",
    "device": f"/devices/{UIDS[0]}",
    "camera": "/cameras/front",
    "commands": "/commands",
    "alerts": "/alerts",
    "rules": "/rules",
    "health": "/health",
    "settings": "/settings",
    "wall": "/wall",
    "unknown": "/no/such/page",
}
"""Of each page of the router a path."""
LOOKS = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]
HEIGHT = {390: 844, 1440: 900}
WHOLE = {(1440, "light"), (390, "dark")}
"""Looks that are held against all rules of axe; the others against that of contrast."""
LISTS = (
    "devices",
    "cameras",
    "commands*",
    "alerts*",
    "rules",
    "users",
    "tokens",
    "sessions",
    "security/events*",
)
READ = (
    "devices*",
    "devices/*",
    "devices/*/*",
    "cameras",
    "commands*",
    "alerts*",
    "rules",
    "retention*",
    "retention/*",
)
EMPTY_WORDS = {
    "overview": "No device yet",
    "device": "No such device",
    "camera": "No such camera",
    "commands": "No command yet",
    "alerts": "No alert yet",
    "rules": "No rule yet",
    "wall": "No device yet",
    "unknown": "No such page",
}
BROKEN_RULES = """(rules) => axe.run(rules).then(
    (found) => found.violations.map((rule) => rule.id + ': ' + rule.nodes.map((node) => node.target)))"""
NO_NETWORK = "Failed to load resource"
"""How Chromium itself tells of an answer that failed; nothing that a page says."""


class Walk:
    """A page that goes from one to the other, and what it said of errors on the way."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._watched = Watched(page)

    def errors(self) -> list[str]:
        """Return what was said since the last time, but for answers that failed."""
        said, self._watched.errors[:] = list(self._watched.errors), []
        return [text for text in said if NO_NETWORK not in text]

    def look(self, condition: str, name: str) -> list[str]:
        """Look at the page that is open in every look, keep the pictures, and return what is wrong."""
        wrong = []
        for width, theme in LOOKS:
            self._take(width, theme, name)
            self.page.screenshot(
                path=PICTURES / condition / f"{name}-{width}-{theme}.jpg", type="jpeg", quality=75
            )
            wrong += [f"{width} {theme}: {text}" for text in self._axe((width, theme) in WHOLE)]
            over = self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if over > 0:
                wrong.append(f"{width} {theme}: {over} px wider than the screen")
        return wrong

    def _take(self, width: int, theme: str, name: str) -> None:
        page, height = self.page, HEIGHT[width]
        page.emulate_media(color_scheme="light" if theme == "light" else "dark", reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": height})
        if name != "wall":
            # All of it at once, with the bars at its ends.
            height = max(height, min(4000, page.evaluate("document.documentElement.scrollHeight")))
            page.set_viewport_size({"width": width, "height": height})
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def _axe(self, whole: bool) -> Any:
        return self.page.evaluate(BROKEN_RULES, {} if whole else {"runOnly": ["color-contrast"]})


@contextmanager
def walk_in(rig: Rig, browser: Browser, storage: Any, workers: Any) -> Iterator[Walk]:
    context = browser.new_context(
        storage_state=storage,
        base_url=rig.hub.url,
        viewport={"width": 1440, "height": 900},
        service_workers=workers,
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.add_init_script(SHIFTS)
    yield Walk(page)
    context.close()


@pytest.fixture(scope="module", autouse=True)
def lived_in(rig: Rig) -> Iterator[None]:
    """Give every list something to show: commands, alerts that are and were, rules, a user, a display."""
    rule = {"source": f"{UIDS[0]}/temperature", "condition": "above", "threshold": -60.0}
    rules = {"frost": ("Frost guard", "warning"), "heat": ("Much too hot", "critical")}
    for name, (title, severity) in rules.items():
        rig.api.change("PUT", f"rules/{name}", rule | {"id": name, "title": title, "severity": severity})
    rig.wait(lambda: {alert["rule"] for alert in rig.api.get("alerts")["items"]} >= {*rules})
    rig.api.change("DELETE", "rules/frost")
    rig.api.command(UIDS[0], "led", state="off")
    rig.api.command(UIDS[1], "read")
    rig.api.post("users", {"name": "walker", "role": "operator", "password": "a long enough secret"})
    rig.api.post("tokens", {"name": "wall-landing", "role": "viewer"})
    yield
    rig.api.change("DELETE", "rules/heat")
    rig.api.change("DELETE", "users/walker")
    rig.api.change("DELETE", "tokens/wall-landing")


@pytest.fixture(scope="module")
def walk(rig: Rig, browser: Browser, storage: Any) -> Iterator[Walk]:
    with walk_in(rig, browser, storage, "block") as walk:
        yield walk


@pytest.fixture(scope="module")
def away(rig: Rig, browser: Browser, storage: Any) -> Iterator[Walk]:
    """A browser that has seen the hub, and now has no network."""
    with walk_in(rig, browser, storage, "allow") as walk:
        page = walk.page
        page.goto("/")
        live(page)
        page.evaluate("navigator.serviceWorker.ready")
        page.goto("/health")  # leaving a page is when it keeps what it saw
        live(page)
        page.context.set_offline(True)
        yield walk


@pytest.fixture(autouse=True)
def open_routes(walk: Walk) -> Iterator[None]:
    yield
    walk.page.unroute_all()


def opened(walk: Walk, name: str) -> Page:
    walk.errors()
    walk.page.set_viewport_size({"width": 1440, "height": 900})
    walk.page.goto(PAGES[name])
    walk.page.evaluate(AXE.read_text())
    return walk.page


def test_every_page_of_the_router_is_walked() -> None:
    routes = (ROOT / "dashboard/src/state/router.ts").read_text().partition("export function")[0]
    assert set(re.findall(r'page: "(\w+)"', routes)) == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_with_data_a_page_is_sound_and_nothing_moves(walk: Walk, name: str) -> None:
    page = opened(walk, name)
    live(page)
    page.wait_for_timeout(1500)
    # Web Vitals calls 0.1 good; right-aligned digits alone give some thousandths.
    assert page.evaluate("window.shifts") < 0.02
    assert walk.look("data", name) == []
    assert walk.errors() == []


@pytest.mark.parametrize("name", PAGES)
def test_empty_a_page_says_so_and_is_sound(walk: Walk, name: str) -> None:
    for path in LISTS:
        walk.page.route(f"**/api/v1/{path}", answer_nothing)
    page = opened(walk, name)
    live(page)
    if name in EMPTY_WORDS:
        expect(page.get_by_role("heading", name=EMPTY_WORDS[name])).to_be_visible()
    assert walk.look("empty", name) == []
    assert walk.errors() == []


@pytest.mark.parametrize("name", PAGES)
def test_in_error_a_page_tells_the_hubs_reason_and_is_sound(walk: Walk, name: str) -> None:
    for path in (*READ, *LISTS):
        walk.page.route(f"**/api/v1/{path}", answer_broken)
    walk.page.route("**/metrics", answer_broken)
    page = opened(walk, name)
    if name != "unknown":
        expect(page.get_by_role("alert").get_by_text(REASON).first).to_be_visible()
    assert walk.look("error", name) == []
    assert walk.errors() == []


@pytest.mark.parametrize("name", PAGES)
def test_without_the_hub_a_page_opens_says_how_old_it_is_and_is_sound(away: Walk, name: str) -> None:
    page = opened(away, name)
    expect(page.locator(".kept")).to_contain_text("last saw")
    expect(page.locator("[data-fresh=live]")).to_have_count(0)
    assert away.look("offline", name) == []
    assert away.errors() == []
