"""Where WebRTC cannot come a stream of JPEGs stands in, then stills; it is said, and video tried again."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from hub.camera.sources import stamp
from tests.e2e.dashboard_page import LOOKS, REASON, answer_broken, check_look

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.e2e.conftest import Watched

pytestmark = pytest.mark.e2e

PATIENCE_MS = 60_000
GREY = """() => { const i = document.querySelector('.screen img'), c = document.createElement('canvas');
    if (!i?.naturalWidth) return null;
    c.width = i.naturalWidth; c.height = 80; const g = c.getContext('2d'); g.drawImage(i, 0, 0);
    return Array.from(g.getImageData(0, 0, c.width, 80).data.filter((_, n) => n % 4 === 1)); }"""
NO_WAY = """RTCPeerConnection = class extends RTCPeerConnection {
    constructor(how) { super({ ...how, iceTransportPolicy: 'relay' }); } };"""
"""As behind a firewall that lets no UDP through: a peer without a relay has no way to the hub."""


def clock_ms(page: Page) -> int:
    """Read the time that is burned into the picture on screen."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline:
        grey = page.evaluate(GREY)
        seen = None if grey is None else stamp.read(np.array(grey, np.uint8).reshape(80, -1))
        if seen is not None:
            return seen
        page.wait_for_timeout(50)
    raise AssertionError("no picture with its time is on screen")


def check_moves(page: Page) -> None:
    """The picture is of now, and another follows."""
    first = clock_ms(page)
    assert abs(time.time() * 1000 - first) < 10_000
    while clock_ms(page) == first:
        page.wait_for_timeout(50)


def test_where_no_packet_comes_through_a_stream_of_pictures_stands_in(watched: Watched) -> None:
    page = watched.page
    page.add_init_script(NO_WAY)
    page.goto("/cameras/front")
    screen, banner = page.locator(".screen"), page.locator(".banner")
    expect(screen).to_have_attribute("data-video", "stream", timeout=PATIENCE_MS)
    # which of the two is told first is the browser's affair
    expect(banner).to_contain_text(re.compile("no picture came within 8 s|the connection broke"))
    expect(banner).to_contain_text("stream of single pictures")
    expect(page.locator("header .state")).to_have_text("Stream of pictures")
    check_moves(page)
    figures = page.get_by_role("region", name="Figures of the video")
    expect(figures).to_contain_text("640 \N{MULTIPLICATION SIGN} 360")
    expect(figures).to_contain_text("JPEG")
    for width, scheme in LOOKS:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 900})
        check_look(page)


def test_where_the_stream_of_pictures_breaks_too_stills_do_and_all_comes_back_by_itself(
    watched: Watched,
) -> None:
    page = watched.page
    page.route("**/whep", answer_broken)
    page.route("**/stream.mjpg", lambda route: route.abort())
    page.goto("/cameras/front")
    page.evaluate("window.same = true")
    screen, banner = page.locator(".screen"), page.locator(".banner")
    expect(screen).to_have_attribute("data-video", "still", timeout=PATIENCE_MS)
    expect(banner).to_contain_text(f"{REASON}; nor is the stream of pictures: the hub cannot be reached")
    check_moves(page)
    page.set_viewport_size({"width": 390, "height": 900})
    check_look(page)
    page.unroute("**/stream.mjpg")
    expect(screen).to_have_attribute("data-video", "stream", timeout=PATIENCE_MS)
    check_moves(page)
    page.unroute("**/whep")
    expect(screen).to_have_attribute("data-video", "live", timeout=PATIENCE_MS)
    expect(banner).to_have_count(0)
    expect(screen.locator("img")).to_have_count(0)
    assert page.evaluate("window.same") is True


def test_where_nothing_comes_at_all_it_is_said_once_and_no_picture_pretends(watched: Watched) -> None:
    page = watched.page
    for path in ("whep", "stream.mjpg", "snapshot.jpg"):
        page.route(f"**/{path}", answer_broken)
    page.add_init_script("delete window.RTCPeerConnection")
    page.goto("/cameras/front")
    expect(page.locator(".screen")).to_have_attribute("data-video", "failed", timeout=PATIENCE_MS)
    expect(page.locator(".banner")).to_contain_text("this browser has no WebRTC")
    expect(page.locator(".screen img")).to_have_count(0)
    page.unroute("**/snapshot.jpg")
    expect(page.locator(".screen")).to_have_attribute("data-video", "still", timeout=PATIENCE_MS)
    expect(page.locator(".banner")).to_contain_text(
        f"this browser has no WebRTC; nor is the stream of pictures: {REASON}"
    )


TURN = """(hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
}"""
"""Stands in for a tab that is gone behind another, which a headless browser does not hide."""


def test_a_stream_of_pictures_ends_while_nobody_looks_and_goes_on_when_somebody_does(
    watched: Watched,
) -> None:
    page = watched.page
    page.add_init_script("delete window.RTCPeerConnection")
    page.goto("/cameras/front")
    screen = page.locator(".screen")
    expect(screen).to_have_attribute("data-video", "stream", timeout=PATIENCE_MS)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/stream.mjpg")):
        page.evaluate(TURN, True)
    page.wait_for_timeout(2500)  # longer than it takes to try video again, and for a still
    assert [url for url in asked if url.endswith(("/stream.mjpg", "/snapshot.jpg", "/whep"))] == []
    expect(screen.locator("img")).to_have_count(1)
    page.evaluate(TURN, False)
    check_moves(page)
    expect(screen).to_have_attribute("data-video", "stream")


def test_video_goes_on_for_a_while_unseen_and_then_ends(watched: Watched) -> None:
    page = watched.page
    page.clock.install()
    page.goto("/cameras/front")
    page.clock.resume()
    screen = page.locator(".screen")
    expect(screen).to_have_attribute("data-video", "live", timeout=PATIENCE_MS)
    page.evaluate(TURN, True)
    page.clock.fast_forward(20_000)
    expect(screen).to_have_attribute("data-video", "live")
    with page.expect_request(lambda request: request.method == "DELETE" and "/whep/" in request.url):
        page.clock.fast_forward(11_000)
    page.evaluate(TURN, False)
    expect(screen).to_have_attribute("data-video", "live", timeout=PATIENCE_MS)
