"""The command line: help a stranger can use, exit codes, errors that name file, key and reason."""

from __future__ import annotations

import errno
import http.client
import logging
import os
import pathlib
import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
import pytest
from click.testing import CliRunner

from hil.hub import HubProcess
from hub.cli.logs import Lines
from hub.cli.main import main
from tests import pi_machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

QUIET = "[serial]\nports = []\n[mqtt]\nenabled = false\n"


def outpost(
    *arguments: str, timeout_s: float = 30, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        input=given,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["run"],
        ["devices"],
        ["watch"],
        ["send"],
        ["token", "create"],
        ["link"],
        ["user", "add"],
        ["flash"],
        ["doctor"],
    ],
)
def test_every_command_explains_itself(command: list[str]) -> None:
    done = outpost(*command, "--help")
    assert done.returncode == 0
    assert "Usage: outpost" in done.stdout


def test_every_command_is_told_in_a_line_of_its_own() -> None:
    cut = []
    groups: list[tuple[str, ...]] = [()]
    while groups:
        names = groups.pop()
        group: click.Command = main
        for name in names:
            assert isinstance(group, click.Group)
            group = group.commands[name]
        assert isinstance(group, click.Group)
        told = CliRunner().invoke(main, [*names, "--help"], terminal_width=80).output
        cut += [line for line in told.splitlines() if line.endswith("...") and not line.startswith("Usage")]
        groups += [(*names, name) for name, one in group.commands.items() if isinstance(one, click.Group)]
    assert cut == []


def test_an_unknown_configuration_key_ends_with_2_and_the_nearest_known_one(tmp_path: Path) -> None:
    file = tmp_path / "outpost.toml"
    file.write_text("[hub]\nlisten_on = '127.0.0.1:8080'\n")
    done = outpost("run", "--config", str(file), "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert str(file) in done.stderr
    assert "`hub.listen_on`" in done.stderr
    assert "`hub.listen`" in done.stderr


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ('[mqtt]\nusername = "a"\npassword_file = "/nope"\n', "`mqtt.password_file`"),
        (
            '[webrtc]\nusername = "a"\npassword_file = "/nope"\nice_servers = ["turn:a:1"]\n',
            "`webrtc.password_file`",
        ),
        ('[[camera]]\nid = "front"\nsource = "cam0"\n', "`camera[0].source`: 'cam0'"),
    ],
)
def test_what_a_room_finds_wrong_is_told_with_file_and_key(tmp_path: Path, section: str, key: str) -> None:
    file = tmp_path / "outpost.toml"
    file.write_text(section)
    done = outpost("run", "--config", str(file), "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0")
    assert done.returncode == 2
    assert f"outpost: {file}: " in done.stderr
    assert key in done.stderr


def test_a_listen_address_that_is_none_ends_with_2(tmp_path: Path) -> None:
    done = outpost("run", "--listen", "nowhere", "--data", str(tmp_path))
    assert done.returncode == 2
    assert "--listen" in done.stderr
    assert "'nowhere'" in done.stderr


def test_a_data_folder_that_cannot_be_made_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = outpost("run", "--data", str(tmp_path / "file"), "--listen", "127.0.0.1:0")
    assert done.returncode == 2
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_ends_with_2_and_names_it(tmp_path: Path) -> None:
    file = tmp_path / "outpost.toml"
    file.write_text(QUIET)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = outpost("run", "--config", str(file), "--data", str(tmp_path / "data"), "--listen", address)
    assert done.returncode == 2
    assert address in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_hub_the_client_says_how_to_start_one(tmp_path: Path) -> None:
    done = outpost("devices", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "outpost run" in done.stderr


def test_what_a_client_sends_forges_no_line_of_the_log() -> None:
    said = logging.LogRecord(
        "hub", logging.INFO, "", 1, "may not GET %s", ("/a\n2026 ERROR \x1b[2J\u202e°",), None
    )
    assert Lines("%(message)s").format(said) == r"may not GET /a\n2026 ERROR \x1b[2J\u202e°"


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("nonsense", "x"),
        ("ftp://127.0.0.1:1", "x"),
        ("http://127.0.0.1:99999", "x"),
        ("http://[::1", "x"),
        ("http://127.0.0.1:1/outpost", "x"),
        ("http://127.0.0.1:1", "a\nb"),
    ],
)
def test_an_address_or_token_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, url: str, token: str
) -> None:
    monkeypatch.setenv("OUTPOST_URL", url)
    monkeypatch.setenv("OUTPOST_TOKEN", token)
    done = CliRunner().invoke(main, ["devices"])
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert ("OUTPOST_TOKEN" if "\n" in token else "OUTPOST_URL") in done.output


@pytest.mark.parametrize(
    "command", [["token", "list"], ["token", "revoke", "a"], ["user", "list"], ["export"]]
)
def test_what_only_reads_makes_no_store_where_there_is_none(tmp_path: Path, command: list[str]) -> None:
    done = CliRunner().invoke(main, [*command, "--data", str(tmp_path / "typo")])
    assert done.exit_code == 2
    assert "there is no store" in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [["devices"], ["token", "list"], ["export"], ["sql", "select 1"], ["tls", "show"], ["tls", "init"]],
)
def test_a_folder_of_another_user_is_told_with_whom_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    def refuse(path: object, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    # root, which the tests may run as, is refused nothing.
    for name in ("stat", "read_bytes"):
        monkeypatch.setattr(pathlib.Path, name, refuse)
    done = CliRunner().invoke(main, [*command, "--data", str(tmp_path)])
    assert done.exit_code in (1, 2)
    assert "Permission denied; run this as the hub's user" in done.output


def test_what_works_on_the_folder_says_that_an_address_does_not_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTPOST_URL", "http://greenhouse.local:8080")
    monkeypatch.setenv("OUTPOST_TOKEN", "x")
    done = CliRunner().invoke(main, ["token", "list", "--data", str(tmp_path)])
    assert done.exit_code == 2
    assert "OUTPOST_URL does not help here" in done.output


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with HubProcess(tmp_path_factory.mktemp("cli") / "data", config=QUIET) as running:
        yield running


def test_a_token_that_the_hub_does_not_know_is_told_with_how_to_make_one(
    hub: HubProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTPOST_URL", hub.url)
    monkeypatch.setenv("OUTPOST_TOKEN", "wrong")
    done = CliRunner().invoke(main, ["devices"])
    assert done.exit_code == 1
    assert "does not know this OUTPOST_TOKEN; `outpost token create`" in done.output


def test_https_to_a_hub_without_tls_names_http(hub: HubProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTPOST_URL", hub.url.replace("http://", "https://"))
    monkeypatch.setenv("OUTPOST_TOKEN", "x")
    done = CliRunner().invoke(main, ["devices"])
    assert done.exit_code == 1
    assert "speaks no TLS" in done.output
    assert "begins with http://" in done.output


def test_a_second_hub_on_the_same_folder_ends_with_2(hub: HubProcess) -> None:
    done = outpost("run", "--data", str(hub.data), "--listen", "127.0.0.1:0")
    assert done.returncode == 2
    assert str(hub.data) in done.stderr


def test_devices_lists_the_host_itself(hub: HubProcess) -> None:
    done = outpost("devices", "--data", str(hub.data))
    assert done.returncode == 0
    assert "host" in done.stdout


def test_a_token_is_printed_alone_and_works_at_once(hub: HubProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    token = outpost("token", "create", "grafana", "--role", "viewer", "--data", str(hub.data)).stdout.strip()
    assert " " not in token
    monkeypatch.setenv("OUTPOST_URL", hub.url)
    monkeypatch.setenv("OUTPOST_TOKEN", token)
    assert outpost("devices").returncode == 0


def test_programs_beside_the_hub_leave_its_wal_alone(hub: HubProcess) -> None:
    wal = hub.data / "outpost.db-wal"
    before = wal.stat().st_ino
    assert outpost("token", "create", "beside", "--role", "viewer", "--data", str(hub.data)).returncode == 0
    assert wal.stat().st_ino == before


def test_a_backup_tells_what_lies_beside_the_store(hub: HubProcess, tmp_path: Path) -> None:
    (hub.data / "secrets").mkdir()
    done = outpost("backup", str(tmp_path / "copy"), "--data", str(hub.data))
    assert done.returncode == 0
    assert "not in it: secrets;" in done.stderr


def test_a_new_link_opens_the_dashboard_once_and_ends_the_one_before(hub: HubProcess) -> None:
    before = outpost("link", "--data", str(hub.data)).stdout.strip()
    link = outpost("link", "--data", str(hub.data)).stdout.strip()
    assert link.startswith(f"{hub.url}/claim?code=")
    assert [status(before), status(link), status(link)] == [403, 303, 403]


def status(url: str) -> int:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    connection.request("GET", f"{address.path}?{address.query}")
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_user_made_on_the_console_is_listed_and_removed(hub: HubProcess) -> None:
    made = outpost(
        "user", "add", "eva", "--role", "operator", "--data", str(hub.data), given="correct horse battery\n"
    )
    assert made.returncode == 0, made.stderr
    assert "eva" in outpost("user", "list", "--data", str(hub.data)).stdout
    assert outpost("user", "remove", "eva", "--data", str(hub.data)).returncode == 0
    assert outpost("user", "remove", "eva", "--data", str(hub.data)).returncode == 1


def test_a_weak_password_is_refused_with_the_reason(hub: HubProcess) -> None:
    done = outpost("user", "add", "max", "--role", "viewer", "--data", str(hub.data), given="short\n")
    assert done.returncode == 2
    assert "12" in done.stderr


def test_a_name_that_is_taken_is_refused(hub: HubProcess) -> None:
    first = outpost("token", "create", "twice", "--role", "viewer", "--data", str(hub.data))
    second = outpost("token", "create", "twice", "--role", "viewer", "--data", str(hub.data))
    assert (first.returncode, second.returncode) == (0, 2)
    assert "twice" in second.stderr


def test_a_command_to_nobody_fails_with_the_devices_name(hub: HubProcess) -> None:
    done = outpost("send", "nobody", "led", "state=on", "--data", str(hub.data))
    assert done.returncode == 1
    assert "nobody" in done.stderr


def test_watching_nobody_fails_with_the_devices_name(hub: HubProcess) -> None:
    done = outpost("watch", "nobody", "--data", str(hub.data))
    assert (done.returncode, "no device 'nobody'" in done.stderr) == (1, True)


def test_a_parameter_without_equals_is_bad_usage(hub: HubProcess) -> None:
    done = outpost("send", "host", "led", "on", "--data", str(hub.data))
    assert done.returncode == 2
    assert "KEY=VALUE" in done.stderr


def test_a_token_for_some_devices_is_listed_with_them(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    runner = CliRunner()
    for arguments in (
        ("panel", "--role", "viewer", "--device", "pico-*", "--device", "front", "--tag", "lab"),
        ("pico-7", "--role", "device"),
        ("all", "--role", "viewer"),
    ):
        assert runner.invoke(main, ["token", "create", *arguments, *data]).exit_code == 0
    listed = runner.invoke(main, ["token", "list", *data]).output.splitlines()
    assert [line.split()[:5] for line in listed if line.startswith("panel")] == [
        ["panel", "viewer", "pico-*", "front", "tag:lab"]
    ]
    assert any(line.split()[:3] == ["pico-7", "device", "pico-7"] for line in listed)
    assert any(line.split()[:3] == ["all", "viewer", "all"] for line in listed)
    refused = runner.invoke(main, ["token", "create", "x", "--role", "device", "--device", "a*", *data])
    assert (refused.exit_code, "one device" in refused.output) == (2, True)


def test_the_data_folder_keeps_the_local_token_to_its_owner(hub: HubProcess) -> None:
    assert (hub.data / "local.json").stat().st_mode & 0o077 == 0


def test_doctor_looks_at_everything_and_is_content_here(tmp_path: Path) -> None:
    done = outpost("doctor", "--data", str(tmp_path))
    assert done.returncode == 0
    for thing in ("data folder", "serial ports", "MQTT broker", "cameras", "kernel sensors", "pins", "clock"):
        assert thing in done.stdout


def test_doctor_tells_the_hub_that_runs(hub: HubProcess) -> None:
    done = outpost("doctor", "--data", str(hub.data))
    assert f"answers at {hub.url}" in done.stdout


def test_doctor_tells_a_file_from_a_folder_without_rights(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = outpost("doctor", "--data", str(tmp_path / "file"))
    assert done.returncode == 1
    assert "file is not a folder" in done.stdout


def test_doctor_ends_with_1_where_something_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "outpost.toml"
    file.write_text("[hub]\nnaem = 'x'\n")
    done = outpost("doctor", "--config", str(file), "--data", str(tmp_path))
    assert done.returncode == 1
    assert "hub.naem" in done.stdout


def test_doctor_lists_the_kernels_sensors_and_checks_the_configured_ones(tmp_path: Path) -> None:
    pi_machine.hwmon(tmp_path / "sys", 0, "lm75", at="1-0048", temp1_input="20000")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/i2c-1").touch()
    file = tmp_path / "outpost.toml"
    host = f'[host]\nsysfs = "{tmp_path}/sys"\ndev = "{tmp_path}/dev"\n'
    file.write_text(f'{host}[[sensor]]\ndriver = "sht3x"\nprefix = "air"\n[[sensor]]\ndriver = "auto"\n')
    done = outpost("doctor", "--config", str(file), "--data", str(tmp_path))
    assert "kernel sensors: hwmon lm75 (1-0048): temp1" in done.stdout
    assert "own sensors: air_temperature, air_humidity, all that the kernel reads (auto)" in done.stdout
    assert "pins: i2c-1" in done.stdout
    file.write_text(f'{host}[[sensor]]\ndriver = "sht3x"\npin = 4\n')
    done = outpost("doctor", "--config", str(file), "--data", str(tmp_path))
    assert done.returncode == 1
    assert "`sensor[0]`: sht3x: there is no option 'pin'" in done.stdout


def test_a_hub_that_is_told_to_stop_ends_cleanly(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path / "data", config=QUIET)
    hub.start()
    assert hub.stop() == 0
    assert not (hub.data / "local.json").exists()
