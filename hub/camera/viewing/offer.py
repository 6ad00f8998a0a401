"""SDP from browsers, looked at before aiortc sees it. Pure text; nothing in it is trusted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.camera.errors import BadOffer
from hub.camera.media import Codec

if TYPE_CHECKING:
    from collections.abc import Iterator

_OFFER_LIMIT = 65_536
_FRAGMENT_LIMIT = 16_384
_SECTION_LIMIT = 8
_CANDIDATE_LIMIT = 64
_KINDS = ("audio", "video", "application")
_CANDIDATE = re.compile(
    r"candidate:(?P<foundation>[\w+/]{1,32}) (?P<component>\d{1,3}) (?P<transport>\w{1,8}) "
    r"(?P<priority>\d{1,10}) "
    r"(?P<address>[\w.:%-]{1,255}) (?P<port>\d{1,5}) typ (?P<type>host|srflx|prflx|relay)(?P<rest>( .*)?)",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that is worth an answer."""

    sdp: str
    """Without the candidates that would only cost time."""
    hidden_candidates: bool
    """The browser hid addresses behind mDNS names; it will reach us, we cannot reach it first."""


@dataclass(frozen=True, slots=True)
class TrickleCandidate:
    """One remote candidate of a trickle fragment: `text` is what follows `a=candidate:`."""

    text: str
    mid: str


@dataclass(frozen=True, slots=True)
class Fragment:
    """A trickle fragment (RFC 8840), with usable candidates only."""

    candidates: tuple[TrickleCandidate, ...]
    complete: bool
    hidden_candidates: bool
    ufrag: str | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What our own answer settled on for the video."""

    codec: Codec
    payload_type: int
    rtx_payload_type: int | None


def chosen(answer: str) -> Chosen:
    """Read an SDP answer of ours: its first video codec is the one that is sent. Raises BadOffer."""
    section = answer[answer.find("m=video") :]
    for payload_type in re.findall(r"\d+", section.split("\n", 1)[0].partition("SAVPF")[2]):
        named = re.search(rf"^a=rtpmap:{payload_type} (\w+)/90000", section, re.MULTILINE)
        codec = next((codec for codec in Codec if named and codec.endswith(f"/{named[1]}")), None)
        if codec is not None:
            rtx = re.search(rf"^a=fmtp:(\d+) apt={payload_type}\b", section, re.MULTILINE)
            return Chosen(codec, int(payload_type), int(rtx[1]) if rtx else None)
    raise BadOffer("the answer has no video codec")


def completed(answer: str, offer: str) -> str:
    """Give an SDP answer with what WHEP wants told and aiortc leaves out (draft-ietf-wish-whep, 4.3 and 4.4).

    That candidates may be trickled, and that RTCP comes with RTP alone where that was offered (RFC 8858).
    """
    if "a=ice-options:" not in answer:
        answer = answer.replace("\r\nm=", "\r\na=ice-options:trickle\r\nm=", 1)
    if re.search(r"^a=rtcp-mux-only\s*$", offer, re.MULTILINE) and "a=rtcp-mux-only" not in answer:
        answer = answer.replace("\r\na=rtcp-mux\r\n", "\r\na=rtcp-mux\r\na=rtcp-mux-only\r\n")
    return answer


def check_offer(sdp: str) -> Offer:
    """Look an SDP offer (RFC 8866, RFC 9429) over and clean it. Raises BadOffer: what to change."""
    if len(sdp) > _OFFER_LIMIT:
        raise BadOffer(f"the offer has {len(sdp)} characters; at most {_OFFER_LIMIT} are read")
    lines = sdp.replace("\r\n", "\n").strip().split("\n")
    if lines[0].strip() != "v=0":
        raise BadOffer("this is no SDP: it does not begin with `v=0`")
    kept, hidden = _without_hidden(lines)
    head, sections = _split(kept)
    if not 1 <= len(sections) <= _SECTION_LIMIT:
        raise BadOffer(f"the offer has {len(sections)} media sections; 1 to {_SECTION_LIMIT} can be answered")
    for section in sections:
        kind = section[0].removeprefix("m=").split(" ", 1)[0]
        if kind not in _KINDS:
            raise BadOffer(
                f"the offer has a media section of kind {kind[:20]!r}; known are {', '.join(_KINDS)}"
            )
        if not any(line.startswith("a=fingerprint:") for line in (*head, *section)):
            raise BadOffer("the offer has no `a=fingerprint`: only encrypted media (DTLS-SRTP) is sent")
    if not any(_can_receive_video(head, section) for section in sections):
        raise BadOffer("the offer asks for no video: it needs an `m=video` section with `a=recvonly`")
    return Offer("\r\n".join(kept) + "\r\n", hidden)


def parse_fragment(text: str) -> Fragment:
    """Read a WHEP PATCH body (RFC 8840, application/trickle-ice-sdpfrag). Raises BadOffer."""
    if len(text) > _FRAGMENT_LIMIT:
        raise BadOffer(f"the fragment has {len(text)} characters; at most {_FRAGMENT_LIMIT} are read")
    mid = "0"
    ufrag: str | None = None
    complete = hidden = False
    candidates: list[TrickleCandidate] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("a=mid:"):
            mid = line.removeprefix("a=mid:").strip()[:64]
        elif line.startswith("a=ice-ufrag:"):
            ufrag = line.removeprefix("a=ice-ufrag:").strip()
        elif line.startswith("a=end-of-candidates"):
            complete = True
        elif line.startswith("a=candidate:"):
            if _is_usable(line):
                candidates.append(TrickleCandidate(line.removeprefix("a=candidate:").strip(), mid))
            else:
                hidden = True
    if not candidates and not complete and not hidden and ufrag is None:
        raise BadOffer("the fragment has neither candidates nor the end of them")
    if len(candidates) > _CANDIDATE_LIMIT:
        raise BadOffer(f"the fragment has {len(candidates)} candidates; at most {_CANDIDATE_LIMIT} are tried")
    return Fragment(tuple(candidates), complete, hidden, ufrag)


def _without_hidden(lines: list[str]) -> tuple[list[str], bool]:
    """Drop candidates we cannot use. Resolving an mDNS name costs aioice a second for each.

    When one was dropped, `end-of-candidates` goes too: ICE would give up before the browser's checks come.
    """
    usable = [line for line in lines if not line.startswith("a=candidate:") or _is_usable(line)]
    if sum(line.startswith("a=candidate:") for line in usable) > _CANDIDATE_LIMIT:
        raise BadOffer(f"the offer has more than {_CANDIDATE_LIMIT} candidates")
    hidden = len(usable) < len(lines)
    if hidden:
        usable = [line for line in usable if not line.startswith("a=end-of-candidates")]
    return usable, hidden


def _is_usable(line: str) -> bool:
    """UDP, and an address in place of a name. Raises BadOffer where it is no candidate (RFC 8839, 5.1)."""
    found = _CANDIDATE.fullmatch(line.removeprefix("a=").strip())
    if found is None or int(found["port"]) > 65535:
        raise BadOffer(f"not an ICE candidate: {line[:80]!r}")
    named = re.fullmatch(r"[0-9.]+|[0-9A-Fa-f:.%\w]*:[0-9A-Fa-f:.%\w]*", found["address"]) is None
    return found["transport"].lower() == "udp" and not named


def _split(lines: list[str]) -> tuple[list[str], list[list[str]]]:
    head: list[str] = []
    sections: list[list[str]] = []
    for line in lines:
        if line.startswith("m="):
            sections.append([])
        (sections[-1] if sections else head).append(line)
    return head, sections


def _can_receive_video(head: list[str], section: list[str]) -> bool:
    if not section[0].startswith("m=video "):
        return False
    return next(_directions(section), next(_directions(head), "sendrecv")) in ("recvonly", "sendrecv")


def _directions(lines: list[str]) -> Iterator[str]:
    for line in lines:
        word = line.strip().removeprefix("a=")
        if word in ("recvonly", "sendrecv", "sendonly", "inactive"):
            yield word
