"""STUN and TURN servers: what the configuration may say, checked before the hub starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.camera.viewing.ice import IceServers, load
from hub.config import ConfigError, WebrtcConfig

if TYPE_CHECKING:
    from pathlib import Path


def test_no_server_is_asked_unless_configured() -> None:
    assert load(WebrtcConfig()) == IceServers()


def test_the_password_comes_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "turn").write_text("s3cret\n")
    config = WebrtcConfig(
        ice_servers=("stun:stun.lan:3478", "turn:turn.lan:3478?transport=udp"),
        username="pi",
        password_file=str(tmp_path / "turn"),
    )
    assert load(config) == IceServers(config.ice_servers, "pi", "s3cret")


@pytest.mark.parametrize(
    "uri", ["", "stun.lan:3478", "http://stun.lan", "stun:", "turn:a b", "stun:x?transport=udp"]
)
def test_what_is_no_server_is_refused_by_name(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"webrtc\.ice_servers"):
        load(WebrtcConfig(ice_servers=(uri,), username="pi", password_file="/dev/null"))


def test_a_turn_server_needs_a_name_and_a_password() -> None:
    with pytest.raises(ConfigError, match="`username` and `password_file`"):
        load(WebrtcConfig(ice_servers=("turn:turn.lan:3478",)))


def test_a_password_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="missing"):
        load(WebrtcConfig(password_file=str(tmp_path / "missing")))


def test_every_accepted_server_is_one_aiortc_takes() -> None:
    from aiortc.rtcicetransport import parse_stun_turn_uri

    for uri in ("stun:a.b", "stuns:a.b:5349", "turn:a-b.c:1?transport=tcp", "turns:10.0.0.1"):
        load(WebrtcConfig(ice_servers=(uri,), username="pi", password_file="/dev/null"))
        assert parse_stun_turn_uri(uri)
