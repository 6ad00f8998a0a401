"""Encryption in place gives what pylibsrtp gives, for every viewer, and refuses what libsrtp refuses."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from hub.camera.viewing.burst import Lane, Layout, bursts
from hub.camera.viewing.rtp import PAYLOAD_BYTES
from hub.camera.viewing.srtp import EncryptionFailed, Workbench

PROFILES = {
    Policy.SRTP_PROFILE_AES128_CM_SHA1_80: (30, 10),
    Policy.SRTP_PROFILE_AEAD_AES_128_GCM: (28, 16),
    Policy.SRTP_PROFILE_AEAD_AES_256_GCM: (44, 16),
}


def twins(profile: int) -> tuple[Session, Session, int]:
    """Give two sessions of the same key, and the length of their tags."""
    key_bytes, tag = PROFILES[profile]
    key = os.urandom(key_bytes)

    def session() -> Session:
        policy = Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile)
        policy.allow_repeat_tx = True
        return Session(policy)

    return session(), session(), tag


@pytest.mark.parametrize("profile", PROFILES)
@given(counts=st.lists(st.tuples(st.integers(0, 20), st.integers(1, PAYLOAD_BYTES)), min_size=1, max_size=4))
def test_what_is_sealed_is_what_pylibsrtp_would_have_sent(
    profile: int, counts: list[tuple[int, int]]
) -> None:
    bench, sequence = Workbench(), 40
    ours, theirs, tag = twins(profile)
    for full, last in counts:
        payloads = [*([b"f" * PAYLOAD_BYTES] * full), b"l" * last]
        for burst in bursts(payloads, sequence=sequence, timestamp=1, ssrc=5, keyframe=False, limit=16):
            layout = burst.layout(Lane(96, 0, tag))
            sealed = bytes(bench.seal(ours._srtp, layout, tag))
            packets = [
                sealed[start : start + layout.segment] for start in range(0, len(sealed), layout.segment)
            ]
            plain = [
                burst.header(index, 96, burst.first_sequence + index) + payload
                for index, payload in enumerate(burst.payloads)
            ]
            assert packets == [theirs.protect(packet) for packet in plain]
            assert layout.packets == len(packets)
        sequence += full + 1


def test_a_packet_that_libsrtp_refuses_is_an_error() -> None:
    bench = Workbench()
    session, _, tag = twins(Policy.SRTP_PROFILE_AEAD_AES_128_GCM)
    with pytest.raises(EncryptionFailed, match="could not be encrypted"):
        bench.seal(session._srtp, Layout(b"no RTP", 6 + tag, 1, 6), tag)


def test_a_tag_of_another_length_is_an_error() -> None:
    bench = Workbench()
    session, _, _ = twins(Policy.SRTP_PROFILE_AEAD_AES_128_GCM)
    burst = bursts([b"x" * 50], sequence=1, timestamp=1, ssrc=5, keyframe=False, limit=16)[0]
    with pytest.raises(EncryptionFailed, match="did not add 10 bytes"):
        bench.seal(session._srtp, burst.layout(Lane(96, 0, 10)), 10)
