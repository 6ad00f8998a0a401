"""A camera's page beside what befalls the camera: it dies and comes back, and makes a film of the day."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from hil.hub import HubProcess
from tests.broker import free_port
from tests.coded_video import coded
from tests.e2e.dashboard_page import check_look
from tests.rtsp_camera import RtspCamera

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

PATIENCE_MS = 60_000


class Yard:
    """A hub with an RTSP camera that can be unplugged, and one that makes a timelapse; and a page on it."""

    def __init__(self, hub: HubProcess, port: int, page: Page) -> None:
        self.hub = hub
        self.page = page
        self._port = port
        self._units = coded(600, force=range(0, 600, 15))
        self._camera: RtspCamera | None = None

    def plug(self) -> None:
        self.unplug()
        self._camera = RtspCamera(self._units, self._port)
        self._camera.__enter__()

    def unplug(self) -> None:
        if self._camera is not None:
            self._camera.__exit__(None, None, None)
            self._camera = None


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Yard]:
    port = free_port()
    config = (
        "[mqtt]\nenabled = false\n"
        f'[[camera]]\nid = "yard"\nsource = "rtsp://user:s3cret@127.0.0.1:{port}/stream"\n'
        '[[camera]]\nid = "front"\nwidth = 320\nheight = 240\ntimelapse = "1s"\nrecord = ["00:00-24:00"]\n'
    )
    hub = HubProcess(tmp_path_factory.mktemp("yard") / "data", listen="127.0.0.1:0", config=config)
    with ExitStack() as stack:
        hub.start()
        stack.callback(hub.stop)
        context = browser.new_context(base_url=hub.url, viewport={"width": 1440, "height": 900})
        stack.callback(context.close)
        context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        stack.callback(expect.set_options)
        page = context.new_page()
        page.goto(hub.claim_url)
        made = Yard(hub, port, page)
        stack.callback(made.unplug)
        yield made


def test_a_camera_that_dies_is_told_with_the_reason_and_its_video_goes_on_without_a_reload(
    yard: Yard,
) -> None:
    page, screen = yard.page, yard.page.locator(".screen")
    yard.plug()
    page.goto("/cameras/yard")
    expect(screen).to_have_attribute("data-video", "live")
    page.evaluate("window.same = true")
    yard.unplug()
    expect(screen).to_have_attribute("data-video", "stalled")
    banner = page.locator(".banner")
    expect(banner).to_contain_text("No new picture: ")
    expect(banner).to_contain_text("rtsp://user:***@127.0.0.1")
    expect(banner).not_to_contain_text("s3cret")
    check_look(page)
    yard.plug()
    expect(screen).to_have_attribute("data-video", "live")
    expect(banner).to_have_count(0)
    assert page.evaluate("window.same") is True


def test_a_stream_of_pictures_that_freezes_is_not_taken_for_one_and_comes_back(yard: Yard) -> None:
    yard.plug()
    page = yard.page.context.new_page()
    page.add_init_script("delete window.RTCPeerConnection")
    page.goto("/cameras/yard")
    screen = page.locator(".screen")
    expect(screen).to_have_attribute("data-video", "stream")
    yard.unplug()
    expect(screen).to_have_attribute("data-video", "failed")
    expect(screen.locator("img")).to_be_hidden()
    yard.plug()
    expect(screen).to_have_attribute("data-video", re.compile("still|stream"))
    expect(screen.locator("img")).to_be_visible()
    page.close()


def test_the_film_of_the_day_can_be_watched_while_it_grows(yard: Yard) -> None:
    page = yard.page
    page.goto("/cameras/front")
    panel = page.get_by_role("region", name="Timelapse")
    expect(panel.get_by_text("grows until midnight")).to_be_visible()
    panel.get_by_role("button", name="Play").click()
    expect(panel.locator("video")).to_have_js_property("videoWidth", 320)
    expect(panel.get_by_role("button", name="Delete")).to_have_count(0)
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        check_look(page)


def test_a_clip_on_command_is_made_beside_the_schedules_and_each_is_stopped_on_its_own(yard: Yard) -> None:
    page = yard.page
    page.goto("/cameras/front")
    panel = page.get_by_role("region", name="Recordings")
    standing = panel.get_by_role("listitem").filter(has_text="by schedule")
    clip = panel.get_by_role("listitem").filter(has_text="on command")
    expect(standing).to_contain_text("recording now")
    panel.get_by_role("button", name="Record 30 s").click()
    expect(clip).to_contain_text("recording now")
    expect(clip.get_by_role("button", name="Stop")).to_have_count(0)
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        check_look(page)
    panel.get_by_role("button", name="Stop", exact=True).click()
    expect(clip.get_by_role("button", name="Play")).to_be_visible()
    expect(standing).to_contain_text("recording now")
    standing.get_by_role("button", name="Stop").click()
    expect(standing.get_by_role("button", name="Play")).to_be_visible()
    expect(panel.get_by_text("recording now")).to_have_count(0)


def test_who_may_not_look_is_told_so(yard: Yard) -> None:
    page = yard.page
    problem = {"title": "Forbidden", "status": 403, "detail": "your role is not enough"}
    page.route("**/whep", lambda route: route.fulfill(status=403, json=problem))
    page.goto("/cameras/front")
    expect(page.locator(".screen")).to_have_attribute("data-video", "denied")
    expect(page.locator(".banner")).to_contain_text("your role is not enough")
    check_look(page)
    page.unroute("**/whep")
    expect(page.locator(".screen")).to_have_attribute("data-video", "live")
