"""The dashboard in German: as the browser asks for or by choice, sound on a phone, there without the hub."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.dashboard_page import AXE, BOARD, browsing, live
from tests.e2e.first_load import BUDGET_BYTES, first_load
from tests.e2e.page_walk import BROKEN_RULES, PAGES, PICTURES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.e2e.conftest import Rig

pytestmark = pytest.mark.e2e

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_a_german_browser_reads_german_on_every_page_and_nothing_leaves_the_screen(
    rig: Rig, browser: Browser, storage: Any
) -> None:
    wrong = []
    options: dict[str, Any] = {"storage_state": storage, "locale": "de-DE", "service_workers": "block"}
    with browsing(rig, browser, **options) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        for name, path in PAGES.items():
            page.goto(path)
            live(page)
            page.evaluate(AXE.read_text())
            expect(page.locator("html")).to_have_attribute("lang", "de")
            wrong += [f"{name}: {text}" for text in page.evaluate(BROKEN_RULES, {})]
            if (over := page.evaluate(WIDER)) > 0:
                wrong.append(f"{name}: {over} px wider than the screen")
            page.screenshot(
                path=PICTURES / "german" / f"{name}-390.jpg",
                type="jpeg",
                quality=75,
                full_page=name != "wall",
            )
    assert wrong == []


def test_in_german_a_first_load_is_within_the_budget_too_and_in_english_it_brings_no_german(
    rig: Rig, browser: Browser, storage: Any
) -> None:
    options: dict[str, Any] = {"storage_state": storage, "service_workers": "block"}
    sizes = {}
    for locale in ("de-DE", "en-GB"):
        with browsing(rig, browser, locale=locale, **options) as page:
            sizes[locale] = first_load(page, f"/devices/{BOARD}")
    assert sum(sizes["de-DE"].values()) <= BUDGET_BYTES, sizes
    assert any("/de-" in url for url in sizes["de-DE"])
    assert not any("/de-" in url for url in sizes["en-GB"])


def test_a_language_that_was_chosen_outlasts_a_reload_also_without_the_hub(
    rig: Rig, browser: Browser, storage: Any
) -> None:
    with browsing(rig, browser, storage_state=storage, locale="en-GB") as page:
        page.goto("/settings")
        live(page)
        page.evaluate("navigator.serviceWorker.ready")
        page.get_by_text("Deutsch", exact=True).click()
        heading = page.get_by_role("heading", level=1, name="Optionen")
        expect(heading).to_be_visible()
        live(page)
        assert "," in written(page), "a number is not written as German does"
        page.context.set_offline(True)
        page.goto("/settings")
        expect(page.locator(".kept")).to_contain_text("Der Hub ist nicht zu erreichen.")
        expect(heading).to_be_visible()


def written(page: Page) -> str:
    """Return the temperature of a board as it stands on its panel."""
    page.get_by_role("navigation").get_by_role("link", name="Übersicht").click()
    value = page.locator(f'[data-device="{BOARD}"] [data-metric="temperature"] .value')
    expect(value).to_contain_text(re.compile(r"\d"))
    return value.inner_text()
