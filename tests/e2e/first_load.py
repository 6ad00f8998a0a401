"""What a browser loads of the dashboard's JavaScript until it draws, and how much that may be."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e.dashboard_page import live

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

BUDGET_BYTES = 120_000


def first_load(page: Page, path: str) -> dict[str, int]:
    """Open a page, and return what it loads of JavaScript until it draws: gzipped bytes by address."""
    scripts: list[Response] = []
    page.on("response", lambda answer: scripts.append(answer) if answer.url.endswith(".js") else None)
    page.goto(path)
    live(page)
    expect(page.locator("[data-metric]").first).to_be_visible()
    # Something is drawn when the code that draws is there.
    expect(page.locator("canvas, .sheet [data-ink=trace][d^=M]").first).to_be_visible()
    # The service worker's own script loads beside the page, and fetches again what is here already.
    return {
        script.url: len(gzip.compress(script.body(), 9))
        for script in scripts
        if not script.url.endswith("sw.js")
    }
