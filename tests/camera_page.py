"""A page of a few lines in a real Chromium, which takes a camera's stream by a bare WHEP route."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web
from playwright.async_api import async_playwright

from tests.e2e.browser import FLAGS, chromium

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from hub.camera.camera import Camera

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
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            page = await browser.new_page()
            await page.goto(address)
            yield page
        finally:
            await browser.close()
            await runner.cleanup()
