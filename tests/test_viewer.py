"""One viewer against a real WebRTC peer: what is answered, and what aiortc is relied on for."""

from __future__ import annotations

import asyncio
import gc
import re
from pathlib import Path
from random import Random

import pytest

from hub.camera.errors import BadOffer
from hub.camera.viewing.offer import check_offer
from tests.camera_peer import Peer
from tests.coded_video import coded
from tests.descriptors import open_descriptors
from tests.fakes import until
from tests.viewer_scene import SSRC, scene


def payload_types(sdp: str) -> list[str]:
    return re.findall(r"a=rtpmap:\d+ (\S+)", sdp)


async def test_the_answer_sends_h264_constrained_baseline_first_though_the_offer_prefers_vp8() -> None:
    async with scene() as s, Peer() as peer:
        offer = await peer.offer()
        assert payload_types(offer)[0] == "VP8/90000"
        answer = await s.viewer.answer(check_offer(offer))
    assert payload_types(answer)[:2] == ["H264/90000", "rtx/90000"]
    first = re.search(r"m=video \d+ \S+ (\d+)", answer)
    assert first is not None
    fmtp = re.search(rf"a=fmtp:{first[1]} (.*)", answer)
    assert fmtp is not None
    assert "profile-level-id=42e01f" in fmtp[1]
    assert "packetization-mode=1" in fmtp[1]
    assert "a=sendonly" in answer
    assert "a=candidate:" in answer
    assert "a=end-of-candidates" in answer


async def test_coded_pictures_reach_the_peer_and_decode() -> None:
    async with scene() as s, Peer() as peer:
        await s.connect(peer)
        for unit in coded(12):
            s.fanout.publish(unit)
        assert await peer.clock_ms() >= 1_000


async def test_a_peers_picture_loss_indication_asks_for_a_keyframe() -> None:
    async with scene() as s, Peer() as peer:
        await s.connect(peer)
        receiver = peer.connection.getReceivers()[0]
        for unit in coded(2):
            s.fanout.publish(unit)
        joined = s.keyframe_requests
        await receiver._send_rtcp_pli(SSRC)
        await until(lambda: s.keyframe_requests > joined)
    assert s.keyframe_requests == joined + 1


async def test_a_peer_that_leaves_is_told_at_once() -> None:
    async with scene() as s:
        async with Peer() as peer:
            await s.connect(peer)
        await until(lambda: s.gone)
        assert s.gone == [s.viewer]


async def test_a_peer_that_never_connects_is_gone_after_the_time_to_connect() -> None:
    async with scene(connect_timeout_s=0.05) as s, Peer() as peer:
        await s.viewer.answer(check_offer(await peer.offer()))
        await until(lambda: s.gone)


async def test_closing_is_quiet_frees_the_sockets_and_may_be_done_twice() -> None:
    async with scene(), Peer() as first:  # what is opened once and stays
        await first.offer()
    before = open_descriptors()
    async with scene() as s, Peer() as peer:
        await s.connect(peer)
        await s.viewer.close()
        await s.viewer.close()
        assert (s.gone, len(s.fanout)) == ([], 0)
    await until(lambda: open_descriptors() <= before)


def no_h264(offer: str) -> str:
    return offer.replace("H264/90000", "H265/90000").replace("VP8/90000", "VP9/90000")


def no_mode_1(offer: str) -> str:
    return offer.replace("packetization-mode=1", "packetization-mode=0").replace("VP8/90000", "VP9/90000")


def no_ice(offer: str) -> str:
    return re.sub(r"a=ice-(ufrag|pwd):.*\r\n", "", offer)


def no_mux(offer: str) -> str:
    return offer.replace("a=rtcp-mux\r\n", "")


def odd_rtpmap(offer: str) -> str:
    return offer.replace("a=rtpmap:", "a=rtpmap:x", 1)


@pytest.mark.parametrize("spoil", [no_h264, no_mode_1, no_ice, no_mux, odd_rtpmap])
async def test_an_offer_that_cannot_be_answered_is_refused_with_the_reason(spoil: object) -> None:
    async with scene() as s, Peer() as peer:
        offer = spoil(await peer.offer())  # type: ignore[operator]  # one of the functions above
        with pytest.raises(BadOffer, match=r"no codec in common|cannot be read"):
            await s.viewer.answer(check_offer(offer))


def garbled(offer: str, random: Random) -> str:
    """Drop, double, swap, cut or overwrite a few lines of a real offer."""
    lines = offer.split("\r\n")
    for _ in range(random.randint(1, 4)):
        index = random.randrange(len(lines))
        match random.randrange(5):
            case 0:
                del lines[index]
            case 1:
                lines.insert(random.randrange(len(lines)), lines[index])
            case 2:
                lines[index] = lines[index][: random.randrange(len(lines[index]) + 1)]
            case 3:
                lines[index] = lines[index].replace(":", random.choice(["", " ", "::", ":-1 "]), 1)
            case _:
                lines[index] = re.sub(r"\d+", lambda _: str(random.choice([0, 1, 99, 2**33])), lines[index])
        lines = lines or [""]
    return "\r\n".join(lines)


@pytest.mark.slow
async def test_garbled_offers_are_answered_or_refused_and_nothing_breaks_behind() -> None:
    broken: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: broken.append(context))
    async with scene(), Peer() as peer:
        offer = await peer.offer()
        before = open_descriptors()
        random, refused = Random(7), 0
        for _ in range(300):
            async with scene() as s:
                try:
                    await s.viewer.answer(check_offer(garbled(offer, random)))
                except BadOffer:
                    refused += 1
                await asyncio.sleep(0.01)
        gc.collect()
        await asyncio.sleep(0)
        assert 0 < refused < 300
        assert open_descriptors() <= before
        assert broken == []


async def test_refused_offers_leave_no_sockets() -> None:
    async with scene(), Peer() as first:
        offer = no_h264(await first.offer())
    before = open_descriptors()
    for _ in range(20):
        async with scene() as s:
            with pytest.raises(BadOffer):
                await s.viewer.answer(check_offer(offer))
    assert open_descriptors() <= before


async def test_candidates_that_come_later_connect_too() -> None:
    async with scene() as s, Peer() as peer:
        offer = await peer.offer()
        candidates = re.findall(r"a=candidate:.*", offer)
        bare = re.sub(r"a=(candidate:.*|end-of-candidates)\r\n", "", offer)
        answer = await s.viewer.answer(check_offer(bare))
        await s.viewer.trickle("a=mid:0\r\n" + "\r\n".join(line.strip() for line in candidates))
        await s.viewer.trickle("a=mid:0\r\na=end-of-candidates\r\n")
        await peer.accept(answer)
        await until(lambda: len(s.fanout))


async def test_another_ice_session_in_a_fragment_is_refused() -> None:
    async with scene() as s, Peer() as peer:
        offer = await peer.offer()
        await s.viewer.answer(check_offer(offer))
        ours = re.search(r"a=ice-ufrag:(\S+)", offer)
        assert ours
        for other in ("zzzz", ours[1][:-1]):
            with pytest.raises(BadOffer, match="ICE restart"):
                await s.viewer.trickle(f"a=ice-ufrag:{other}\r\na=mid:0\r\n")


async def test_the_answer_says_that_candidates_may_come_later() -> None:
    async with scene() as s, Peer() as peer:
        answer = await s.viewer.answer(check_offer(await peer.offer()))
        await peer.accept(answer)
    assert "a=ice-options:trickle\r\n" in answer[: answer.index("m=video")]


async def test_what_a_peer_would_send_is_not_taken() -> None:
    async with scene() as s, Peer() as peer:
        peer.connection.addTransceiver("audio", direction="sendrecv")
        answer = await s.viewer.answer(check_offer(await peer.offer()))
    audio = answer[answer.index("m=audio") :]
    assert "a=inactive" in audio


def test_the_camera_room_imports_aiortc_only_for_a_viewer() -> None:
    import subprocess
    import sys

    script = (
        "import sys, hub.camera.camera; print([m for m in ('av', 'aiortc', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert done.stdout.strip() == "[]"
