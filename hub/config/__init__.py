"""The configuration: what it may say (`sections`), how it is read (`file`, `forms`), bounds (`checks`)."""

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
    "WebrtcConfig",
    "age_ms",
    "duration_s",
    "listen_address",
    "load",
    "parse",
    "size_bytes",
]
