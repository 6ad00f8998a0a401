"""The configuration file: what it accepts, and errors that name the file, the key and the reason."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.config import CameraConfig, Config, ConfigError, duration_s, listen_address, load, parse

if TYPE_CHECKING:
    from pathlib import Path


def refused(text: str) -> str:
    """Return the error that `text` gives, without the file's name, which every error must begin with."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "outpost.toml")
    message = str(caught.value)
    assert message.startswith("outpost.toml: ")
    return message.removeprefix("outpost.toml: ")


def test_an_empty_file_gives_every_default() -> None:
    assert parse("", "outpost.toml") == Config()


def test_a_full_file_is_read_as_written() -> None:
    config = parse(
        """
        [hub]
        name = "greenhouse"
        listen = "[::1]:9000"
        allowed_hosts = ["greenhouse.local", "[fd00::1]"]
        allowed_origins = ["https://example.org", "http://localhost:5173"]
        [serial]
        ports = ["auto", "/dev/serial/by-id/usb-one"]
        [mqtt]
        host = "broker.lan"
        port = 8883
        username = "hub"
        password_file = "/run/credentials/outpost.service/mqtt-password"
        topic = "farm/north"
        [[camera]]
        id = "front"
        source = "picamera2"
        [[camera]]
        id = "back"
        source = "picamera2:1"
        width = 640
        height = 480
        [webrtc]
        ice_servers = ["stun:stun.example.org:3478", "turns:turn.example.org?transport=tcp"]
        [retention]
        raw = "2y"
        10s = "30d"
        size = "8GB"
        [[retention.rule]]
        device = "pico-*"
        metric = "vibration.*"
        tag = "lab"
        raw = "7d"
        1m = "forever"
        deadband = 0.5
        min_interval = "5s"
        [tags]
        pico-1 = ["lab", "north"]
        [host]
        interval_ms = 2000
        [[sensor]]
        driver = "bme280"
        address = 0x77
        """,
        "outpost.toml",
    )
    assert config.hub.allowed_hosts == ("greenhouse.local", "[fd00::1]")
    assert config.mqtt.topic == "farm/north"
    assert [camera.id for camera in config.camera] == ["front", "back"]
    assert config.retention.seconds == "30d"
    assert [(rule.raw, rule.minutes, rule.hours) for rule in config.retention.rule] == [
        ("7d", "forever", None)
    ]
    assert config.tags == {"pico-1": ("lab", "north")}
    assert config.host.interval_ms == 2000
    assert config.sensor == ({"driver": "bme280", "address": 0x77},)
    assert config.camera[1] == CameraConfig(id="back", source="picamera2:1", width=640, height=480)


# --- the file -----------------------------------------------------------------------------------------


def test_a_missing_file_is_named_once_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: cannot be read: No such file or directory"


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin1.toml"
    path.write_bytes('[hub]\nname = "Gewächshaus"\n'.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"latin1\.toml: is not UTF-8 text"):
        load(path)


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_bytes(b'\xef\xbb\xbf[hub]\r\nname = "x"\r\n')
    assert load(path).hub.name == "x"


def test_broken_toml_names_the_line() -> None:
    assert "at line 2" in refused("[hub]\nname = \n")


@pytest.mark.parametrize("text", [f"a = {'1' * 5000}", f"a = {'[' * 5000}"], ids=["digits", "depth"])
def test_toml_beyond_pythons_own_limits_is_refused(text: str) -> None:
    assert refused(text).startswith("not valid TOML: ")


# --- keys that are not known --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[hbu]", "unknown key `hbu`; did you mean `hub`?"),
        ("[[cameras]]", "unknown key `cameras`; did you mean `camera`?"),
        ('[hub]\nlisten_on = ":80"', "unknown key `hub.listen_on`; did you mean `hub.listen`?"),
        ('[mqtt]\npassword = "x"', "unknown key `mqtt.password`; did you mean `mqtt.password_file`?"),
        (
            '[[camera]]\nid = "a"\n[[camera]]\nid = "b"\nfpss = 3',
            "unknown key `camera[1].fpss`; did you mean `camera[1].fps`?",
        ),
        ('listen = ":80"', "unknown key `listen`; it belongs under [hub]"),
        ("[hub]\nfps = 3", "unknown key `hub.fps`; it belongs under [[camera]]"),
        ("[retention]\nzzz = 1", "unknown key `retention.zzz`; known here: raw, 10s, 1m, 1h, 1d, size, rule"),
        (
            "[hub]\nxy.zw = 1",
            "unknown key `hub.xy`; known here: name, listen, allowed_hosts, allowed_origins, plain_http",
        ),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(text: str, message: str) -> None:
    assert refused(text) == message


def test_a_hostile_key_is_shown_on_one_short_line() -> None:
    message = refused(f'"\\u001b[31m\\n{"x" * 5000}" = 1')
    assert message.isprintable()
    assert len(message) < 200


# --- wrong types --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hub = 3", "`hub`: expected a table, got a whole number"),
        ("[hub]\nname = {a = 1}", "`hub.name`: expected a text, got a table"),
        ("[hub]\nname = 2026-11-21", "`hub.name`: expected a text, got `date`"),
        ('[mqtt]\nport = "1883"', "`mqtt.port`: expected a whole number, got a text"),
        ("[mqtt]\nport = true", "`mqtt.port`: expected a whole number, got true or false"),
        ("[mqtt]\nport = 1883.0", "`mqtt.port`: expected a whole number, got a number"),
        ("[mqtt]\nenabled = 1", "`mqtt.enabled`: expected true or false, got a whole number"),
        ("[mqtt]\nusername = 7", "`mqtt.username`: expected a text, got a whole number"),
        ('[serial]\nports = "auto"', "`serial.ports`: expected a list, got a text"),
        ('[serial]\nports = ["auto", 7]', "`serial.ports[1]`: expected a text, got a whole number"),
        ("[[camera]]\nfps = 3", "`camera[0]`: misses the key `id`"),
        ('[camera]\nid = "a"', "`camera`: each camera begins with [[camera]], in two pairs of brackets"),
    ],
)
def test_a_wrong_type_names_the_key_and_what_is_expected(text: str, message: str) -> None:
    assert refused(text) == message


# --- values out of bounds -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[hub]\nname = " "', "hub.name"),
        ('[hub]\nname = "a\\nb"', "hub.name"),
        (f'[hub]\nname = "{"x" * 65}"', "hub.name"),
        ('[hub]\nlisten = "8080"', "hub.listen"),
        ('[hub]\nallowed_hosts = ["https://a.example"]', "hub.allowed_hosts[0]"),
        ('[hub]\nallowed_hosts = ["a.example:8080"]', "hub.allowed_hosts[0]"),
        ('[hub]\nallowed_origins = ["a.example"]', "hub.allowed_origins[0]"),
        ('[hub]\nallowed_origins = ["https://a.example/"]', "hub.allowed_origins[0]"),
        ('[hub]\nallowed_origins = ["*"]', "hub.allowed_origins[0]"),
        ('[serial]\nports = ["auto", ""]', "serial.ports[1]"),
        ('[mqtt]\nhost = ""', "mqtt.host"),
        ('[mqtt]\nhost = "mqtt://broker"', "mqtt.host"),
        ("[mqtt]\nport = 0", "mqtt.port"),
        ("[mqtt]\nport = 65536", "mqtt.port"),
        (f"[mqtt]\nport = {10**30}", "mqtt.port"),
        ('[mqtt]\ntopic = "a/#"', "mqtt.topic"),
        ('[mqtt]\ntopic = "/a"', "mqtt.topic"),
        ('[mqtt]\ntopic = "a\\u0000b"', "mqtt.topic"),
        ('[mqtt]\npassword_file = "/x"', "mqtt.username"),
        ('[mqtt]\nusername = "a\\u0000b"', "mqtt.username"),
        ('[[camera]]\nid = "a"\nname = "a\\nb"', "camera[0].name"),
        ('[[camera]]\nid = "a"\nsource = "/dev/video0"', "camera[0].source"),
        ('[[camera]]\nid = "a"\nsource = "rtsp://"', "camera[0].source"),
        ('[webrtc]\nice_servers = ["http://a"]', "webrtc.ice_servers[0]"),
        ('[[camera]]\nid = "Front door"', "camera[0].id"),
        ('[[camera]]\nid = "a"\n[[camera]]\nid = "a"', "camera[1].id"),
        (
            '[[camera]]\nid = "a"\nsource = "picamera2"\n[[camera]]\nid = "b"\nsource = "picamera2:0"',
            "camera[1].source",
        ),
        ('[[camera]]\nid = "a"\nsource = "picamera2:front"', "camera[0].source"),
        ('[[camera]]\nid = "a"\nwidth = 63', "camera[0].width"),
        ('[[camera]]\nid = "a"\nheight = 481', "camera[0].height"),
        ('[[camera]]\nid = "a"\nfps = 0', "camera[0].fps"),
        ('[[camera]]\nid = "a"\nmax_viewers = 0', "camera[0].max_viewers"),
        ('[[camera]]\nid = "a"\nbitrate_kbps = 20001', "camera[0].bitrate_kbps"),
        ('[retention]\nraw = "0d"', "retention.raw"),
        ('[store]\nack = "1"', "store.ack"),
        ('[store]\ncommit = "61s"', "store.commit"),
        ('[retention]\nraw = "90 days"', "retention.raw"),
        ('[retention]\nraw = "1001y"', "retention.raw"),
        (f'[retention]\nraw = "{"9" * 5000}d"', "retention.raw"),
        ('[retention]\nraw = "none"', "retention.raw"),
        ('[retention]\n10s = "soon"', "retention.10s"),
        ('[retention]\n1m = "none"', "retention.1m"),
        ('[retention]\nsize = "8"', "retention.size"),
        ('[retention]\nsize = "19MB"', "retention.size"),
        ('[[retention.rule]]\ndevice = ""\nraw = "1d"', "retention.rule[0].device"),
        ('[[retention.rule]]\nraw = "1d"\n[[retention.rule]]\n1h = "x"', "retention.rule[1].1h"),
        ('[[retention.rule]]\ntag = "lab"\nraw = "1d"', "retention.rule[0].tag"),
        ("[[retention.rule]]\ndeadband = -1.0", "retention.rule[0].deadband"),
        ("[[retention.rule]]\ndeadband = nan", "retention.rule[0].deadband"),
        ('[[retention.rule]]\nmin_interval = "1h"\nmax_interval = "1m"', "retention.rule[0].max_interval"),
        ('[[retention.rule]]\nmetric = "temp*"', "retention.rule[0]"),
        ('[tags]\na = ["two words"]', "tags.a"),
        ('[tags]\nb = ["c"]\na = "lab"', "tags.a"),
        ('[tags]\nb = ["c"]\na = ["lab", 1]', "tags.a"),
        ("[host]\ninterval_ms = 100", "host.interval_ms"),
        ('[host]\nsysfs = "sys"', "host.sysfs"),
        ('[host]\ndev = ""', "host.dev"),
        ("[[sensor]]\npin = 4", "sensor[0].driver"),
        ("[[sensor]]\ndriver = 4", "sensor[0].driver"),
        ('[[sensor]]\ndriver = "auto"\n' * 65, "sensor"),
    ],
)
def test_a_value_out_of_bounds_names_its_key(text: str, key: str) -> None:
    assert refused(text).startswith(f"`{key}`: ")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("hub.lan:0", ("hub.lan", 0)),
        (":80", ("0.0.0.0", 80)),
        ("[::]:80", ("::", 80)),
        ("[fe80::1%eth0]:80", ("fe80::1%eth0", 80)),
    ],
)
def test_a_listen_address_is_split(text: str, address: tuple[str, int]) -> None:
    assert listen_address(text, "--listen") == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "80",
        "::1:80",
        "[::1]",
        "[127.0.0.1]:80",
        "[x]:80",
        "a:65536",
        "a:٨٠",
        "http://a:80",
        "a b:80",
        "a:80\n",
    ],
)
def test_what_is_no_listen_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--listen: "):
        listen_address(text, "--listen")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("30m", 1800), ("12 h", 43200), (" 90d ", 7776000), ("1w", 604800), ("2y", 63115200)],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: int) -> None:
    assert duration_s(text, "retention.raw") == seconds


# --- anything at all ----------------------------------------------------------------------------------

_SECTIONS = {
    field.name: msgspec.structs.fields(field.type)
    for field in msgspec.structs.fields(Config)
    if field.name not in ("camera", "sensor", "tags")
}
_KEYS = st.sampled_from([field.encode_name for fields in _SECTIONS.values() for field in fields])
_NAMES = _KEYS | st.text(string.ascii_lowercase, min_size=1, max_size=8)
_SCALARS = st.one_of(
    st.booleans().map(lambda value: str(value).lower()),
    st.integers().map(str),
    st.sampled_from(["nan", "-inf", "1e400", "2026-11-21", "07:32:00", "[]", "{}", "[[1]]", "{a = [{}]}"]),
    st.text(max_size=20).map(lambda text: msgspec.json.encode(text).decode()),
)
_LINES = st.one_of(
    st.builds("{} = {}".format, _NAMES, _SCALARS),
    st.builds("{}.{} = {}".format, _NAMES, _NAMES, _SCALARS),
    st.sampled_from([*_SECTIONS, "camera", "sensor", "tags", "retention.rule", "hbu", "hub.name"]).map(
        "[{}]".format
    ),
    st.sampled_from(["camera", "sensor", "hub", "x", "retention.rule"]).map("[[{}]]".format),
)


def _read(text: str) -> Any:
    """Parse; any error but ConfigError goes through to the test."""
    try:
        return parse(text, "fuzz.toml")
    except ConfigError as error:
        assert str(error).startswith("fuzz.toml: ")
        return None


@given(st.text())
def test_arbitrary_text_gives_a_configuration_or_a_config_error(text: str) -> None:
    _read(text)


@given(st.lists(_LINES, max_size=8))
def test_arbitrary_toml_gives_a_configuration_or_a_config_error(lines: list[str]) -> None:
    config = _read("\n".join(lines))
    assert config is None or isinstance(config, Config)


@given(st.text())
def test_arbitrary_listen_addresses_give_a_port_or_a_config_error(text: str) -> None:
    try:
        _, port = listen_address(text, "x")
    except ConfigError:
        return
    assert 0 <= port <= 65535


def test_a_cameras_password_is_not_told_with_its_wrong_source() -> None:
    with pytest.raises(ConfigError) as refused:
        parse('[[camera]]\nid = "a"\nsource = "ftp://me:secret@camera/1"', "outpost.toml")
    assert "secret" not in str(refused.value)
    assert "ftp://***@camera/1" in str(refused.value)
