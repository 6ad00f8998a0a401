"""The configuration: what it may say (`sections`), how it is read (`file`, `forms`), bounds (`checks`)."""

from hub.config.exposure import check_exposure, is_loopback
from hub.config.file import load, parse
from hub.config.forms import ConfigError, duration_s, listen_address
from hub.config.retention import RetentionConfig, RetentionRule, age_ms, size_bytes
from hub.config.sections import (
    CameraConfig,
    Config,
    HostConfig,
    HubConfig,
    MqttConfig,
    SerialConfig,
    StoreConfig,
    TlsConfig,
    WebrtcConfig,
)

__all__ = [
    "CameraConfig",
    "Config",
    "ConfigError",
    "HostConfig",
    "HubConfig",
    "MqttConfig",
    "RetentionConfig",
    "RetentionRule",
    "SerialConfig",
    "StoreConfig",
    "TlsConfig",
    "WebrtcConfig",
    "age_ms",
    "check_exposure",
    "duration_s",
    "is_loopback",
    "listen_address",
    "load",
    "parse",
    "size_bytes",
]
