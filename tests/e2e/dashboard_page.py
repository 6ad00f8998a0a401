"""What tests of the dashboard share: a page that is live, answers in the hub's place, and the look."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.e2e.conftest import UIDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Route

    from tests.e2e.conftest import Rig

BOARD = UIDS[0]
AXE = Path(__file__).parents[2] / "dashboard/node_modules/axe-core/axe.min.js"


@contextmanager
def browsing(rig: Rig, browser: Browser, **options: Any) -> Iterator[Page]:
    """Open a browser of its own on the hub, and a page in it."""
    context = browser.new_context(base_url=rig.hub.url, viewport={"width": 1440, "height": 900}, **options)
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def live(page: Page) -> None:
    """Wait until the page follows the stream."""
    expect(page.locator("footer.status")).to_have_attribute("data-state", "live")


def log_in(page: Page, name: str, password: str) -> None:
    """Fill in the login form that the page shows, and wait until the page follows the stream."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    live(page)


REASON = "the store cannot be read: disk I/O error"
LOOKS = [(390, "dark"), (1440, "light")]
SHIFTS = """window.shifts = 0; new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.shifts += entry.value;
}).observe({ type: 'layout-shift', buffered: true });"""


def answer_nothing(route: Route) -> None:
    """Answer with an empty list."""
    route.fulfill(status=200, content_type="application/json", body=json.dumps({"items": [], "next": None}))


def answer_broken(route: Route) -> None:
    """Answer as a hub whose store cannot be read."""
    problem = {"title": "Service Unavailable", "status": 503, "detail": REASON}
    route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(problem))


def check_look(page: Page) -> None:
    """Assert that axe has nothing against the page, and that nothing hangs over its side."""
    page.evaluate(AXE.read_text())
    violations = page.evaluate(
        "axe.run().then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target)))"
    )
    assert violations == []
    overhang = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overhang <= 0
