"""Rules, alerts and desired values by hand in the dashboard, on real boards."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import UIDS
from tests.e2e.dashboard_page import live

if TYPE_CHECKING:
    from tests.e2e.conftest import Rig, Watched

pytestmark = pytest.mark.e2e

BOARD = UIDS[0]


def test_a_rule_made_in_the_dashboard_raises_an_alert_that_is_seen_and_cleared(watched: Watched) -> None:
    page = watched.page
    page.goto("/rules")
    live(page)
    page.get_by_role("button", name="New rule").click()
    page.get_by_label("Title").fill("Always so")
    page.get_by_label("Device/metric").fill(f"{BOARD}/sequence")
    page.get_by_label("For", exact=True).fill("soon")
    page.get_by_label("Threshold").fill("-1")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("is no duration")).to_be_visible()
    page.get_by_label("For", exact=True).fill("0s")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("above -1")).to_be_visible()
    expect(page.locator("nav .badge")).to_contain_text("1")
    expect(page.get_by_text("Alert: Always so")).to_have_count(1)
    page.get_by_role("link", name="All alerts").click()
    page.get_by_role("button", name="Acknowledge Always so").click()
    expect(page.get_by_text("seen by admin")).to_be_visible()
    page.get_by_role("link", name="Edit rules").click()
    page.get_by_role("button", name="Edit Always so").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name="Yes, remove").click()
    expect(page.get_by_role("heading", name="No rule yet")).to_be_visible()
    expect(page.locator("nav .badge")).to_have_count(0)
    page.get_by_role("link", name="All alerts").click()
    expect(page.get_by_text("the rule was removed").first).to_be_visible()
    assert [error for error in watched.errors if "400" not in error] == []


def test_an_interval_that_is_kept_is_agreed_and_comes_back_after_a_restart(
    rig: Rig, watched: Watched
) -> None:
    page = watched.page
    page.goto(f"/devices/{BOARD}")
    live(page)
    form = page.locator('form[data-command="set_interval"]')
    form.locator('input[id$="interval_ms"]').fill("700")
    form.get_by_role("button", name="Send").click()
    form.get_by_role("button", name="Keep desired").click()
    desired = page.locator("section.desired")
    expect(desired.get_by_text("agreed", exact=True)).to_be_visible()

    def sent() -> int:
        items = rig.api.get("commands", limit=100)["items"]
        return len([item for item in items if item["origin"] == "desired" and item["state"] == "succeeded"])

    rig.wait(lambda: sent() == 1)
    page.locator('form[data-command="reboot"]').get_by_role("button").click()
    confirm = page.get_by_role("button", name=re.compile("Yes, send"))
    if confirm.count():
        confirm.click()
    rig.wait(lambda: sent() == 2)
    expect(desired.get_by_text("agreed", exact=True)).to_be_visible()
    desired.get_by_role("button", name="Want this no more").click()
    expect(desired.get_by_text("Nothing is desired")).to_be_visible()
