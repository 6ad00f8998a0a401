"""systemd/: the unit is valid and tight, and the sample configuration documents every key."""

from __future__ import annotations

import grp
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.cli.main import main
from hub.config import CameraConfig, Config, RetentionRule, parse

SYSTEMD = Path(__file__).parent.parent / "systemd"
UNIT = SYSTEMD / "outpost.service"
SAMPLE = SYSTEMD / "outpost.toml"

# `systemd-analyze security` counts in tenths: 20 is an exposure of 2.0, the bound; the unit keeps 1.4.
THRESHOLD_TENTHS = 14


def setting(name: str) -> list[str]:
    """Return the values that the unit gives to a setting, in order."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze, which the Debian package `systemd` brings. Without it, tests fail."""
    if os.geteuid() != 0 and not Path("/run/systemd").is_dir():
        pytest.skip("systemd-analyze needs /run/systemd, which only root can make where systemd does not run")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def verify(folder: Path, text: str) -> tuple[int, str]:
    """Verify a unit whose program stands in for /opt/outpost/bin/outpost, which exists on a Pi only."""
    unit = folder / "outpost.service"
    unit.write_text(text.replace("/opt/outpost/bin/outpost", "/bin/true"), encoding="utf-8")
    done = analyze("verify", "--recursive-errors=no", "--man=no", unit)
    return done.returncode, done.stdout + done.stderr


# --- the unit -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_unit_is_valid(tmp_path: Path) -> None:
    assert verify(tmp_path, UNIT.read_text(encoding="utf-8")) == (0, "")


@pytest.mark.slow
def test_verify_sees_a_misspelt_setting(tmp_path: Path) -> None:
    _, said = verify(tmp_path, UNIT.read_text(encoding="utf-8").replace("WatchdogSec=", "WatchdogSecs="))
    assert "WatchdogSecs" in said


@pytest.mark.slow
def test_the_sandbox_is_tight() -> None:
    done = analyze("security", "--offline=true", "--no-pager", f"--threshold={THRESHOLD_TENTHS}", UNIT)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_a_unit_without_a_sandbox_is_found_loose(tmp_path: Path) -> None:
    loose = tmp_path / "outpost.service"
    loose.write_text("[Service]\nExecStart=/bin/true\nUser=pi\n", encoding="utf-8")
    done = analyze("security", "--offline=true", "--no-pager", f"--threshold={THRESHOLD_TENTHS}", loose)
    assert done.returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lan-only.conf", "pins.conf"])
def test_an_optional_drop_in_is_valid(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "outpost.service.d"
    folder.mkdir()
    (folder / name).write_bytes((SYSTEMD / name).read_bytes())
    assert verify(tmp_path, UNIT.read_text(encoding="utf-8")) == (0, "")


def test_the_command_line_knows_every_option_of_exec_start() -> None:
    program, command, *arguments = shlex.split(setting("ExecStart")[0])
    assert program == "/opt/outpost/bin/outpost"
    run = main.commands[command]
    known = {option for parameter in run.params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("-")} <= known


def test_serial_ports_and_cameras_stay_open() -> None:
    assert "yes" not in setting("PrivateDevices")
    allowed = {value.split()[0] for value in setting("DeviceAllow")}
    assert {"char-ttyACM", "char-ttyUSB", "char-video4linux", "char-media"} <= allowed


def test_the_unit_names_only_groups_that_every_debian_has() -> None:
    # A group that is missing keeps systemd from starting the unit (status 216/GROUP).
    for group in setting("SupplementaryGroups")[0].split():
        assert grp.getgrnam(group).gr_gid < 100  # base-passwd's own


_UNDER_MDWE = """
import ctypes
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
    print("no such rule in this kernel")
    raise SystemExit
from OpenSSL import SSL
try:
    SSL.Context(SSL.DTLS_METHOD).set_verify(SSL.VERIFY_PEER, lambda *_: True)
except MemoryError:
    print("refused")
else:
    print("works")
"""


@pytest.mark.slow
def test_executable_memory_is_denied_as_soon_as_dtls_can_do_without() -> None:
    done = subprocess.run([sys.executable, "-c", _UNDER_MDWE], capture_output=True, text=True, check=True)
    said = done.stdout.strip()
    if said.startswith("no such rule"):
        pytest.skip("needs Linux 6.3 or later (PR_SET_MDWE)")
    assert ("yes" in setting("MemoryDenyWriteExecute")) == (said == "works")


# --- the sample configuration -------------------------------------------------------------------------


def uncommented() -> dict[str, Any]:
    """Return the sample with every key switched on; a # before prose has a blank after it."""
    text = SAMPLE.read_text(encoding="utf-8")
    return tomllib.loads(re.sub(r"^#(?=[\[a-z0-9])", "", text, flags=re.MULTILINE))


def keys(of: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(of)}


def test_the_sample_as_it_comes_changes_nothing() -> None:
    assert parse(SAMPLE.read_text(encoding="utf-8"), "outpost.toml") == Config()


def test_the_sample_documents_every_section() -> None:
    assert set(uncommented()) == keys(Config)


def test_the_sample_documents_every_key() -> None:
    shown = uncommented()
    for section, default in msgspec.structs.asdict(Config()).items():
        if section == "camera":
            assert set(shown["camera"][0]) == keys(CameraConfig)
        elif section == "sensor":  # an entry's other keys are its driver's
            assert set(shown["sensor"][0]) == {"driver"}
        elif section != "tags":  # its keys are devices
            assert set(shown[section]) == keys(type(default)), section
    assert set(shown["retention"]["rule"][0]) == keys(RetentionRule)


def test_the_sample_shows_the_true_defaults() -> None:
    shown = uncommented()
    camera = shown.pop("camera")[0]
    del shown["tags"], shown["sensor"], shown["retention"]["rule"]  # examples: none by default
    assert camera == msgspec.json.decode(msgspec.json.encode(CameraConfig(id="front")))
    defaults = msgspec.json.decode(msgspec.json.encode(Config()))
    for section, values in shown.items():
        for key, value in values.items():
            # TOML has no null: a key that is unset by default is shown as an empty text.
            assert value == (defaults[section][key] if defaults[section][key] is not None else ""), key
