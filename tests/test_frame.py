"""Frames among console output: whatever the split or damage, the intact come out and nothing raises."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.wire.frame import MAX_FRAME, MAX_PAYLOAD, Decoder, FrameTooLong, encode

payloads = st.binary(min_size=1, max_size=MAX_PAYLOAD).map(lambda data: bytes(32 + b % 95 for b in data))
prints = st.text(max_size=300).map(lambda text: text.replace("\x1e", "").encode() + b"\n")


def decode(data: bytes, cuts: list[int]) -> tuple[list[bytes], bytes, int, int]:
    decoder = Decoder()
    got: list[bytes] = []
    console = b""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(places):
        got += decoder.feed(data[start:end])
        console += decoder.take_console()
    return got, console, decoder.crc_errors, decoder.resyncs


@given(st.lists(st.one_of(payloads.map(encode), st.binary(max_size=400))), st.lists(st.integers(0, 5000)))
def test_any_split_gives_the_same(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(parts)
    assert decode(data, cuts) == decode(data, [])


@given(st.lists(st.one_of(payloads, prints)))
def test_frames_among_prints_all_come_out_and_the_prints_are_console(parts: list[bytes]) -> None:
    data = b"".join(part if part.endswith(b"\n") else encode(part) for part in parts)
    got, console, crc_errors, resyncs = decode(data, [])
    assert got == [part for part in parts if not part.endswith(b"\n")]
    assert console == b"".join(part for part in parts if part.endswith(b"\n"))
    assert (crc_errors, resyncs) == (0, 0)


@given(st.binary(max_size=2000), payloads)
def test_it_finds_the_next_frame_after_any_garbage(garbage: bytes, payload: bytes) -> None:
    assert decode(garbage + encode(payload), [])[0][-1] == payload


@given(payloads, st.integers(0), st.integers(1, 255))
def test_no_damaged_byte_passes_as_another_payload(payload: bytes, at: int, flip: int) -> None:
    frame = bytearray(encode(payload))
    frame[at % len(frame)] ^= flip
    assert decode(bytes(frame), [])[0] in ([], [payload])


@given(st.binary(max_size=3000))
def test_it_holds_no_more_than_a_frame(garbage: bytes) -> None:
    decoder = Decoder(keep_console=False)
    for start in range(0, len(garbage), 50):
        decoder.feed(garbage[start : start + 50])
    assert len(decoder._rest) < MAX_FRAME
    assert decoder.take_console() == b""


def test_the_longest_payload_fits_a_frame_and_one_more_byte_is_refused() -> None:
    assert len(encode(b"x" * MAX_PAYLOAD)) == MAX_FRAME
    with pytest.raises(FrameTooLong, match="230 bytes is over 229"):
        encode(b"x" * (MAX_PAYLOAD + 1))
