"""Pictures cut into RTP payloads come back whole by another's depacketizer, and fit where they must."""

from __future__ import annotations

import struct

from aiortc.codecs.h264 import h264_depayload
from aiortc.codecs.vpx import vp8_depayload
from hypothesis import given
from hypothesis import strategies as st

from hub.camera.media import Codec
from hub.camera.viewing.burst import HEADER_BYTES, Burst, Lane, Ring, bursts
from hub.camera.viewing.rtp import PAYLOAD_BYTES, Vp8Packetizer, h264_payloads, nal_units, packetizer

START = b"\x00\x00\x00\x01"


def nal(kind: int, size: int) -> bytes:
    """A unit of a kind and a length, with no start code and no zero at its end."""
    return bytes((0x60 | kind,)) + bytes(1 + index % 255 for index in range(size - 1))


units = st.lists(
    st.builds(nal, st.sampled_from([1, 5, 6, 7, 8]), st.integers(2, 6_000)), min_size=1, max_size=8
)


@given(units)
def test_an_access_unit_comes_back_whole_and_in_order(given_units: list[bytes]) -> None:
    payloads = h264_payloads(b"".join(START + unit for unit in given_units))
    assert all(len(payload) <= PAYLOAD_BYTES for payload in payloads)
    assert nal_units(b"".join(map(h264_depayload, payloads))) == given_units


@given(st.binary(max_size=5_000))
def test_any_bytes_are_cut_without_an_error(data: bytes) -> None:
    assert all(0 < len(payload) <= PAYLOAD_BYTES for payload in h264_payloads(data))


@given(st.binary(min_size=1, max_size=5_000))
def test_a_vp8_frame_comes_back_whole(frame: bytes) -> None:
    payloads = Vp8Packetizer()(frame)
    assert all(len(payload) <= PAYLOAD_BYTES for payload in payloads)
    assert b"".join(map(vp8_depayload, payloads)) == frame


def test_vp8_pictures_are_numbered_and_their_first_packet_is_marked() -> None:
    cut = packetizer(Codec.VP8)
    first, second = cut(bytes(2_000)), cut(bytes(10))
    assert [payload[:4].hex() for payload in (*first, *second)] == ["90808000", "80808000", "90808001"]


def test_parameter_sets_travel_in_one_packet_and_delimiters_not_at_all() -> None:
    sps, pps, idr = nal(7, 20), nal(8, 6), nal(5, 100)
    payloads = h264_payloads(b"".join(START + unit for unit in (nal(9, 2), sps, pps, idr)))
    assert [payload[0] & 0x1F for payload in payloads] == [24, 5]
    assert payloads[0][1:] == b"\x00\x14" + sps + b"\x00\x06" + pps


def made(payloads: list[bytes], *, sequence: int = 65_534, limit: int = 12) -> list[Burst]:
    return bursts(payloads, sequence=sequence, timestamp=7, ssrc=9, keyframe=True, limit=limit)


@given(st.lists(st.sampled_from([bytes(PAYLOAD_BYTES), b"short"]), min_size=1, max_size=60))
def test_within_a_burst_all_packets_but_the_last_are_full_so_that_the_kernel_can_cut_it(
    payloads: list[bytes],
) -> None:
    groups = made(payloads)
    assert [payload for burst in groups for payload in burst.payloads] == payloads
    for burst in groups:
        assert 1 <= len(burst.payloads) <= 12
        assert all(len(payload) == PAYLOAD_BYTES for payload in burst.payloads[:-1])
    assert [burst.starts_keyframe for burst in groups] == [True] + [False] * (len(groups) - 1)
    assert [burst.ends_picture for burst in groups] == [False] * (len(groups) - 1) + [True]


def test_headers_count_on_through_the_wrap_and_mark_the_pictures_last_packet() -> None:
    (burst,) = made([bytes(PAYLOAD_BYTES), bytes(PAYLOAD_BYTES), b"end"])
    data, segment, packets, last = burst.layout(Lane(96, 0, 16))
    heads = [struct.unpack_from("!BBHII", data, index * segment) for index in range(3)]
    assert heads == [(0x80, 96, 65_534, 7, 9), (0x80, 96, 65_535, 7, 9), (0x80, 96 | 0x80, 0, 7, 9)]
    assert (segment, packets, last) == (HEADER_BYTES + PAYLOAD_BYTES + 16, 3, HEADER_BYTES + 3)
    assert len(data) == 2 * segment + last + 16
    assert burst.octets == 2 * PAYLOAD_BYTES + 3


def test_viewers_on_one_lane_share_one_copy_and_another_lane_differs_in_type_and_number() -> None:
    (burst,) = made([b"x"], sequence=100)
    lane = Lane(96, 0, 10)
    assert burst.layout(lane) is burst.layout(Lane(96, 0, 10))
    head = struct.unpack_from("!BBHII", burst.layout(Lane(102, 0x8000, 16)).data)
    assert head == (0x80, 102 | 0x80, 0x8000 + 100, 7, 9)


def test_the_ring_finds_late_packets_and_not_those_that_are_too_old() -> None:
    ring = Ring(size=4)
    for burst in made([bytes(PAYLOAD_BYTES)] * 3 + [b"last"], limit=2):
        ring.keep(burst)
    found = ring.find(1)
    assert found is not None
    assert found[0].payloads[found[1]] == b"last"
    for burst in made([b"new"], sequence=2):
        ring.keep(burst)
    assert ring.find(65_534) is None
    assert ring.find(50) is None


def test_the_ring_holds_few_bursts_beyond_its_size_though_none_is_asked_for() -> None:
    ring = Ring(size=8)
    for number in range(100):
        for burst in made([b"x"], sequence=number):
            ring.keep(burst)
    assert len(ring._new) < 40
    assert ring.find(99) is not None
    assert [number for number in range(100) if ring.find(number)] == list(range(92, 100))
