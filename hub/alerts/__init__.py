"""Alerts: rules on metrics, what they raise, and what is done then."""

from hub.alerts.alerts import Alerts, NoSuchAlert
from hub.alerts.rule import (
    BadRule,
    ClipAction,
    CommandAction,
    Condition,
    MqttAction,
    Rule,
    Severity,
    WebhookAction,
    check,
)

__all__ = [
    "Alerts",
    "BadRule",
    "ClipAction",
    "CommandAction",
    "Condition",
    "MqttAction",
    "NoSuchAlert",
    "Rule",
    "Severity",
    "WebhookAction",
    "check",
]
