"""What an alert says to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.alerts.rule import Condition

if TYPE_CHECKING:
    from hub.alerts.rule import Rule
    from hub.model import Value


def reason(rule: Rule, metric: str, value: Value, unit: str) -> str:
    """Return why a rule raised, as in `temperature is 31.2 °C, above 30 °C for 5m`."""
    behind = f" {unit}" if unit else ""
    held = f" for {rule.hold}" if rule.hold.strip()[:1] not in ("", "0") else ""
    limit = f"{_shown(rule.threshold)}{behind}"
    match rule.condition:
        case Condition.ABOVE | Condition.BELOW:
            return f"{metric} is {_shown(value)}{behind}, {rule.condition} {limit}{held}"
        case Condition.RISES | Condition.FALLS:
            verb = "rose" if rule.condition is Condition.RISES else "fell"
            return f"{metric} {verb} by more than {limit} within {rule.window}, to {_shown(value)}{behind}"
        case Condition.BECOMES:
            return f"{metric} became {_shown(value)}{held}"
        case Condition.SILENT:
            return f"no value of {metric}{held}"


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)[:80]
