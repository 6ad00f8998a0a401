"""A camera's recordings by hand in the dashboard: begun, played, deleted, on a real hub and camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.dashboard_page import REASON, answer_broken, check_look, live

if TYPE_CHECKING:
    from tests.e2e.conftest import Watched

pytestmark = pytest.mark.e2e


def test_a_recording_is_begun_stopped_played_and_deleted(watched: Watched) -> None:
    page = watched.page
    page.goto("/cameras/front")
    live(page)
    expect(page.locator(".screen")).to_have_attribute("data-video", "live")
    panel = page.get_by_role("region", name="Recordings")
    panel.get_by_role("button", name="Record 30 s").click()
    expect(panel.get_by_text("recording now")).to_be_visible()
    page.wait_for_timeout(1000)
    panel.get_by_role("button", name="Stop").click()
    play = panel.get_by_role("button", name="Play").first
    play.click()
    film = panel.locator("video")
    expect(film).to_have_js_property("videoWidth", 640)
    check_look(page)
    with page.expect_download() as download:
        panel.get_by_role("link", name="Download").first.click()
    assert download.value.path().read_bytes()[4:8] == b"ftyp"
    count = panel.get_by_role("listitem").count()
    panel.get_by_role("button", name="Delete").first.click()
    panel.get_by_role("button", name="Yes, delete").click()
    expect(panel.get_by_role("status")).to_have_text("The film is deleted.")
    expect(panel.get_by_role("listitem")).to_have_count(count - 1)
    assert watched.errors == []


def test_recordings_that_cannot_be_read_leave_the_video_and_say_why(watched: Watched) -> None:
    page = watched.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.route("**/recordings", answer_broken)
    page.goto("/cameras/front")
    expect(page.get_by_role("alert").get_by_text(REASON)).to_be_visible()
    expect(page.locator(".screen")).to_have_attribute("data-video", "live")
    check_look(page)


def test_a_recording_that_an_alert_begins_is_shown_without_a_reload(watched: Watched) -> None:
    page = watched.page
    page.clock.install()
    begun = {"id": "1", "camera": "front", "state": "running", "time": 1, "length_ms": None}
    clip = {**begun, "size_bytes": 0, "reason": "alert", "rule": "too-hot"}
    items: list[dict[str, object]] = []
    page.route("**/recordings", lambda route: route.fulfill(json={"items": items, "next": None}))
    page.goto("/cameras/front")
    page.clock.resume()
    panel = page.get_by_role("region", name="Recordings")
    expect(panel.get_by_text("Nothing is recorded yet.")).to_be_visible()
    items.append(clip)
    page.clock.fast_forward(20_000)
    expect(panel.get_by_text("recording now")).to_be_visible()
    expect(panel.get_by_text("too-hot")).to_be_visible()
