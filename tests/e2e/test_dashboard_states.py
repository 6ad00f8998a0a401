"""The dashboard when there is nothing to show, and when the hub cannot answer: on every page, in words.

The hub is real; only answers that no healthy hub gives (an empty list, a broken store) are put in its place.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import UIDS, Watched
from tests.e2e.dashboard_page import (
    REASON,
    answer_broken,
    live,
)

pytestmark = pytest.mark.e2e


def test_charts_without_their_history_say_why(watched: Watched) -> None:
    page = watched.page
    page.route("**/api/v1/samples*", answer_broken)
    page.goto(f"/devices/{UIDS[0]}")
    live(page)
    page.get_by_text("7 d", exact=True).click()
    said = page.locator(".panel.chart").filter(has_text=REASON).first
    expect(said.locator(".veil")).to_be_visible()
    # Beside the axis' labels, which would run through the words.
    starts, plot = (said.locator(part).bounding_box() for part in (".veil span", ".u-over"))
    assert starts is not None
    assert plot is not None
    assert starts["x"] >= plot["x"]


def test_a_parameter_out_of_range_is_not_sent_and_named(watched: Watched) -> None:
    page = watched.page
    page.goto(f"/devices/{UIDS[0]}")
    live(page)
    form = page.locator('form[data-command="set_interval"]')
    field = form.locator('input[id$="interval_ms"]')
    field.fill("7")
    form.get_by_role("button", name="Send").click()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(form.locator("output")).to_have_attribute("data-kind", "idle")


@pytest.mark.parametrize(
    ("blocked", "way"),
    [(("stream",), "long_poll"), (("stream", r"latest\?wait="), "poll")],
)
def test_where_the_stream_does_not_come_through_values_come_by_polling_and_it_is_said(
    watched: Watched, blocked: tuple[str, ...], way: str
) -> None:
    page = watched.page
    for path in blocked:
        page.route(re.compile(rf"/api/v1/{path}"), lambda route: route.abort())
    page.goto("/")
    status = page.locator("footer.status")
    expect(status).to_have_attribute("data-way", way, timeout=30_000)
    live(page)
    expect(status).to_contain_text("stream")
    value = page.locator(f'[data-device="{UIDS[0]}"] [data-metric="sequence"] .value')
    expect(value).to_be_visible()
    expect(value).not_to_have_text(value.inner_text())
    page.unroute_all()
    expect(status).to_have_attribute("data-way", "stream", timeout=30_000)
