"""Two layers: a bad path gets the low one at a keyframe, and back; others notice nothing."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, pack_remb_fci
from hypothesis import given
from hypothesis import strategies as st

from hub.camera.camera import Camera
from hub.camera.viewing import layers
from hub.camera.viewing.layers import LayerChoice
from hub.health import Health
from tests.camera_page import page_on
from tests.camera_peer import Peer, now_ms
from tests.camera_rig import running, running_camera, stamps_every_picture
from tests.coded_video import coded_file, config
from tests.fakes import until
from tests.lossy_path import LossyPath

if TYPE_CHECKING:
    from pathlib import Path

    from hub.camera.viewing.delivery import Delivery

RATE = 2_000_000


def after_losses(*fractions: float, choice: LayerChoice | None = None, begun_s: float = 0) -> LayerChoice:
    """Report these losses, one a second."""
    choice = choice or LayerChoice()
    for second, fraction in enumerate(fractions):
        choice.lost(fraction, begun_s + second)
    return choice


def test_a_path_that_keeps_losing_much_gets_the_low_layer_and_one_bad_second_does_not() -> None:
    assert after_losses(0.2, 0.2, 0.2, 0.2).low
    assert not after_losses(0, 0, 0, 0.3, 0, 0, 0).low


@pytest.mark.parametrize("every_s", [1.0, 0.15])
def test_three_percent_of_forty_packets_a_second_lost_at_random_keeps_the_main_layer(every_s: float) -> None:
    choice, random = LayerChoice(), Random(1)
    packets = int(40 * every_s)
    for count in range(3_000):
        choice.lost(sum(random.random() < 0.03 for _ in range(packets)) / packets, count * every_s)
        assert not choice.low


def test_a_report_of_few_packets_that_lost_half_of_them_keeps_the_main_layer() -> None:
    choice = LayerChoice()
    for count in range(100):
        choice.lost(0.5 if count % 30 == 29 else 0.0, count * 0.15)
        assert not choice.low


def test_an_estimate_that_stays_below_what_is_sent_gives_the_low_layer() -> None:
    choice = LayerChoice()
    for tick in range(20):
        choice.estimated(600_000, RATE, tick * 0.2)
    assert choice.low


def test_an_estimate_that_grows_towards_what_is_sent_keeps_the_main_layer() -> None:
    choice, estimate = LayerChoice(), 300_000.0
    for tick in range(300):
        estimate = min(1.5 * RATE, estimate * 1.015)
        choice.estimated(int(estimate), RATE, tick * 0.2)
        assert not choice.low


def clear(choice: LayerChoice, begun_s: int, seconds: int) -> int | None:
    """Report a good path; give the second in which the main layer was tried."""
    for second in range(begun_s, begun_s + seconds):
        choice.lost(0, second)
        if not choice.low:
            return second
    return None


def test_the_main_layer_is_tried_again_later_each_time_it_failed_and_soon_after_it_held() -> None:
    choice = after_losses(0.3, 0.3, 0.3)
    assert choice.low
    waits, second = [], 3
    for _ in range(6):
        up = clear(choice, second, 300)
        assert up is not None
        waits.append(up - second + 1)
        after_losses(0.3, 0.3, 0.3, choice=choice, begun_s=up + 1)
        assert choice.low
        second = up + 4
    assert waits == [10, 20, 40, 80, 160, 160]
    up = clear(choice, second, 300)
    assert up is not None
    assert clear(choice, up + 1, 1) is not None
    after_losses(0.3, 0.3, 0.3, choice=choice, begun_s=up + 200)
    assert choice.low
    assert clear(choice, up + 203, 20) is not None


@given(
    st.lists(
        st.tuples(
            st.booleans(), st.floats(0, 1), st.integers(0, 1 << 40), st.floats(0, 1e9), st.floats(0, 2)
        ),
        max_size=400,
    )
)
def test_whatever_a_browser_says_it_never_changes_more_often_than_the_hold_allows(
    said: list[tuple[bool, float, int, float, float]],
) -> None:
    choice, now_s, ups = LayerChoice(), 0.0, []
    for of_loss, fraction, estimate, sent, passed_s in said:
        now_s += passed_s
        low = choice.low
        if of_loss:
            choice.lost(fraction, now_s)
        else:
            choice.estimated(estimate, sent, now_s)
        if low and not choice.low:
            ups.append(now_s)
    assert all(after - before >= layers._HOLD_S for before, after in pairwise(ups))


# --- real peers ---------------------------------------------------------------------------------------


async def remb(peer: Peer, camera: Camera, bits_per_s: int) -> None:
    """Have a browser's estimate come from the peer."""
    receiver = peer.connection.getReceivers()[0]
    fci = pack_remb_fci(bits_per_s, [camera._feed.ssrc])
    packet = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci)
    await receiver.transport._send_rtp(bytes(packet))


def delivery_of(camera: Camera, viewer: str) -> Delivery:
    delivery = camera._viewers[viewer].delivery
    assert delivery is not None
    return delivery


async def width(peer: Peer, wanted: int) -> None:
    """Wait for a picture of this width."""
    async with asyncio.timeout(30):
        while (await peer.picture()).width != wanted:
            pass


@pytest.mark.slow
async def test_a_viewer_whose_path_is_narrow_gets_the_low_layer_and_the_other_misses_no_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layers, "_HOLD_S", 1.0)
    monkeypatch.setattr(layers, "_TIGHT_S", 0.3)
    async with running() as camera, Peer() as narrow, Peer() as other:
        narrow_id, other_id = await narrow.watch(camera), await other.watch(camera)
        await narrow.clock_ms()
        await other.clock_ms()
        assert camera.encoders == 1
        sent = stamps_every_picture(camera)
        seen: set[int] = set()

        async def look() -> None:
            while True:
                seen.add(await other.clock_ms())

        async def say(bits_per_s: int) -> None:
            while True:
                await remb(narrow, camera, bits_per_s)
                await asyncio.sleep(0.1)

        looking, saying = asyncio.create_task(look()), asyncio.create_task(say(1_000))
        await width(narrow, 160)
        assert (delivery_of(camera, narrow_id).low, delivery_of(camera, other_id).low) == (True, False)
        assert camera.encoders == 2
        assert await narrow.clock_ms() > 0
        saying.cancel()
        saying = asyncio.create_task(say(1 << 30))
        await width(narrow, 320)
        await until(lambda: camera.encoders == 1, timeout_s=20)
        await until(lambda: len(sent) >= 60, timeout_s=20)
        counted = sent[:50]
        await until(lambda: max(seen) >= counted[-1], timeout_s=20)
        looking.cancel()
        saying.cancel()
        assert set(counted) - seen == set()


@pytest.mark.slow
async def test_a_packet_of_the_layer_that_was_left_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "_TIGHT_S", 0.3)
    async with running() as camera, Peer() as peer:
        viewer = await peer.watch(camera)
        await peer.clock_ms()
        delivery = delivery_of(camera, viewer)
        main = delivery._broadcast.ring
        while not delivery.low:
            await remb(peer, camera, 1_000)
            await asyncio.sleep(0.1)
        former = delivery._former
        assert former is not None
        found = delivery._find((former.end - 1) & 0xFFFF)
        assert found is not None
        assert found == main.find((former.end - 1 - former.offset) & 0xFFFF)
        first = delivery._find(former.end)
        assert first is not None
        assert first[0].starts_keyframe


@pytest.mark.slow
async def test_a_source_that_codes_by_itself_has_a_low_layer_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(layers, "_TIGHT_S", 0.3)
    coded_file(tmp_path / "x.mp4", pictures=60)
    camera = Camera(config(f"file:{tmp_path}/x.mp4"), health=Health(), now_ms=now_ms)
    async with running_camera(camera), Peer() as peer:
        viewer = await peer.watch(camera)
        await peer.clock_ms()
        assert camera.encoders == 0
        while not delivery_of(camera, viewer).low:
            await remb(peer, camera, 1_000)
            await asyncio.sleep(0.1)
        await width(peer, 160)
        assert 1000 <= await peer.clock_ms() < 1060
        assert camera.encoders == 1


@pytest.mark.e2e
async def test_chromium_on_a_path_that_loses_a_quarter_is_given_the_low_layer_and_later_the_main_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layers, "_HOLD_S", 2.0)
    path = LossyPath(0.25, seed=5)
    async with running() as camera, Peer() as clean:
        await clean.watch(camera)
        await clean.clock_ms()
        path.lay(monkeypatch)
        async with page_on(camera) as page:
            await page.evaluate("watch()")
            await page.wait_for_function("v.videoWidth === 160", timeout=60_000)
            assert camera.encoders == 2
            assert (await clean.picture()).width == 320
            path.loss = 0
            await page.wait_for_function("v.videoWidth === 320", timeout=60_000)
        await until(lambda: camera.encoders == 1, timeout_s=20)
