"""What no type can say: the bounds and forms of each section's values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hub.config.forms import ConfigError, duration_s, listen_address
from hub.config.retention import check_retention
from hub.config.schedule import parse_rule

if TYPE_CHECKING:
    from hub.config.sections import CameraConfig, Config, HubConfig, MqttConfig, TlsConfig

_LONGEST_COMMIT_S = 60
_MOST_SENSORS = 64
_DAY_S = 86_400
_LONGEST_NAME = 64
SOURCES = (
    "test, picamera2, picamera2:1, v4l2:/dev/video0, file:/path/to/video.mp4, rtsp://…, http://…, https://…"
)
_SOURCE = re.compile(r"test|picamera2(:\d)?|(v4l2|file):.+|(rtsps?|https?)://.+")


def check(config: Config, where: str) -> None:
    """Refuse values that cannot be used; `where` names the file. Raises ConfigError."""
    _check_hub(config.hub, where)
    _check_tls(config.tls, where)
    _check_mqtt(config.mqtt, where)
    for index, port in enumerate(config.serial.ports):
        if port != "auto" and not _is_path(port):
            raise ConfigError(
                f"{where}: `serial.ports[{index}]`: {port!r} is neither auto nor a path such as /dev/ttyACM0"
            )
    if config.serial.enrolment not in ("ask", "auto", "off"):
        raise ConfigError(f"{where}: `serial.enrolment`: {config.serial.enrolment!r} is not ask, auto or off")
    for index, server in enumerate(config.webrtc.ice_servers):
        if not re.fullmatch(r"(stun|turn)s?:[^\s/?#]+(\?transport=(udp|tcp))?", server):
            raise ConfigError(
                f"{where}: `webrtc.ice_servers[{index}]`: {server!r} is not stun:HOST:PORT or turn:HOST:PORT"
            )
    _check_cameras(config.camera, where)
    _check_host(config, where)
    check_retention(config.retention, config.tags, where)
    for key, text in (("ack", config.store.ack), ("commit", config.store.commit)):
        if duration_s(text, f"{where}: `store.{key}`") > _LONGEST_COMMIT_S:
            raise ConfigError(f"{where}: `store.{key}`: {text!r} is too long; at most {_LONGEST_COMMIT_S}s")


def _check_hub(hub: HubConfig, where: str) -> None:
    if not hub.name.strip() or not hub.name.isprintable() or len(hub.name) > _LONGEST_NAME:
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


def _check_tls(tls: TlsConfig, where: str) -> None:
    if tls.mode not in ("off", "local", "files"):
        raise ConfigError(f"{where}: `tls.mode`: {tls.mode!r} is not off, local or files")
    for key, path in (("certificate", tls.certificate), ("key", tls.key)):
        if tls.mode == "files" and not path:
            raise ConfigError(f"{where}: `tls.{key}`: is missing; with mode files it names a PEM file")
        if tls.mode != "files" and path:
            raise ConfigError(f"{where}: `tls.{key}`: is for `tls.mode` files, which is {tls.mode}")
    if tls.redirect:
        if tls.mode == "off":
            raise ConfigError(f"{where}: `tls.redirect`: there is no HTTPS to lead to; `tls.mode` is off")
        try:
            listen_address(tls.redirect, where)
        except ConfigError as error:
            raise ConfigError(str(error).replace("`hub.listen`", "`tls.redirect`")) from error


def _check_mqtt(mqtt: MqttConfig, where: str) -> None:
    if not mqtt.host or not mqtt.host.isprintable() or re.search(r"[\s/]", mqtt.host):
        raise ConfigError(f"{where}: `mqtt.host`: {mqtt.host!r} is no host name or address")
    if not 1 <= mqtt.port <= 65535:
        raise ConfigError(f"{where}: `mqtt.port`: {mqtt.port} is no TCP port (1 to 65535)")
    if not re.fullmatch(r"[^+#/\s]{1,64}(/[^+#/\s]{1,64}){0,7}", mqtt.topic) or not mqtt.topic.isprintable():
        raise ConfigError(f"{where}: `mqtt.topic`: {mqtt.topic!r} is no topic prefix without wildcards")
    if mqtt.username is not None and not mqtt.username.isprintable():
        raise ConfigError(f"{where}: `mqtt.username`: {mqtt.username[:70]!r} is no name")
    if mqtt.password_file is not None and mqtt.username is None:
        raise ConfigError(f"{where}: `mqtt.username`: is missing beside `mqtt.password_file`")


def _check_host(config: Config, where: str) -> None:
    host = config.host
    if not 500 <= host.interval_ms <= 3_600_000:
        raise ConfigError(f"{where}: `host.interval_ms`: {host.interval_ms} is not within 500 to 3600000")
    for name in ("sysfs", "dev"):
        path = getattr(host, name)
        if not _is_path(path) or not path.startswith("/"):
            raise ConfigError(f"{where}: `host.{name}`: {path!r} is no folder's whole path, as in /{name}")
    if len(config.sensor) > _MOST_SENSORS:
        raise ConfigError(f"{where}: `sensor`: {len(config.sensor)} entries; at most {_MOST_SENSORS}")
    for index, entry in enumerate(config.sensor):
        # What else an entry may say, its driver knows: hub.links.pins.plan, before the hub starts.
        if not isinstance(entry.get("driver"), str):
            raise ConfigError(
                f'{where}: `sensor[{index}].driver`: must be a driver\'s name, as in driver = "bme280"'
            )


def _check_cameras(cameras: tuple[CameraConfig, ...], where: str) -> None:
    ids: set[str] = set()
    takers: dict[str, str] = {}
    for index, camera in enumerate(cameras):
        _check_camera(camera, f"{where}: `camera[{index}]")
        if camera.id in ids:
            raise ConfigError(f"{where}: `camera[{index}].id`: {camera.id!r} is there twice")
        ids.add(camera.id)
        if not camera.source.startswith(("picamera2", "v4l2:")):
            continue
        other = takers.setdefault(camera.source.removesuffix(":0"), camera.id)
        if other != camera.id:
            raise ConfigError(
                f"{where}: `camera[{index}].source`: {camera.source!r} is taken by camera `{other}` already; "
                "a device serves one (the Pi's second camera is picamera2:1)"
            )


def _check_camera(camera: CameraConfig, key: str) -> None:
    _check_who(camera, key)
    limits = {
        "width": (64, 3840),
        "height": (64, 2160),
        "fps": (1, 60),
        "bitrate_kbps": (50, 20000),
        "max_viewers": (1, 256),
        "pre_roll_s": (0, 60),
        "recordings_mb": (10, 1_000_000),
        "timelapse_mb": (10, 1_000_000),
    }
    for name, (low, high) in limits.items():
        if not low <= getattr(camera, name) <= high:
            raise ConfigError(f"{key}.{name}`: {getattr(camera, name)} is not within {low} to {high}")
    for name in ("width", "height"):
        if getattr(camera, name) % 2:
            raise ConfigError(
                f"{key}.{name}`: {getattr(camera, name)} must be even (H.264 codes pairs of pixels)"
            )
    for name in ("recordings_keep", "timelapse_keep"):
        duration_s(getattr(camera, name), f"{key}.{name}`")
    for index, rule in enumerate(camera.record):
        parse_rule(rule, f"{key}.record[{index}]`")
    if camera.timelapse != "off" and duration_s(camera.timelapse, f"{key}.timelapse`") > _DAY_S:
        raise ConfigError(f"{key}.timelapse`: {camera.timelapse!r} is longer than a day")


def _check_who(camera: CameraConfig, key: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", camera.id):
        raise ConfigError(f"{key}.id`: {camera.id!r} must be 1 to 32 of a-z, 0-9, - and _")
    if not camera.name.isprintable() or len(camera.name) > _LONGEST_NAME:
        raise ConfigError(f"{key}.name`: {camera.name[:70]!r} must be at most 64 printable characters")
    if not (_SOURCE.fullmatch(camera.source) and camera.source.isprintable()):
        shown = re.sub(r"//[^@]*@", "//***@", camera.source)[:70]
        raise ConfigError(f"{key}.source`: {shown!r} is none; known are {SOURCES}")


def _is_path(text: str) -> bool:
    return bool(text) and text.isprintable() and text == text.strip()
