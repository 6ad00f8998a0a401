"""The configuration file: TOML into typed values, with errors that name file, key and remedy."""

from __future__ import annotations

import difflib
import re
import tomllib
from ipaddress import ip_address
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
    """`[serial]`: the ports that boards are on; `auto` finds USB serial ports as they come and go."""

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


class WebrtcConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[webrtc]`: STUN and TURN servers, `stun:host:port` or `turn:host:port`; none are asked by default."""

    ice_servers: tuple[str, ...] = ()
    username: str | None = None
    password_file: str | None = None


class RetentionConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[retention]`: how long samples stay."""

    raw: str = "90d"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file; every key is optional."""

    hub: HubConfig = HubConfig()
    serial: SerialConfig = SerialConfig()
    mqtt: MqttConfig = MqttConfig()
    camera: tuple[CameraConfig, ...] = ()
    webrtc: WebrtcConfig = WebrtcConfig()
    retention: RetentionConfig = RetentionConfig()


def load(path: Path) -> Config:
    """Read and check a configuration file. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return parse(text, str(path))


def parse(text: str, where: str) -> Config:
    """Check the text of a configuration file; `where` names it in errors. Raises ConfigError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not valid TOML: {error}") from error
    _refuse_unknown(raw, Config, where, "")
    try:
        config = msgspec.convert(raw, Config, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_readable(str(error))}") from error
    _check(config, where)
    return config


def _refuse_unknown(raw: dict[str, Any], section: type[msgspec.Struct], where: str, prefix: str) -> None:
    fields = {field.name: field.type for field in msgspec.structs.fields(section)}
    for key, value in raw.items():
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"; did you mean `{prefix}{near[0]}`?" if near else f"; known here: {', '.join(fields)}"
            raise ConfigError(f"{where}: unknown key `{prefix}{key}`{hint}")
        if isinstance(value, dict) and isinstance(fields[key], type):
            _refuse_unknown(value, fields[key], where, f"{prefix}{key}.")
        elif key == "camera" and isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    _refuse_unknown(item, CameraConfig, where, f"camera[{index}].")


def _readable(message: str) -> str:
    """Turn msgspec's `Expected … - at `$.a.b`` into `a.b: expected …`."""
    found = re.match(r"(.*) - at `\$\.?(.*)`$", message)
    if found is None:
        return message
    reason, key = found.groups()
    return f"`{key}`: {reason[0].lower()}{reason[1:]}"


def _check(config: Config, where: str) -> None:
    listen_address(config.hub.listen, where)
    duration_s(config.retention.raw, f"{where}: `retention.raw`")
    if not 1 <= config.mqtt.port <= 65535:
        raise ConfigError(f"{where}: `mqtt.port`: {config.mqtt.port} is no TCP port (1 to 65535)")
    if not re.fullmatch(r"[^+#/\s]+(/[^+#/\s]+)*", config.mqtt.topic):
        raise ConfigError(
            f"{where}: `mqtt.topic`: {config.mqtt.topic!r} is no topic prefix without wildcards"
        )
    seen: set[str] = set()
    for index, camera in enumerate(config.camera):
        key = f"{where}: `camera[{index}]"
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", camera.id):
            raise ConfigError(f"{key}.id`: {camera.id!r} must be 1 to 32 of a-z, 0-9, - and _")
        if camera.id in seen:
            raise ConfigError(f"{key}.id`: {camera.id!r} is there twice")
        seen.add(camera.id)
        for name, low, high in (
            ("width", 64, 3840),
            ("height", 64, 2160),
            ("fps", 1, 60),
            ("bitrate_kbps", 50, 20000),
        ):
            if not low <= getattr(camera, name) <= high:
                raise ConfigError(f"{key}.{name}`: {getattr(camera, name)} is not within {low} to {high}")
        if camera.width % 2 or camera.height % 2:
            raise ConfigError(f"{key}`: width and height must be even (H.264 codes pairs of pixels)")


def listen_address(text: str, where: str) -> tuple[str, int]:
    """`HOST:PORT` → (host, port); IPv6 in brackets, port 0 for any. Raises ConfigError."""
    found = re.fullmatch(r"(?:\[([^\]]+)\]|([^:\s]*)):(\d{1,5})", text)
    if found is None or int(found[3]) > 65535:
        raise ConfigError(f"{where}: `hub.listen`: {text!r} is not HOST:PORT, as in 127.0.0.1:8080")
    if found[1]:
        try:
            ip_address(found[1])
        except ValueError as error:
            raise ConfigError(f"{where}: `hub.listen`: {found[1]!r} is no IPv6 address") from error
    return found[1] or found[2] or "0.0.0.0", int(found[3])  # noqa: S104 - an empty host means every address, as elsewhere


_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31557600}


def duration_s(text: str, where: str) -> int:
    """`90d`, `12h`, `30m`, `2y` → seconds. Raises ConfigError."""
    found = re.fullmatch(r"(\d+)\s*([smhdwy])", text.strip())
    if found is None or int(found[1]) == 0:
        raise ConfigError(
            f"{where}: {text!r} is no duration: a whole number and s, m, h, d, w or y, as in 90d"
        )
    return int(found[1]) * _UNITS_S[found[2]]
