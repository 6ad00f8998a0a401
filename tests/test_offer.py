"""Offers and trickle fragments: browsers' are taken, garbage gets an error that says what to change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.camera.errors import BadOffer
from hub.camera.viewing.offer import check_offer, completed, parse_fragment

HEAD = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=fingerprint:sha-256 AB:CD"]
VIDEO = ["m=video 9 UDP/TLS/RTP/SAVPF 102", "a=mid:0", "a=recvonly", "a=ice-ufrag:abcd", "a=rtcp-mux"]
HOST = "a=candidate:1 1 udp 2122260223 192.0.2.7 54321 typ host generation 0"
MDNS = "a=candidate:1 1 udp 2122260223 0b7c9c6e-1d3c-4b0c-8e0f-000000000000.local 54321 typ host"
TCP = "a=candidate:2 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active"
IPV6 = "a=candidate:3 1 UDP 2122260223 fd00::2 54321 typ srflx raddr :: rport 0"


def sdp(*lines: str) -> str:
    return "\r\n".join(lines) + "\r\n"


def test_a_browsers_offer_is_taken_as_it_is() -> None:
    text = sdp(*HEAD, *VIDEO, HOST, IPV6, "a=end-of-candidates")
    offer = check_offer(text)
    assert (offer.sdp, offer.hidden_candidates) == (text, False)


def test_names_in_candidates_are_dropped_and_the_end_with_them() -> None:
    offer = check_offer(sdp(*HEAD, *VIDEO, MDNS, HOST, "a=end-of-candidates"))
    assert offer.hidden_candidates
    assert offer.sdp == sdp(*HEAD, *VIDEO, HOST)


def test_tcp_candidates_are_dropped() -> None:
    assert check_offer(sdp(*HEAD, *VIDEO, TCP, HOST)).sdp == sdp(*HEAD, *VIDEO, HOST)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no SDP"),
        ("hello", "no SDP"),
        ('{"sdp": "v=0"}', "no SDP"),
        (sdp(*HEAD), "0 media sections"),
        (sdp(*HEAD, *VIDEO * 9), "9 media sections"),
        (sdp(*HEAD, "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=recvonly"), "asks for no video"),
        (sdp(*HEAD, "m=video 9 UDP/TLS/RTP/SAVPF 102", "a=sendonly"), "asks for no video"),
        (sdp(*HEAD, "m=video 9 UDP/TLS/RTP/SAVPF 102", "a=inactive"), "asks for no video"),
        (sdp(*HEAD, "a=sendonly", "m=video 9 UDP/TLS/RTP/SAVPF 102"), "asks for no video"),
        (sdp(*HEAD, *VIDEO, "m=text 9 RTP/AVP 98"), "kind 'text'"),
        (sdp(*HEAD[:4], *VIDEO), "a=fingerprint"),
        (sdp(*HEAD, *VIDEO, "a=candidate:nonsense"), "not an ICE candidate"),
        (sdp(*HEAD, *VIDEO, HOST.replace("54321", "99999")), "not an ICE candidate"),
        (sdp(*HEAD, *VIDEO, *[HOST] * 65), "more than 64 candidates"),
        ("v=0\r\n" + "a=x\r\n" * 20_000, "at most 65536"),
    ],
)
def test_a_bad_offer_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(BadOffer, match=reason):
        check_offer(text)


@given(
    st.text()
    | st.lists(st.sampled_from([*HEAD, *VIDEO, HOST, MDNS, "a=candidate:", "m=", "m=video"])).map("\n".join)
)
def test_no_text_makes_the_check_fall_over(text: str) -> None:
    try:
        offer = check_offer(text)
    except BadOffer as error:
        assert str(error)
    else:
        assert ".local" not in offer.sdp


def test_a_fragment_gives_its_candidates_with_their_section() -> None:
    found = parse_fragment(
        sdp(
            "a=ice-ufrag:abcd", "a=ice-pwd:xyz", "m=video 9 RTP/AVP 0", "a=mid:v", HOST, "a=end-of-candidates"
        )
    )
    assert [(item.mid, item.text) for item in found.candidates] == [("v", HOST.removeprefix("a=candidate:"))]
    assert (found.ufrag, found.complete, found.hidden_candidates) == ("abcd", True, False)


def test_a_fragment_with_nothing_but_a_name_is_fine_and_empty() -> None:
    found = parse_fragment(sdp("a=mid:0", MDNS))
    assert (found.candidates, found.hidden_candidates) == ((), True)


@pytest.mark.parametrize(("more", "told"), [((), 0), (("a=rtcp-mux-only",), 2)])
def test_the_answer_muxes_alone_where_that_was_offered(more: tuple[str, ...], told: int) -> None:
    answer = sdp("v=0", "s=-", "m=video 9 X 1", "a=rtcp-mux", "m=audio 0 X 2", "a=rtcp-mux", "a=mid:1")
    assert completed(answer, sdp(*HEAD, *VIDEO, *more)).split("\r\n").count("a=rtcp-mux-only") == told


@pytest.mark.parametrize("text", ["", "hello", "a=candidate:x", sdp(*[HOST] * 65), "a" * 20_000])
def test_a_bad_fragment_is_refused(text: str) -> None:
    with pytest.raises(BadOffer):
        parse_fragment(text)


@given(st.text())
def test_no_text_makes_the_fragments_parser_fall_over(text: str) -> None:
    try:
        parse_fragment(text)
    except BadOffer as error:
        assert str(error)
