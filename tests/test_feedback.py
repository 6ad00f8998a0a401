"""What browsers tell by RTCP is read as aiortc reads it, and nothing that they send can break its reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    pack_remb_fci,
    unpack_remb_fci,
)
from hypothesis import given
from hypothesis import strategies as st

from hub.camera.viewing.feedback import Feedback, hear

if TYPE_CHECKING:
    from collections.abc import Sequence

SSRC, OTHER = 0x11223344, 0x55667788
PLI = bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=SSRC))


class Ear(Feedback):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def keyframe_wanted(self) -> None:
        self.heard.append("keyframe")

    def packets_lost(self, sequences: Sequence[int]) -> None:
        self.heard.append(list(sequences))

    def reported(self, *, lost_fraction: float, last_report: int, delay: int) -> None:
        self.heard.append((lost_fraction, last_report, delay))

    def bitrate_estimated(self, bits_per_s: int) -> None:
        self.heard.append(bits_per_s)


def heard(compound: bytes) -> list[object]:
    ear = Ear()
    hear(compound, SSRC, ear)
    return ear.heard


def report(ssrc: int, lost: int = 64, lsr: int = 7, dlsr: int = 9) -> RtcpReceiverInfo:
    return RtcpReceiverInfo(
        ssrc=ssrc, fraction_lost=lost, packets_lost=3, highest_sequence=4, jitter=5, lsr=lsr, dlsr=dlsr
    )


@given(
    lost=st.integers(0, 255),
    lsr=st.integers(0, 2**32 - 1),
    dlsr=st.integers(0, 2**32 - 1),
    before=st.booleans(),
)
def test_the_block_about_the_stream_is_found_among_others(
    lost: int, lsr: int, dlsr: int, *, before: bool
) -> None:
    blocks = [report(OTHER)] * before + [report(SSRC, lost, lsr, dlsr), report(OTHER)]
    assert heard(bytes(RtcpRrPacket(ssrc=1, reports=blocks))) == [(lost / 256, lsr, dlsr)]


def test_a_sender_report_brings_reports_too() -> None:
    info = RtcpSenderInfo(ntp_timestamp=1, rtp_timestamp=2, packet_count=3, octet_count=4)
    assert heard(bytes(RtcpSrPacket(ssrc=1, sender_info=info, reports=[report(SSRC)]))) == [(0.25, 7, 9)]


@given(lost=st.sets(st.integers(0, 65_535), min_size=1, max_size=60))
def test_a_nack_names_every_packet_that_was_lost(lost: set[int]) -> None:
    packet = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=SSRC, lost=sorted(lost))
    assert heard(bytes(packet)) == [RtcpRtpfbPacket.parse(bytes(packet)[4:], RTCP_RTPFB_NACK).lost]
    assert {number for numbers in heard(bytes(packet)) for number in numbers} == lost  # type: ignore[attr-defined]  # lists


def test_a_pli_asks_for_a_keyframe() -> None:
    assert heard(PLI) == ["keyframe"]


def test_a_fir_asks_for_a_keyframe_of_the_streams_in_its_entries() -> None:
    def fir(*ssrcs: int) -> bytes:
        entries = b"".join(ssrc.to_bytes(4, "big") + bytes(4) for ssrc in ssrcs)
        return bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_FIR, ssrc=1, media_ssrc=0, fci=entries))

    assert heard(fir(OTHER, SSRC)) == ["keyframe"]
    assert heard(fir(OTHER)) == []


def estimate(bits_per_s: int, ssrcs: list[int]) -> bytes:
    fci = pack_remb_fci(bits_per_s, ssrcs)
    return bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci))


@given(bits_per_s=st.integers(0, 2**40))
def test_an_estimate_is_read_to_its_18_bits(bits_per_s: int) -> None:
    assert heard(estimate(bits_per_s, [OTHER, SSRC])) == [unpack_remb_fci(pack_remb_fci(bits_per_s, []))[0]]


def test_what_else_an_application_says_is_not_an_estimate() -> None:
    assert heard(estimate(1_000, [SSRC]).replace(b"REMB", b"BMER")) == []


def test_what_is_about_another_stream_is_not_heard() -> None:
    others = (
        bytes(RtcpRrPacket(ssrc=1, reports=[report(OTHER)]))
        + bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=OTHER))
        + bytes(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=OTHER, lost=[5]))
        + estimate(1_000, [OTHER])
    )
    assert heard(others) == []


def test_packets_sent_together_are_all_heard() -> None:
    goodbye = RtcpByePacket(sources=[1])
    assert heard(bytes(RtcpRrPacket(ssrc=1, reports=[report(SSRC)])) + bytes(goodbye) + PLI) == [
        (0.25, 7, 9),
        "keyframe",
    ]


def test_padding_is_not_taken_for_lost_packets() -> None:
    nack = bytes(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=SSRC, lost=[300]))
    padded = bytes((nack[0] | 0x20, nack[1], 0, nack[3] + 1)) + nack[4:] + b"\0\0\0\4"
    assert heard(padded) == [[300]]


def test_what_follows_a_broken_packet_is_not_heard() -> None:
    assert heard(PLI + b"\x01" + PLI[1:] + PLI) == ["keyframe"]
    assert heard(PLI[:-1]) == []
    assert heard(bytes((PLI[0] | 0x20,)) + PLI[1:-1] + b"\xff") == []


KINDS = st.sampled_from([200, 201, 202, 205, 206])


@given(st.lists(st.tuples(st.integers(0, 63), KINDS, st.integers(0, 12), st.binary(max_size=48)), max_size=4))
def test_nothing_that_is_sent_breaks_the_reader(packets: list[tuple[int, int, int, bytes]]) -> None:
    compound = b"".join(
        bytes((0x80 | low, kind, 0, words)) + SSRC.to_bytes(4, "big") * 2 + body
        for low, kind, words, body in packets
    )
    for told in heard(compound):
        assert told is not None
