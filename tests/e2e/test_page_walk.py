"""Every page, with data, empty, in error and without the hub: wide and narrow, light and dark.

The hub is real; only answers that no healthy hub gives (an empty list, a broken store) are put in its place.
Of every look a picture is kept in build/screenshots. One page of the browser walks them all.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import UIDS
from tests.e2e.dashboard_page import AXE, REASON, answer_broken, answer_nothing, live
from tests.e2e.page_walk import PAGES, Walk, walk_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.e2e.conftest import Rig

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
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
