"""What the configuration file may say: one Struct a section, every key with its default."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.config.retention import RetentionConfig


class HubConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[hub]`: who the hub is and where it listens."""

    name: str = "outpost"
    listen: str = "127.0.0.1:8080"
    allowed_hosts: tuple[str, ...] = ()
    """Host names, besides its own addresses, by which browsers may call the hub."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of other sites that may call the API with credentials of their own (CORS)."""
    plain_http: bool = False
    """Serve other machines without TLS: whoever shares the network can read and change what passes."""


class TlsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[tls]`: HTTPS, by an authority of the hub's own (`local`) or by the files of another (`files`)."""

    mode: str = "off"
    certificate: str | None = None
    key: str | None = None
    redirect: str | None = None
    """HOST:PORT where plain HTTP is answered with the way to HTTPS."""


class SerialConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[serial]`: the ports that boards are on; `auto` finds boards on USB as they come and go."""

    ports: tuple[str, ...] = ("auto",)
    enrolment: str = "ask"
    """Whether an unknown board waits to be accepted (`ask`), is accepted as it comes (`auto`), or nobody is
    asked for anything (`off`, for a bench)."""


class MqttConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[mqtt]`: the broker. Left out: localhost:1883, as soon as one answers there."""

    enabled: bool = True
    host: str = "localhost"
    port: int = 1883
    username: str | None = None
    password_file: str | None = None
    topic: str = "outpost"
    boards: bool = False
    """Whether boards may speak over the broker; its access rules must hold each to its own topics."""


class CameraConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[camera]]`."""

    id: str
    source: str = "test"
    name: str = ""
    width: int = 1280
    height: int = 720
    fps: int = 30
    bitrate_kbps: int = 2000
    max_viewers: int = 16
    """Who may look at once, by WebRTC and MJPEG; one user or token may be half of them."""
    pre_roll_s: int = 0
    """Seconds before the event that a recording begins with; above 0 the camera is always on."""
    recordings_mb: int = 2000
    """How much the camera's recordings may take; the oldest go first."""
    recordings_keep: str = "30d"
    record: tuple[str, ...] = ()
    """When it records by itself: `mon-fri 08:00-18:00`, `22:00-06:00`, `every 1h for 30s`."""
    timelapse: str = "off"
    """A snapshot each so often, as in `1m`, goes into the film of the day."""
    timelapse_mb: int = 500
    timelapse_keep: str = "90d"


class HostConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[host]`: the Pi itself, and how often its sensors are read that say nothing else."""

    interval_ms: int = 5000
    sysfs: str = "/sys"
    """Where the kernel shows its sensors; elsewhere only where a container has the host's."""
    dev: str = "/dev"


class WebrtcConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[webrtc]`: STUN and TURN servers, `stun:host:port` or `turn:host:port`; none are asked by default."""

    ice_servers: tuple[str, ...] = ()
    username: str | None = None
    password_file: str | None = None


class StoreConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[store]`: how long samples wait for a commit. Longer spares the card."""

    ack: str = "1s"
    """Samples of boards, which keep them in their outbox until the commit."""
    commit: str = "10s"
    """All others: at most this much is lost with the power."""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file; every key is optional."""

    hub: HubConfig = HubConfig()
    tls: TlsConfig = TlsConfig()
    serial: SerialConfig = SerialConfig()
    mqtt: MqttConfig = MqttConfig()
    host: HostConfig = HostConfig()
    sensor: tuple[dict[str, Any], ...] = ()
    """`[[sensor]]`: what is wired to the Pi. The keys of an entry are its driver's (hub.links.pins.plan)."""
    camera: tuple[CameraConfig, ...] = ()
    webrtc: WebrtcConfig = WebrtcConfig()
    retention: RetentionConfig = RetentionConfig()
    tags: dict[str, tuple[str, ...]] = {}
    """`[tags]`: words for devices, by which rules and people group them."""
    store: StoreConfig = StoreConfig()
