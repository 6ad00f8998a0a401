"""The overview in a real Chromium: groups, small charts, and what a browser has to load for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import TAG, UIDS, Watched
from tests.e2e.dashboard_page import BOARD, live
from tests.e2e.first_load import BUDGET_BYTES, first_load

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.e2e


def grouped(page: Page) -> Locator:
    """Group by tags; return the button that folds the tagged group."""
    page.goto("/")
    live(page)
    page.get_by_label("Group devices").select_option("tag")
    return page.get_by_role("button", name=TAG)


def panel(page: Page, device: str) -> Locator:
    return page.locator(f'.panel.device[data-device="{device}"]')


def test_devices_are_grouped_by_tags_and_a_folded_group_stays_folded(watched: Watched) -> None:
    page = watched.page
    fold = grouped(page)
    group = page.get_by_role("region", name=TAG)
    expect(group.locator(".panel.device")).to_have_count(1)
    expect(panel(page, UIDS[0]).locator(".metric").first).to_be_visible()
    fold.focus()
    page.keyboard.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(panel(page, UIDS[0])).to_have_count(0)
    expect(panel(page, UIDS[1])).to_be_visible()
    page.reload()
    live(page)
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(panel(page, UIDS[0])).to_have_count(0)
    assert watched.errors == []


def test_a_search_finds_what_is_in_a_folded_group_also_by_its_tag(watched: Watched) -> None:
    page = watched.page
    grouped(page).click()
    expect(panel(page, UIDS[0])).to_have_count(0)
    page.get_by_role("searchbox").fill(TAG)
    expect(panel(page, UIDS[0]).locator(".metric").first).to_be_visible()
    expect(panel(page, UIDS[1])).to_have_count(0)
    assert watched.errors == []


def test_a_panels_small_charts_are_drawn_and_one_sheet_has_them_all(watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    live(page)
    sheet = panel(page, BOARD).locator(".sheet")
    expect(sheet).to_have_count(1)
    # A line for each chart that has values, within the rows that it lies over.
    lines = sheet.locator("[data-ink=trace][d^=M]")
    expect(lines.nth(3)).to_be_attached()
    drawn, rows = lines.first.bounding_box(), sheet.bounding_box()
    assert drawn is not None
    assert rows is not None
    assert rows["x"] < drawn["x"]
    assert drawn["x"] + drawn["width"] < rows["x"] + rows["width"]
    assert panel(page, BOARD).get_by_role("img").count() > 3
    assert watched.errors == []


@pytest.mark.parametrize("path", ["/", f"/devices/{BOARD}"])
def test_a_first_load_is_within_the_budget_of_javascript(watched: Watched, path: str) -> None:
    sizes = first_load(watched.page, path)
    assert 0 < sum(sizes.values()) <= BUDGET_BYTES, sizes
