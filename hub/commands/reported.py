"""What a device says it is, in the words of the command that sets it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.model import Quality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.devices import DeviceState


def reported(
    state: DeviceState, command: str, params: Mapping[str, Any], answer: Any
) -> dict[str, Any] | None:
    """Return the parameters that a device reports; None where it tells nothing.

    An interval is what the birth says of its metric; what `set_NAME` sets is the metric NAME where there is
    one (on and off where it is boolean); of all else the device's own answer tells, if it is of this boot.
    """
    if command == "set_interval":
        return _interval(state, params)
    sample = state.latest.get(command.removeprefix("set_")) if state.online else None
    if sample is not None and sample.quality is Quality.GOOD and len(params) == 1:
        (name,) = params
        value = sample.value
        if isinstance(params[name], str) and isinstance(value, bool):
            return {name: "on" if value else "off"}
        if isinstance(value, (int, float)) == isinstance(params[name], (int, float)):
            return {name: value}
    if isinstance(answer, dict):
        told = {name: value for name, value in answer.items() if name in params}
        return told or None
    return None


def _interval(state: DeviceState, params: Mapping[str, Any]) -> dict[str, Any] | None:
    for metric in state.birth.metrics:
        if metric.name == params.get("metric"):
            return {"interval_ms": metric.interval_ms}
    return None
