"""The picture's way in a real Chromium: from capture to the browser's callback, and from POST to the first.

The test pattern's clock is read back from the pixels of each picture (hub/camera/sources/stamp.py); hub and
browser share a machine and its clock. The encoder is at work here, at 720p30 and 2 Mbit/s. As in the
dashboard, a page is there for a moment before it asks for video: the hub loads what a first viewer needs
meanwhile.
"""

from __future__ import annotations

from playwright.sync_api import sync_playwright

from bench.figure import Figure, percentile
from bench.server_process import ServerProcess
from hub.camera.sources import stamp
from tests.e2e.browser import FLAGS, chromium

DURATION_S = 20
STARTS = 7

_PLACE = stamp.layout(1280)
_SCRIPT = """
const place = {left: %d, top: %d, cell: %d};
const canvas = new OffscreenCanvas(place.left + 16 * place.cell, place.top + 4 * place.cell);
const drawing = canvas.getContext('2d', {willReadFrequently: true});
const frame = () => new Promise(done => v.requestVideoFrameCallback(() => done(Date.now())));
window.stamp = () => {
  drawing.drawImage(v, 0, 0);
  const {data, width} = drawing.getImageData(0, 0, canvas.width, canvas.height);
  let time = 0;
  for (let bit = 0; bit < 48; bit++) {
    const x = place.left + (bit %% 16 + .5) * place.cell, y = place.top + ((bit >> 4) + .5) * place.cell;
    time = time * 2 + (data[(Math.floor(y) * width + Math.floor(x)) * 4 + 1] > 127 ? 1 : 0);
  }
  return time;
};
window.watch = async () => {
  const peer = window.peer = new RTCPeerConnection();
  peer.addTransceiver('video', {direction: 'recvonly'});
  peer.ontrack = event => { v.srcObject = new MediaStream([event.track]); };
  await peer.setLocalDescription();
  const began = Date.now();
  const reply = await fetch('/whep', {method: 'POST', body: peer.localDescription.sdp});
  await peer.setRemoteDescription({type: 'answer', sdp: await reply.text()});
  return await frame() - began;
};
window.lags = async seconds => {
  const found = [], end = Date.now() + 1000 * seconds;
  while (Date.now() < end) { const seen = await frame(); found.push(seen - window.stamp()); }
  return found;
};
""" % (_PLACE.left, _PLACE.top, _PLACE.cell)  # noqa: UP031 - braces are the script's own


def measure() -> list[Figure]:
    """Return milliseconds."""
    with ServerProcess("outpost", "test") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        firsts = []
        for _ in range(STARTS):
            page = browser.new_page()
            page.goto(server.url)
            page.wait_for_timeout(1_000)
            page.evaluate(_SCRIPT)
            firsts.append(float(page.evaluate("watch()")))
            if len(firsts) < STARTS:
                page.close()
        page.wait_for_timeout(2_000)
        lags = [float(lag) for lag in page.evaluate(f"lags({DURATION_S})") if abs(lag) < 10_000]
        encoders = float(page.evaluate("fetch('/encoders').then(reply => reply.text())"))
        browser.close()
    return [
        Figure(what="Encoders that ran then", value=encoders, unit="", target=1),
        Figure(what="Chromium, glass to callback, p50", value=percentile(lags, 0.5), unit="ms", target=40),
        Figure(what="Chromium, glass to callback, p95", value=percentile(lags, 0.95), unit="ms", target=60),
        Figure(
            what="Chromium, pictures measured, of those due",
            value=100 * len(lags) / DURATION_S / 30,
            unit="%",
        ),
        Figure(
            what="Chromium, POST to first picture, median",
            value=percentile(firsts[1:], 0.5),
            unit="ms",
            target=300,
        ),
        Figure(what="Chromium, POST to first picture, worst", value=max(firsts[1:]), unit="ms", target=300),
        Figure(what="Chromium, POST to the hub's very first picture", value=firsts[0], unit="ms"),
    ]
