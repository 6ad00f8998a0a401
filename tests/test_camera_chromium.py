"""A real browser takes the camera's stream: Chromium, by a page of a few lines and a bare WHEP route."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from playwright.async_api import async_playwright

from hub.camera.sources.test_pattern import BARS
from tests.camera_peer import now_ms
from tests.camera_rig import running
from tests.test_camera_paths import lossy, stamps_every_picture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from hub.camera.camera import Camera

__all__ = ["lossy"]  # a fixture

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# The stamp's layout at 320x240 (hub/camera/sources/stamp.py): cells of 4 pixels, from (4, 4) on.
PAGE = """<video id=v autoplay muted playsinline></video><script>
const frame = () => new Promise(done => v.requestVideoFrameCallback(done));
window.watch = async (codec) => {
  const peer = window.peer = new RTCPeerConnection();
  const line = peer.addTransceiver('video', {direction: 'recvonly'});
  const known = RTCRtpReceiver.getCapabilities('video').codecs;
  if (codec) line.setCodecPreferences(known.filter(item => [codec, 'video/rtx'].includes(item.mimeType)));
  peer.ontrack = event => { v.srcObject = new MediaStream([event.track]); };
  await peer.setLocalDescription();
  const reply = await fetch('/whep', {method: 'POST', body: peer.localDescription.sdp});
  await peer.setRemoteDescription({type: 'answer', sdp: await reply.text()});
  await frame();
};
window.look = async () => {
  await frame();
  const canvas = new OffscreenCanvas(320, 240).getContext('2d');
  canvas.drawImage(v, 0, 0);
  const cell = bit => canvas.getImageData(6 + bit % 16 * 4, 6 + (bit >> 4) * 4, 1, 1).data[1] > 127 ? 1 : 0;
  let time = 0;
  for (let bit = 0; bit < 48; bit++) time = time * 2 + cell(bit);
  const found = {time, blue: [...canvas.getImageData(310, 120, 1, 1).data].slice(0, 3)};
  (await peer.getStats()).forEach(item => {
    if (item.type === 'inbound-rtp') {
      Object.assign(found, {decoded: item.framesDecoded, received: item.framesReceived});
      Object.assign(found, {freezes: item.freezeCount, frozen_s: item.totalFreezesDuration});
      Object.assign(found, {lost: item.packetsLost, nacks: item.nackCount});
    }
    if (item.type === 'codec') found.codec = item.mimeType;
  });
  return found;
};
</script>"""


async def serve(camera: Camera) -> tuple[web.AppRunner, str]:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def whep(request: web.Request) -> web.Response:
        handle = await camera.answer(await request.text())
        return web.Response(status=201, text=handle.answer_sdp, content_type="application/sdp")

    app = web.Application()
    app.add_routes([web.get("/", page), web.post("/whep", whep)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/"


@asynccontextmanager
async def page_on(camera: Camera) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        runner, address = await serve(camera)
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            page = await browser.new_page()
            await page.goto(address)
            yield page
        finally:
            await browser.close()
            await runner.cleanup()


@pytest.mark.e2e
@pytest.mark.parametrize("codec", ["video/H264", "video/VP8"])
async def test_chromium_decodes_the_stream_with_its_clock_and_its_colours(codec: str) -> None:
    looks: list[dict[str, Any]] = []
    async with running() as camera, page_on(camera) as page:
        # a browser that knows both is sent H.264; one without it is sent VP8
        await page.evaluate("watch()" if codec == "video/H264" else f"watch('{codec}')")
        for _ in range(3):
            looks.append(await page.evaluate("look()"))
            await asyncio.sleep(0.3)
        seen_ms = now_ms()
        assert camera.encoders == 1
    assert {look["codec"] for look in looks} == {codec}
    assert looks[0]["decoded"] < looks[1]["decoded"] < looks[2]["decoded"]
    assert looks[0]["time"] < looks[1]["time"] < looks[2]["time"] <= seen_ms < looks[0]["time"] + 10_000
    assert BARS[-1] == (35, 212, 114), "75% blue, which is (0, 0, 191)"
    red, green, blue = looks[-1]["blue"]
    assert (red < 25, green < 25, abs(blue - 191) < 25) == (True, True, True)


def flows(looks: list[dict[str, Any]]) -> bool:
    """Say whether there were two times in a row in which packets were asked for again and nothing froze."""
    good = [
        then["nacks"] > now["nacks"]
        and (then["freezes"], then["frozen_s"]) == (now["freezes"], now["frozen_s"])
        for now, then in pairwise(looks)
    ]
    return (True, True) in pairwise(good)


@pytest.mark.e2e
async def test_chromium_at_three_percent_loss_does_not_freeze_and_decodes_all_but_one_in_a_hundred(
    lossy: None,
) -> None:
    async with running() as camera, page_on(camera) as page:
        await page.evaluate("watch()")
        sent = stamps_every_picture(camera)
        before = after = await page.evaluate("look()")
        begun, looks = len(sent), [before]
        for _ in range(8):
            await asyncio.sleep(2.5)
            after = await page.evaluate("look()")
            looks.append(after)
            if len(looks) > 3 and flows(looks):
                break
        due = len(sent) - begun
        assert camera.encoders == 1, "three in a hundred are no reason for the low layer"
    # without resending each of these times would freeze; a machine that is busy elsewhere may spoil some
    assert flows(looks)
    assert due > 150
    assert after["decoded"] - before["decoded"] >= 0.99 * due - 2
