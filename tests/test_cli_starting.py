"""What `outpost doctor --config` says of a configuration that is well formed and would not start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.cli import starting
from hub.cli.doctor import look
from hub.config import Config, HubConfig, MqttConfig, TlsConfig, WebrtcConfig
from hub.tls.folder import TlsFolder

if TYPE_CHECKING:
    from pathlib import Path

    from hub.cli.finding import Finding


def found(config: Config, folder: Path) -> list[Finding]:
    return list(starting.look(config, folder / "outpost.toml"))


def test_a_configuration_that_starts_brings_no_word(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x\n")
    made = TlsFolder(tmp_path)
    made.make("hub", {"localhost"}, 1_795_000_000_000)
    secret = str(tmp_path / "secret")
    config = Config(
        hub=HubConfig(listen=":8443"),
        tls=TlsConfig(mode="files", certificate=str(made.certificate), key=str(made.key)),
        mqtt=MqttConfig(username="a", password_file=secret),
        webrtc=WebrtcConfig(username="a", password_file=secret),
    )
    assert found(config, tmp_path) == []


def test_plain_http_for_other_machines_is_told(tmp_path: Path) -> None:
    (finding,) = found(Config(hub=HubConfig(listen=":8080")), tmp_path)
    assert finding.fatal
    assert "outpost.toml: `hub.listen`: ':8080' lets other machines in" in finding.found


@pytest.mark.parametrize("key", ["mqtt.password_file", "webrtc.password_file"])
def test_a_password_that_is_not_there_is_told_with_its_key(tmp_path: Path, key: str) -> None:
    gone = str(tmp_path / "gone")
    config = (
        Config(mqtt=MqttConfig(username="a", password_file=gone))
        if key.startswith("mqtt")
        else Config(webrtc=WebrtcConfig(username="a", password_file=gone))
    )
    (finding,) = found(config, tmp_path)
    assert (finding.fatal, finding.found) == (
        True,
        f"`{key}`: {gone}: cannot be read: No such file or directory",
    )


def test_a_secret_that_systemd_will_bring_is_no_failure(tmp_path: Path) -> None:
    file = "/run/credentials/outpost.service/mqtt-password"
    (finding,) = found(Config(mqtt=MqttConfig(username="a", password_file=file)), tmp_path)
    assert (finding.fatal, "LoadCredential=" in finding.remedy) == (False, True)


def test_a_certificate_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "pem").write_text("no certificate")
    for name in ("gone", "pem"):
        file = str(tmp_path / name)
        (finding,) = found(Config(tls=TlsConfig(mode="files", certificate=file, key=file)), tmp_path)
        assert (finding.fatal, f"{file} with {file}: cannot be used" in finding.found) == (True, True)


def test_the_doctor_says_it(tmp_path: Path) -> None:
    (tmp_path / "outpost.toml").write_text(
        '[hub]\nlisten = ":8080"\n[mqtt]\nenabled = false\n[serial]\nports = []\n'
    )
    said = [one for one in look(tmp_path / "data", tmp_path / "outpost.toml") if one.fatal]
    assert [one.what for one in said] == ["address"]
