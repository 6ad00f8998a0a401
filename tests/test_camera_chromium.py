"""A real browser takes the camera's stream: Chromium, by a page of a few lines and a bare WHEP route."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from playwright.async_api import async_playwright

from hub.camera.test_pattern import BARS
from tests.camera_peer import now_ms
from tests.test_camera import running

if TYPE_CHECKING:
    from hub.camera.camera import Camera

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

# The stamp's layout at 320x240 (hub/camera/stamp.py): cells of 4 pixels, from (4, 4) on.
PAGE = """<video id=v autoplay muted playsinline></video><script>
const frame = () => new Promise(done => v.requestVideoFrameCallback(done));
window.watch = async () => {
  const peer = window.peer = new RTCPeerConnection();
  peer.addTransceiver('video', {direction: 'recvonly'});
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
    if (item.type === 'inbound-rtp') found.decoded = item.framesDecoded;
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


@pytest.mark.e2e
async def test_chromium_decodes_the_stream_with_its_clock_and_its_colours() -> None:
    looks: list[dict[str, Any]] = []
    async with running() as camera, async_playwright() as playwright:
        runner, address = await serve(camera)
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            page = await browser.new_page()
            await page.goto(address)
            await page.evaluate("watch()")
            for _ in range(3):
                looks.append(await page.evaluate("look()"))
                await asyncio.sleep(0.3)
            seen_ms = now_ms()
        finally:
            await browser.close()
            await runner.cleanup()
    assert {look["codec"] for look in looks} == {"video/H264"}
    assert looks[0]["decoded"] < looks[1]["decoded"] < looks[2]["decoded"]
    assert looks[0]["time"] < looks[1]["time"] < looks[2]["time"] <= seen_ms < looks[0]["time"] + 10_000
    assert BARS[-1] == (35, 212, 114), "75% blue, which is (0, 0, 191)"
    red, green, blue = looks[-1]["blue"]
    assert (red < 25, green < 25, abs(blue - 191) < 25) == (True, True, True)
