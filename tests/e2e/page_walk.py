"""A walk through the dashboard's pages: each in every look, with a picture kept, and held against axe."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.conftest import UIDS, Watched
from tests.e2e.dashboard_page import SHIFTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.e2e.conftest import Rig

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
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
