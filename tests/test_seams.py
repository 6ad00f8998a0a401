"""What is leaned on in aiortc, aioice and pylibsrtp beyond their promises: a new version fails here first.

Each test runs a real peer. Where one fails after an update, hub/camera/viewing/seams.py is the place to mend;
until then viewers are fed through aiortc's own sender, which the last tests hold.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from aiortc.rtp import RtcpRtpfbPacket, RtcpSrPacket

from hub.camera.errors import SeamBroken
from hub.camera.media import RTP_CLOCK_HZ, AccessUnit, Codec
from hub.camera.viewing import seams
from hub.camera.viewing.broadcast import ntp_time
from hub.camera.viewing.seams import Connected
from hub.camera.viewing.srtp import EncryptionFailed
from tests.camera_peer import Peer
from tests.coded_video import coded
from tests.fakes import until
from tests.viewer_scene import RTX_SSRC, SSRC, Scene, scene

if TYPE_CHECKING:
    from hub.camera.viewing.delivery import Delivery


def publish(s: Scene, count: int = 12) -> list[AccessUnit]:
    """Send some pictures, stamped by the machine's clock as the capture does."""
    began = int(time.monotonic() * RTP_CLOCK_HZ)
    units = [
        AccessUnit(data=unit.data, pts=began + unit.pts, keyframe=unit.keyframe, time_ms=unit.time_ms)
        for unit in coded(count)
    ]
    for unit in units:
        s.fanout.publish(unit)
    return units


def delivery_of(s: Scene) -> Delivery:
    assert s.viewer.delivery is not None, "packets go through aiortc: a seam is broken, see the log"
    return s.viewer.delivery


async def test_a_connected_viewer_is_sent_to_past_aiortc_and_decodes() -> None:
    async with scene() as s, Peer() as peer:
        answer = await s.connect(peer)
        publish(s)
        assert await peer.clock_ms() >= 1_000
        delivery = delivery_of(s)
        assert (delivery.packets >= 12, delivery.octets > 1_000, delivery.dropped) == (True, True, 0)
        assert f"a=ssrc:{SSRC} " in answer
        assert f"a=ssrc-group:FID {SSRC} {RTX_SSRC}" in answer


async def test_aiortcs_own_sender_is_kept_alive_and_sends_no_media() -> None:
    async with scene() as s, Peer() as peer:
        await s.connect(peer)
        publish(s)
        await peer.clock_ms()
        sender = s.viewer._peer.getSenders()[0]
        stats = await sender.getStats()
        assert stats[f"outbound-rtp_{id(sender)}"].packetsSent == 0
        assert sender.transport.state == "connected"


@pytest.mark.slow
async def test_sender_reports_put_one_moment_on_both_clocks_and_count_what_was_sent() -> None:
    reports: asyncio.Queue[RtcpSrPacket] = asyncio.Queue()
    async with scene() as s, Peer() as peer:
        receiver = peer.connection.getReceivers()[0]
        take = receiver._handle_rtcp_packet

        async def tap(packet: Any) -> None:
            if isinstance(packet, RtcpSrPacket):
                reports.put_nowait(packet)
            await take(packet)

        receiver._handle_rtcp_packet = tap  # type: ignore[method-assign]  # an ear in the peer
        await s.connect(peer)
        units = publish(s)
        sent_ntp, sent_s = ntp_time(time.time()), time.monotonic()
        async with asyncio.timeout(10):
            report = await reports.get()
        info, delivery = report.sender_info, delivery_of(s)
        assert report.ssrc == SSRC
        assert (info.packet_count, info.octet_count) == (delivery.packets, delivery.octets)
        passed_s = (info.ntp_timestamp - sent_ntp) / (1 << 32)
        assert 0 <= passed_s < 10
        rtp_at_sending = s.channels[Codec.H264].broadcast.rtp_time(sent_s)
        passed_ticks = (info.rtp_timestamp - rtp_at_sending) & 0xFFFFFFFF
        assert passed_ticks / RTP_CLOCK_HZ == pytest.approx(passed_s, abs=0.05)
        assert abs(sent_s * RTP_CLOCK_HZ - units[0].pts) < 10 * RTP_CLOCK_HZ


async def nack(peer: Peer, lost: list[int]) -> None:
    receiver = peer.connection.getReceivers()[0]
    packet = RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=SSRC, lost=lost)
    await receiver.transport._send_rtp(bytes(packet))


async def test_a_lost_packet_that_is_asked_for_comes_again_by_rtx() -> None:
    async with scene() as s, Peer() as peer:
        await s.connect(peer)
        publish(s)
        await peer.clock_ms()
        delivery = delivery_of(s)
        transport = peer.connection.getReceivers()[0].transport
        seen: list[tuple[int, int]] = []
        handle = transport._handle_rtp_data

        async def tap(data: bytes, arrival_time_ms: int) -> None:
            seen.append((int.from_bytes(data[8:12], "big"), int.from_bytes(data[12:14], "big")))
            await handle(data, arrival_time_ms=arrival_time_ms)

        transport._handle_rtp_data = tap  # type: ignore[method-assign]  # an ear in the peer
        last = (s.channels[Codec.H264].broadcast._sequence - 1 + delivery.lane.offset) & 0xFFFF
        await nack(peer, [last, (last + 5_000) & 0xFFFF])
        await until(lambda: (RTX_SSRC, last) in seen)
        assert delivery.resent == 1


async def test_what_nobody_with_the_key_has_sent_is_not_heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="hub.camera.viewing.seams")
    async with scene() as s, Peer() as peer:
        await s.connect(peer)
        publish(s)
        await peer.clock_ms()
        last = (s.channels[Codec.H264].broadcast._sequence - 1 + delivery_of(s).lane.offset) & 0xFFFF
        plain = bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=SSRC, lost=[last]))
        ice = peer.connection.getReceivers()[0].transport.transport
        for forged in (plain, plain + bytes(18), plain + bytes(2_000)):
            await ice._send(forged)
        await nack(peer, [last])
        await until(lambda: delivery_of(s).resent > 0)
        assert delivery_of(s).resent == 1
        assert caplog.text.count("RTCP is left out") == 3


async def test_a_viewer_who_asks_for_everything_again_and_again_gets_a_bounded_share() -> None:
    async with scene() as s, Peer() as peer:
        await s.connect(peer)
        publish(s)
        await peer.clock_ms()
        delivery = delivery_of(s)
        last = (s.channels[Codec.H264].broadcast._sequence - 1 + delivery.lane.offset) & 0xFFFF
        delivery.packets_lost([last] * 5_000)
        assert 100 < delivery.resent <= 300


async def test_the_peers_reports_tell_the_round_trip() -> None:
    async with scene() as s, Peer() as peer:
        await s.connect(peer)
        delivery = delivery_of(s)
        now_middle = ntp_time(time.time()) >> 16 & 0xFFFFFFFF
        delivery.reported(
            lost_fraction=0.25, last_report=now_middle - 6_554 - 3_277 & 0xFFFFFFFF, delay=3_277
        )
        assert delivery.lost_fraction == 0.25
        assert delivery.round_trip_s == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize(
    "path",
    [
        "transport._tx_srtp._srtp",
        "transport._rx_srtp",
        "transport._ssl",
        "transport.transport._connection",
        "transport.transport._connection.data_received",
        "_send_rtcp",
    ],
)
async def test_a_missing_seam_is_named(path: str) -> None:
    async with scene() as s, Peer() as peer:
        await s.connect(peer)
        sender = s.viewer._peer.getSenders()[0]
        owner, _, name = path.rpartition(".")

        class Without:
            """The real thing without the seam."""

            def __init__(self, thing: object, at: str) -> None:
                self._thing, self._at = thing, at

            def __getattr__(self, asked: str) -> Any:
                if not self._at and asked == name:
                    raise AttributeError(asked)
                head, _, rest = self._at.partition(".")
                found = getattr(self._thing, asked)
                return Without(found, rest) if asked == head else found

        with pytest.raises(SeamBroken, match=name):
            Connected(Without(sender, owner))  # type: ignore[arg-type]  # it stands for a sender


async def test_without_the_seams_aiortc_sends_itself_and_the_next_viewer_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise SeamBroken("aiortc has changed")

    monkeypatch.setattr(seams.Connected, "__init__", broken)
    async with scene() as s, Peer() as peer:
        await s.connect(peer)
        publish(s)
        assert await peer.clock_ms() >= 1_000
        assert s.viewer.delivery is None
        assert not s.channels[Codec.H264].direct


@pytest.mark.parametrize("library", ["pylibsrtp._binding", "aiortc.rtp", "aioice.turn"])
async def test_where_a_library_has_lost_a_module_aiortc_sends_itself(
    monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    async with scene() as s, Peer() as peer:
        for room in ("delivery", "srtp", "feedback"):
            monkeypatch.delitem(sys.modules, f"hub.camera.viewing.{room}", raising=False)
        monkeypatch.setitem(sys.modules, library, None)
        await s.connect(peer)
        publish(s)
        assert await peer.clock_ms() >= 1_000
        assert s.viewer.delivery is None


async def test_where_streams_cannot_be_named_aiortc_sends_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise SeamBroken("aiortc has changed")

    monkeypatch.setattr("hub.camera.viewing.viewer.name_streams", broken)
    async with scene() as s, Peer() as peer:
        await s.connect(peer)
        publish(s)
        assert await peer.clock_ms() >= 1_000
        assert s.viewer.delivery is None


async def test_a_viewer_whose_sending_breaks_is_gone_and_the_next_is_sent_to_through_aiortc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with scene() as s, Peer() as peer:
        await s.connect(peer)

        def broken(*_: object) -> None:
            raise SeamBroken("aioice has changed")

        monkeypatch.setattr(seams.Connected, "pair", broken)
        publish(s)
        assert s.gone == [s.viewer]
        assert not s.channels[Codec.H264].direct


async def test_a_viewer_whose_resending_breaks_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene() as s, Peer() as peer:
        await s.connect(peer)
        publish(s)
        await peer.clock_ms()
        last = (s.channels[Codec.H264].broadcast._sequence - 1 + delivery_of(s).lane.offset) & 0xFFFF

        def refused(*_: object) -> None:
            raise EncryptionFailed("the key is used up")

        monkeypatch.setattr(delivery_of(s)._workbench, "seal", refused)
        await nack(peer, [last])
        await until(lambda: s.gone == [s.viewer])


@pytest.mark.slow
async def test_later_sender_reports_are_rare_and_hold_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.camera.viewing.broadcast._REPORT_S", 120.0)
    async with scene() as s, Peer() as peer:
        await s.connect(peer)
        delivery = delivery_of(s)
        delivery._reports = 3
        await until(lambda: delivery._reports == 4)  # the last of the early ones
        await asyncio.sleep(2)  # aiortc's next, which waits now
        assert delivery._reports == 4
        async with asyncio.timeout(4):
            await s.viewer.close()
