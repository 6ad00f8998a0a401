"""A browser that several people use: what one of them saw is not there for the next."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.dashboard_page import BOARD, live, log_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, Route

    from tests.e2e.conftest import Rig

# A new link ends the one that `storage` comes in by: that one goes first.
pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("storage")]

PASSWORD = "a tablet on the wall"
SLOW_MS = 4000
"""Longer than a page waits for the hub before it shows what it remembers."""


@contextmanager
def tablet(rig: Rig, browser: Browser, user: str) -> Iterator[Page]:
    """Open a browser in which a user is logged in; the page is on the overview, and works without the hub."""
    rig.api.post("users", {"name": user, "role": "viewer", "password": PASSWORD})
    context = browser.new_context(base_url=rig.hub.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto("/")
    log_in(page, user, PASSWORD)
    page.evaluate("navigator.serviceWorker.ready")
    page.goto("/settings")  # a page that is left keeps what it saw
    live(page)
    yield page
    context.close()
    rig.api.change("DELETE", f"users/{user}")


def remembers(page: Page) -> None:
    """Make sure that without the hub this browser shows what it saw."""
    page.context.set_offline(True)
    page.goto("/")
    expect(page.locator(".kept")).to_be_visible()
    expect(page.locator(f'[data-device="{BOARD}"]')).to_be_visible()
    page.context.set_offline(False)
    live(page)


def test_who_logs_out_leaves_nothing_on_a_tablet_that_has_no_network_next(rig: Rig, browser: Browser) -> None:
    with tablet(rig, browser, "ada") as page:
        remembers(page)
        page.goto("/settings")
        sessions = page.get_by_role("region", name="Sessions")
        sessions.get_by_role("button", name="Log out").click()
        sessions.get_by_role("button", name="Yes, log out").click()
        expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
        page.context.set_offline(True)
        page.goto("/")
        expect(page.get_by_text("the hub cannot be reached")).to_be_visible()
        page.wait_for_timeout(SLOW_MS)
        expect(page.locator("[data-device]")).to_have_count(0)
        expect(page.locator(".kept")).to_have_count(0)


def new_link(rig: Rig) -> str:
    asked = [sys.executable, "-m", "hub.cli", "link", "--data", str(rig.hub.data)]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def hold(context: BrowserContext) -> list[object]:
    """Leave all that is asked of the hub's API without an answer."""
    held: list[object] = []

    def keep(route: Route) -> None:
        held.append(route)

    context.route("**/api/v1/**", keep)
    return held


def test_who_comes_by_a_link_sees_nothing_of_the_user_before_also_where_the_hub_is_slow(
    rig: Rig, browser: Browser
) -> None:
    with tablet(rig, browser, "berta") as page:
        remembers(page)
        page.goto("about:blank")
        held = hold(page.context)
        page.goto(new_link(rig))
        page.wait_for_timeout(SLOW_MS)
        assert held, "nothing was asked"
        expect(page.locator("[data-device]")).to_have_count(0)
        expect(page.locator(".kept")).to_have_count(0)
        assert page.url == f"{rig.hub.url}/"
        page.context.unroute_all()
        page.reload()
        live(page)
        expect(page.locator("footer.status")).to_contain_text("admin")


def test_a_tab_of_the_user_before_becomes_that_of_who_came(rig: Rig, browser: Browser) -> None:
    with tablet(rig, browser, "clara") as before:
        expect(before.locator("footer.status")).to_contain_text("clara")
        came = before.context.new_page()
        came.goto(new_link(rig))
        live(came)
        expect(before.locator("footer.status")).to_contain_text("admin")
        live(before)
        expect(came.locator("footer.status")).to_contain_text("admin")
