"""A picture whose slices came in several packets is one access unit again, and no other is held up for it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.camera.sources import planes, stamp
from hub.camera.sources.access_units import LIMIT_BYTES, START, Assembly, Part, _unsigned, in_order
from hub.camera.viewing.rtp import nal_units
from tests.coded_video import coded, coded_file

if TYPE_CHECKING:
    from pathlib import Path

SPS, PPS, SEI, DELIMITER = b"\x67\x42\x00\x1e", b"\x68\xce", b"\x06\x05\x01\x80", b"\x09\xf0"
SETS = START + SPS + START + PPS


def exp_golomb(number: int) -> bytes:
    """Write a number as 9.1 says, from a byte's edge on, with the escapes of 7.4.1."""
    code = number + 1
    length = 2 * code.bit_length() - 1
    raw = (code << -length % 8 | (1 << -length % 8) - 1).to_bytes((length + 7) // 8, "big")
    return raw.replace(b"\x00\x00", b"\x00\x00\x03")


def a_slice(first_mb: int, *, idr: bool, tag: int = 1) -> bytes:
    return bytes((0x65 if idr else 0x41,)) + exp_golomb(first_mb) + bytes((0xAA, tag & 0x7F | 0x80))


@st.composite
def streams(draw: st.DrawFn) -> list[list[bytes]]:
    """Pictures as lists of slices, of a sender that cuts its keyframes, or the others, always or never."""
    cut = {True: draw(st.booleans()), False: draw(st.booleans())}
    pictures = []
    for tag in range(draw(st.integers(1, 12))):
        idr = tag == 0 or draw(st.booleans())
        firsts = draw(st.sets(st.integers(1, 140_000), min_size=1, max_size=4)) if cut[idr] else set()
        pictures.append([a_slice(first, idr=idr, tag=tag) for first in (0, *sorted(firsts))])
    return pictures


def slices(data: bytes) -> list[bytes]:
    return [unit for unit in nal_units(data) if unit[0] & 0x1F in (1, 5)]


@given(streams(), st.booleans())
def test_pictures_come_out_as_they_were_however_they_were_cut(
    pictures: list[list[bytes]], timed: bool
) -> None:
    assembly, out = Assembly(), []
    for index, picture in enumerate(pictures):
        for place, unit in enumerate(picture):
            stream_s = index / 30 if timed or not place else None
            head = SETS if unit[0] & 0x1F == 5 else b""
            out += assembly.put(Part(head + START + unit, stream_s, index))
    out += assembly.end()
    assert [slices(part.data) for part in out] == pictures
    assert [part.time_ms for part in out] == list(range(len(pictures)))
    for part in out:
        kinds = [unit[0] & 0x1F for unit in nal_units(part.data)]
        assert kinds.count(7) == kinds.count(8) == part.idr
        assert not part.idr or kinds[:2] == [7, 8]


@given(st.lists(st.tuples(st.binary(max_size=40), st.none() | st.floats(0, 9)), max_size=20))
def test_no_bytes_break_the_assembly_and_none_get_lost(packets: list[tuple[bytes, float | None]]) -> None:
    assembly, out = Assembly(), []
    for data, stream_s in packets:
        out += assembly.put(Part(START + b"\x41" + data + b"\x80", stream_s, 0))
    out += assembly.end()
    came = [unit for data, _ in packets for unit in slices(START + b"\x41" + data + b"\x80")]
    assert [unit for part in out for unit in slices(part.data)] == came


@given(st.integers(0, 1 << 20))
def test_a_slices_first_macroblock_is_read_through_escapes(number: int) -> None:
    assert _unsigned(exp_golomb(number) + b"\xff") == number


@given(st.binary(max_size=12))
def test_a_number_that_is_cut_off_is_none(data: bytes) -> None:
    assert _unsigned(data) >= 0


def test_whole_pictures_wait_for_nobody_after_the_first_of_their_kind() -> None:
    assembly = Assembly()
    waits = [
        len(assembly.put(Part(START + a_slice(0, idr=index % 3 == 0), index / 30, 0))) for index in range(9)
    ]
    assert waits == [0, 1, 2, 1, 1, 1, 1, 1, 1]


def test_a_stream_that_begins_to_cut_is_joined_from_its_next_picture_on() -> None:
    assembly = Assembly()
    parts = [(0, 0.0), (0, 0.1), (0, 0.2), (40, 0.2), (0, 0.3), (40, 0.3), (0, 0.4)]
    out = [
        [len(slices(whole.data)) for whole in assembly.put(Part(START + a_slice(mb, idr=True), at_s, 0))]
        for mb, at_s in parts
    ]
    assert out == [[], [1, 1], [1], [], [1], [], [2]]


def test_a_part_of_another_time_or_kind_is_another_picture() -> None:
    for later in (
        Part(START + a_slice(40, idr=True), 0.1, 0),
        Part(START + a_slice(40, idr=False), 0.0, 0),
        Part(START + a_slice(0, idr=True), 0.0, 0),
    ):
        assembly = Assembly()
        assert assembly.put(Part(START + a_slice(0, idr=True), 0.0, 0)) == []
        assert len([*assembly.put(later), *assembly.end()]) == 2


def test_a_picture_without_an_end_is_cut_off() -> None:
    assembly, out = Assembly(), []
    for first in range(1, 40):
        out += assembly.put(Part(START + a_slice(first, idr=True) + bytes(LIMIT_BYTES // 8), None, 0))
    assert out
    assert max(len(part.data) for part in out) < LIMIT_BYTES * 5 // 4


def test_units_are_put_in_the_order_of_an_access_unit() -> None:
    first, second = a_slice(0, idr=True), a_slice(9, idr=True)
    units = [DELIMITER, SPS, PPS, first, DELIMITER, SEI, SPS, PPS, second]
    assert nal_units(in_order(units)) == [SPS, PPS, SEI, first, second]


@pytest.mark.parametrize("options", ["slices=4", "sliced-threads=1:threads=3:aud=1"])
def test_x264s_slices_decode_to_every_picture_again(tmp_path: Path, options: str) -> None:
    coded_file(tmp_path / "x.h264", x264=options)
    assembly, whole = Assembly(), []
    sets: list[bytes] = []
    with av.open(str(tmp_path / "x.h264")) as container:
        packets = [nal_units(bytes(packet)) for packet in container.demux(video=0) if packet.size]
    assert max(len(units) for units in packets) >= 3
    for number, units in enumerate(packets):
        sets = [unit for unit in units if unit[0] & 0x1F in (7, 8)] or sets
        for unit in units:
            if unit[0] & 0x1F in (1, 5):
                head = sets if unit[0] & 0x1F == 5 else []
                data = b"".join(START + one for one in (*head, unit))
                whole += assembly.put(Part(data, number / 30, 0))
    whole += assembly.end()
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    frames = [frame for part in whole for frame in decoder.decode(av.Packet(part.data))]
    frames += decoder.decode(None)
    assert len(whole) == len(packets)
    assert [stamp.read(planes.views(frame)[0]) for frame in frames] == list(range(1_000, 1_030))


def test_a_stream_of_one_slice_a_picture_is_passed_on_byte_by_byte() -> None:
    assembly, out = Assembly(), []
    units = coded(12, force=[0, 6])
    for unit in units:
        out += assembly.put(Part(unit.data, unit.pts / 90_000, unit.time_ms))
    out += assembly.end()
    assert [part.data for part in out] == [unit.data for unit in units]
    assert [part.idr for part in out] == [unit.keyframe for unit in units]
    assert all(after.time_ms > before.time_ms for before, after in pairwise(out))
