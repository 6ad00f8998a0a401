"""The configuration: what it may say (`sections`), how it is read (`file`, `forms`), bounds (`checks`)."""

from hub.config.file import load, parse
from hub.config.forms import ConfigError, duration_s, listen_address
from hub.config.sections import (
    CameraConfig,
    Config,
    HubConfig,
    MqttConfig,
    RetentionConfig,
    SerialConfig,
    StoreConfig,
    WebrtcConfig,
)

__all__ = [
    "CameraConfig",
    "Config",
    "ConfigError",
    "HubConfig",
    "MqttConfig",
    "RetentionConfig",
    "SerialConfig",
    "StoreConfig",
    "WebrtcConfig",
    "duration_s",
    "listen_address",
    "load",
    "parse",
]
