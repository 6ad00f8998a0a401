"""The configuration file: TOML into typed values, with errors that name file, key and remedy."""

from __future__ import annotations

import difflib
import re
import tomllib
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any

import msgspec

from hub.model import OutpostError

if TYPE_CHECKING:
    from pathlib import Path


class ConfigError(OutpostError):
    """The configuration cannot be used; the message names the file, the key and the reason."""


class HubConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[hub]`: who the hub is and where it listens."""

    name: str = "outpost"
    listen: str = "127.0.0.1:8080"
    allowed_hosts: tuple[str, ...] = ()
    """Host names, besides its own addresses, by which browsers may call the hub."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of other sites that may call the API with credentials of their own (CORS)."""


class SerialConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[serial]`: the ports that boards are on; `auto` finds boards on USB as they come and go."""

    ports: tuple[str, ...] = ("auto",)


class MqttConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[mqtt]`: the broker. Left out: localhost:1883 when one answers there."""

    enabled: bool = True
    host: str = "localhost"
    port: int = 1883
    username: str | None = None
    password_file: str | None = None
    topic: str = "outpost"


class CameraConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[camera]]`."""

    id: str
    source: str = "test"
    name: str = ""
    width: int = 1280
    height: int = 720
    fps: int = 30
    bitrate_kbps: int = 2000
    pre_roll_s: int = 0
    """Seconds before the event that a recording begins with; above 0 the camera is always on."""
    recordings_mb: int = 2000
    """How much the camera's recordings may take; the oldest go first."""
    recordings_keep: str = "30d"


class WebrtcConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[webrtc]`: STUN and TURN servers, `stun:host:port` or `turn:host:port`; none are asked by default."""

    ice_servers: tuple[str, ...] = ()
    username: str | None = None
    password_file: str | None = None


class RetentionConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[retention]`: how long samples stay."""

    raw: str = "90d"


class StoreConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[store]`: how long samples wait for a commit. Longer spares the card."""

    ack: str = "1s"
    """Samples of boards, which keep them in their outbox until the commit."""
    commit: str = "10s"
    """All others: at most this much is lost with the power."""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file; every key is optional."""

    hub: HubConfig = HubConfig()
    serial: SerialConfig = SerialConfig()
    mqtt: MqttConfig = MqttConfig()
    camera: tuple[CameraConfig, ...] = ()
    webrtc: WebrtcConfig = WebrtcConfig()
    retention: RetentionConfig = RetentionConfig()
    store: StoreConfig = StoreConfig()


def load(path: Path) -> Config:
    """Read and check a configuration file. Raises ConfigError."""
    try:
        # Editors on Windows start a file with a byte order mark, which TOML does not know.
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: is not UTF-8 text: {error}") from error
    return parse(text, str(path))


def parse(text: str, where: str) -> Config:
    """Check the text of a configuration file; `where` names it in errors. Raises ConfigError."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Beside TOMLDecodeError: Python's own limits, on an integer's digits and on the depth of nesting.
        raise ConfigError(f"{where}: not valid TOML: {error}") from error
    _refuse_unknown(raw, Config, where, "")
    try:
        config = msgspec.convert(raw, Config, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_readable(str(error))}") from error
    _check(config, where)
    return config


# --- unknown keys -------------------------------------------------------------------------------------


def _refuse_unknown(raw: dict[str, Any], section: type[msgspec.Struct], where: str, prefix: str) -> None:
    fields = {field.encode_name: _section_of(field.type) for field in msgspec.structs.fields(section)}
    for key, value in raw.items():
        if key not in fields:
            raise ConfigError(
                f"{where}: unknown key `{prefix}{_shown(key)}`{_hint(key, list(fields), prefix)}"
            )
        inner, repeated = fields[key]
        if inner is None:
            continue
        if isinstance(value, dict) and not repeated:
            _refuse_unknown(value, inner, where, f"{prefix}{key}.")
        elif isinstance(value, list) and repeated:
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    _refuse_unknown(item, inner, where, f"{prefix}{key}[{index}].")


def _section_of(kind: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """Return the Struct that a key holds, if it holds one, and whether it holds many (`[[camera]]`)."""
    many = getattr(kind, "__args__", ())
    inner = many[0] if many else kind
    return (inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None), bool(many)


def _hint(key: str, known: list[str], prefix: str) -> str:
    """Name the nearest key of this section; else the same key of another; else all that are known here."""
    if near := difflib.get_close_matches(key, known, n=1):
        return f"; did you mean `{prefix}{near[0]}`?"
    for field in msgspec.structs.fields(Config):
        inner, repeated = _section_of(field.type)
        if inner is not None and key in inner.__struct_fields__:
            return f"; it belongs under {f'[[{field.name}]]' if repeated else f'[{field.name}]'}"
    return f"; known here: {', '.join(known)}"


def _shown(key: str) -> str:
    """Return a key as an error message may show it: on one line, and not for ever."""
    text = key if key.isprintable() else ascii(key)[1:-1]
    return text if len(text) <= 60 else f"{text[:60]}…"


# --- wrong types and values ---------------------------------------------------------------------------


_TOML_WORDS = {
    "Object missing required field": "misses the key",
    "`object`": "a table",
    "`array`": "a list",
    "`str | null`": "a text",
    "`str`": "a text",
    "`int`": "a whole number",
    "`bool`": "true or false",
    "`float`": "a number",
}


def _readable(message: str) -> str:
    """Turn msgspec's `Expected … - at `$.a.b`` into `a.b: expected …`, in TOML's words."""
    found = re.fullmatch(r"(.*) - at `\$\.?(.*)`", message, re.DOTALL)
    reason, key = found.groups() if found is not None else (message, "")
    if key == "camera" and "`object`" in reason:
        return "`camera`: each camera begins with [[camera]], in two pairs of brackets"
    for theirs, ours in _TOML_WORDS.items():
        reason = reason.replace(theirs, ours)
    reason = reason[0].lower() + reason[1:]
    return f"`{key}`: {reason}" if key else reason


def _check(config: Config, where: str) -> None:
    _check_hub(config.hub, where)
    _check_mqtt(config.mqtt, where)
    for index, port in enumerate(config.serial.ports):
        if port != "auto" and not _is_path(port):
            raise ConfigError(
                f"{where}: `serial.ports[{index}]`: {port!r} is neither auto nor a path such as /dev/ttyACM0"
            )
    for index, server in enumerate(config.webrtc.ice_servers):
        if not re.fullmatch(r"(stun|turn)s?:[^\s/?#]+(\?transport=(udp|tcp))?", server):
            raise ConfigError(
                f"{where}: `webrtc.ice_servers[{index}]`: {server!r} is not stun:HOST:PORT or turn:HOST:PORT"
            )
    seen: set[str] = set()
    for index, camera in enumerate(config.camera):
        _check_camera(camera, f"{where}: `camera[{index}]")
        if camera.id in seen:
            raise ConfigError(f"{where}: `camera[{index}].id`: {camera.id!r} is there twice")
        seen.add(camera.id)
    duration_s(config.retention.raw, f"{where}: `retention.raw`")
    for key, text in (("ack", config.store.ack), ("commit", config.store.commit)):
        if duration_s(text, f"{where}: `store.{key}`") > _LONGEST_COMMIT_S:
            raise ConfigError(f"{where}: `store.{key}`: {text!r} is too long; at most {_LONGEST_COMMIT_S}s")


def _check_hub(hub: HubConfig, where: str) -> None:
    if not hub.name.strip() or not hub.name.isprintable() or len(hub.name) > 64:
        raise ConfigError(f"{where}: `hub.name`: {hub.name[:70]!r} must be 1 to 64 printable characters")
    listen_address(hub.listen, where)
    for index, host in enumerate(hub.allowed_hosts):
        if not re.fullmatch(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]", host):
            raise ConfigError(
                f"{where}: `hub.allowed_hosts[{index}]`: {host!r} is no host name "
                "(no scheme, no port, no path), as in greenhouse.local"
            )
    for index, origin in enumerate(hub.allowed_origins):
        if not re.fullmatch(r"https?://[^\s/?#@*]+", origin):
            raise ConfigError(
                f"{where}: `hub.allowed_origins[{index}]`: {origin!r} is no origin "
                "(scheme and host alone), as in https://example.org"
            )


def _check_mqtt(mqtt: MqttConfig, where: str) -> None:
    if not mqtt.host or not mqtt.host.isprintable() or re.search(r"[\s/]", mqtt.host):
        raise ConfigError(f"{where}: `mqtt.host`: {mqtt.host!r} is no host name or address")
    if not 1 <= mqtt.port <= 65535:
        raise ConfigError(f"{where}: `mqtt.port`: {mqtt.port} is no TCP port (1 to 65535)")
    if not re.fullmatch(r"[^+#/\s]{1,64}(/[^+#/\s]{1,64}){0,7}", mqtt.topic) or not mqtt.topic.isprintable():
        raise ConfigError(f"{where}: `mqtt.topic`: {mqtt.topic!r} is no topic prefix without wildcards")
    if mqtt.password_file is not None and mqtt.username is None:
        raise ConfigError(f"{where}: `mqtt.username`: is missing beside `mqtt.password_file`")


def _check_camera(camera: CameraConfig, key: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", camera.id):
        raise ConfigError(f"{key}.id`: {camera.id!r} must be 1 to 32 of a-z, 0-9, - and _")
    limits = {
        "width": (64, 3840),
        "height": (64, 2160),
        "fps": (1, 60),
        "bitrate_kbps": (50, 20000),
        "pre_roll_s": (0, 60),
        "recordings_mb": (10, 1_000_000),
    }
    for name, (low, high) in limits.items():
        if not low <= getattr(camera, name) <= high:
            raise ConfigError(f"{key}.{name}`: {getattr(camera, name)} is not within {low} to {high}")
    for name in ("width", "height"):
        if getattr(camera, name) % 2:
            raise ConfigError(
                f"{key}.{name}`: {getattr(camera, name)} must be even (H.264 codes pairs of pixels)"
            )
    duration_s(camera.recordings_keep, f"{key}.recordings_keep`")


def _is_path(text: str) -> bool:
    return bool(text) and text.isprintable() and text == text.strip()


# --- forms that texts take ----------------------------------------------------------------------------


def listen_address(text: str, where: str) -> tuple[str, int]:
    """`HOST:PORT` → (host, port); IPv6 in brackets, port 0 for any. Raises ConfigError."""
    found = re.fullmatch(r"(?:\[([^\]]+)\]|([^:\s/\[\]]*)):([0-9]{1,5})", text)
    if found is None or int(found[3]) > 65535 or not text.isprintable():
        raise ConfigError(f"{where}: `hub.listen`: {text!r} is not HOST:PORT, as in 127.0.0.1:8080")
    if found[1]:
        try:
            IPv6Address(found[1])
        except ValueError as error:
            raise ConfigError(f"{where}: `hub.listen`: {found[1]!r} is no IPv6 address") from error
    return found[1] or found[2] or "0.0.0.0", int(found[3])  # noqa: S104 - an empty host means every address, as elsewhere


_LONGEST_COMMIT_S = 60
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31557600}
_LONGEST_S = 1000 * _UNITS_S["y"]


def duration_s(text: str, where: str) -> int:
    """`90d`, `12h`, `30m`, `2y` → seconds, 1 to those of 1000 years. Raises ConfigError."""
    found = re.fullmatch(r"([0-9]{1,12})\s*([smhdwy])", text.strip())
    seconds = int(found[1]) * _UNITS_S[found[2]] if found is not None else 0
    if not 1 <= seconds <= _LONGEST_S:
        raise ConfigError(
            f"{where}: {text!r} is no duration up to 1000y: a whole number and s, m, h, d, w or y, as in 90d"
        )
    return seconds
