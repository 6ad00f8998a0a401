"""The health of a link on its device's page: the verdict, the figures, and their history on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import UIDS

if TYPE_CHECKING:
    from tests.e2e.conftest import Rig, Watched

pytestmark = pytest.mark.e2e


def test_a_device_page_tells_whose_fault_a_link_is_and_its_last_day(rig: Rig, watched: Watched) -> None:
    page = watched.page
    page.goto(f"/devices/{UIDS[0]}")
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text("arrived in the last five minutes, none damaged", timeout=15_000)
    assert verdict.get_attribute("data-cause") == "good"
    assert not page.locator(".linkcharts").count()
    page.get_by_text("The last 24 hours").click()
    expect(page.locator("[data-figure=crc_errors] canvas")).to_be_visible()
    expect(page.get_by_role("img", name="Round trip over the last 24 hours")).to_be_visible()
    assert watched.errors == []
    assert rig.api.get(f"devices/{UIDS[0]}/link")["verdict"]["cause"] == "good"
