// Watches a camera by WHEP with werift, a WebRTC stack of another make, and says what it met as one line of JSON.
// Usage: node whep.mjs ADDRESS TOKEN MIME_TYPE
import { RTCPeerConnection, RTCRtpCodecParameters } from "werift";

const [address, token, mimeType] = process.argv.slice(2);
const authorization = `Bearer ${token}`;
const H264 = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";

const codec = new RTCRtpCodecParameters({
  mimeType,
  clockRate: 90000,
  rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }],
  parameters: mimeType === "video/H264" ? H264 : undefined,
});
const peer = new RTCPeerConnection({ codecs: { video: [codec] }, iceServers: [] });
const seen = { packets: 0, pictures: 0, keyframes: 0, ssrcs: [] };
const enough = new Promise((done) => {
  const transceiver = peer.addTransceiver("video", { direction: "recvonly" });
  transceiver.onTrack.subscribe((track) =>
    track.onReceiveRtp.subscribe(({ header, payload }) => {
      seen.packets += 1;
      seen.pictures += header.marker ? 1 : 0;
      const kind = payload[0] & 0x1f;
      // IDR: alone, in STAP-A beside its parameter sets, or the first fragment of FU-A (RFC 6184)
      seen.keyframes += kind === 5 || (kind === 28 && (payload[1] & 0x9f) === 0x85) ? 1 : 0;
      if (!seen.ssrcs.includes(header.ssrc)) seen.ssrcs.push(header.ssrc);
      if (seen.pictures >= 30) done();
    }),
  );
});

await peer.setLocalDescription(await peer.createOffer());
const posted = await fetch(address, {
  method: "POST",
  headers: { authorization, "content-type": "application/sdp" },
  body: peer.localDescription.sdp,
});
const found = { status: posted.status, etag: posted.headers.get("etag"), type: posted.headers.get("content-type") };
if (posted.status === 201) {
  const viewer = new URL(posted.headers.get("location"), address);
  await peer.setRemoteDescription({ type: "answer", sdp: await posted.text() });
  await enough;
  const fragment = {
    method: "PATCH",
    headers: { authorization, "content-type": "application/trickle-ice-sdpfrag" },
    body: "a=mid:0\r\na=end-of-candidates\r\n",
  };
  found.patched = (await fetch(viewer, fragment)).status;
  found.deleted = (await fetch(viewer, { method: "DELETE", headers: { authorization } })).status;
  found.again = (await fetch(viewer, { method: "DELETE", headers: { authorization } })).status;
} else {
  found.problem = await posted.json();
}
console.log(JSON.stringify({ ...found, ...seen }));
process.exit(0);
