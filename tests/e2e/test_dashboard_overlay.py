"""Values on the picture: what Chromium shows beside a frame is of the moment burned into it."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.dashboard_page import check_look, live

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.e2e.conftest import Rig, Watched

pytestmark = pytest.mark.e2e

FRAME_MS = 1000 / 15

# The stamp's layout at 640x360 (hub/camera/sources/stamp.py): cells of 10 pixels, from (10, 10) on.
LOOK = """async (count) => {
  const video = document.querySelector('.screen video'), looks = [];
  const canvas = new OffscreenCanvas(180, 60).getContext('2d', {willReadFrequently: true});
  const cell = (bit) =>
    canvas.getImageData(15 + (bit % 16) * 10, 15 + (bit >> 4) * 10, 1, 1).data[1] > 127 ? 1 : 0;
  const crc = (bytes) => bytes.reduce((sum, byte) => {
    sum ^= byte << 8;
    for (let n = 0; n < 8; n++) sum = ((sum << 1) ^ (sum & 0x8000 ? 0x1021 : 0)) & 0xffff;
    return sum;
  }, 0);
  const read = () => {
    canvas.drawImage(video, 0, 0, 180, 60, 0, 0, 180, 60);
    const bytes = Array.from({length: 8}, (_, at) =>
      Array.from({length: 8}, (_, bit) => cell(at * 8 + bit)).reduce((sum, one) => sum * 2 + one, 0));
    const told = bytes[6] * 256 + bytes[7];
    const time = bytes.slice(0, 6);
    return crc(time) === told ? time.reduce((sum, byte) => sum * 256 + byte, 0) : null;
  };
  for (let tries = 0; tries < 40 * count && looks.length < count; tries++) {
    const frame = await new Promise((done) => video.requestVideoFrameCallback((_, meta) => done(meta)));
    const stamp = read();
    await new Promise((done) => setTimeout(done, 0));
    const overlay = document.querySelector('.overlay');
    // a frame that came meanwhile is another look's
    if (stamp === null || Number(overlay.dataset.rtp) !== frame.rtpTimestamp) continue;
    const value = overlay.querySelector('[data-metric]');
    const {metric, time} = value.dataset;
    looks.push({metric, stamp, frame: Number(overlay.dataset.time), value: Number(time)});
  }
  return looks;
}"""


def choose(page: Page) -> None:
    page.get_by_text("Values on the picture").click()
    box = page.get_by_role("group", name="Board 1").get_by_role("checkbox").first
    box.check()
    expect(page.locator(".overlay [data-metric]").first).not_to_have_attribute("data-time", "0")


def check_values(rig: Rig, looks: list[dict[str, Any]]) -> None:
    """No value is younger than its frame; it is the last before it, but for samples still under way then."""
    first, last = looks[0]["frame"], looks[-1]["frame"]
    device, _, metric = looks[0]["metric"].partition("/")
    span = {"from_": int(first) - 60_000, "to": int(last) + 1}
    found = rig.api.get("samples", device=device, metric=metric, **span)
    times = [row[0] for row in found["rows"]]
    before = [[time for time in times if time <= look["frame"]] for look in looks]
    assert all(look["value"] in known for look, known in zip(looks, before, strict=True))
    assert any(look["value"] == known[-1] for look, known in zip(looks, before, strict=True))


def test_a_value_on_the_picture_is_that_of_the_frames_own_moment(rig: Rig, watched: Watched) -> None:
    page = watched.page
    page.goto("/cameras/front")
    live(page)
    expect(page.locator(".screen")).to_have_attribute("data-video", "live")
    expect(page.locator(".overlay")).to_have_count(0)
    choose(page)
    looks = page.evaluate(LOOK, 30)
    assert len(looks) == 30
    off_ms = [abs(look["frame"] - look["stamp"]) for look in looks]
    assert median(off_ms) < 2 * FRAME_MS
    check_values(rig, looks)
    check_look(page)
    page.reload()
    expect(page.locator(".overlay [data-metric]")).to_have_count(1)
    page.get_by_role("button", name="Full screen").click()
    expect(page.locator(":fullscreen .overlay [data-metric]")).to_be_visible()
    assert watched.errors == []
