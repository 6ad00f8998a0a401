"""A command's parameters against the JSON Schema that its device declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from hub.commands.errors import BadParams, UnknownCommand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.devices import DeviceState
    from hub.model import CommandType

_KEPT = 512


def offered(state: DeviceState, command: str) -> CommandType:
    """Return the command of that name. Raises UnknownCommand, naming those that there are."""
    for one in state.birth.commands:
        if one.name == command:
            return one
    names = ", ".join(one.name for one in state.birth.commands) or "none"
    raise UnknownCommand(f"{state.id} offers no command {command!r}; it offers: {names}")


def check_params(kind: CommandType, params: Mapping[str, Any]) -> None:
    """Check parameters against the command's JSON Schema. Raises BadParams, naming the field."""
    _check(_validator(kind), kind, params)


class ParamChecks:
    """Checks parameters; a schema is prepared once as long as its device declares the same."""

    def __init__(self) -> None:
        self._prepared: dict[tuple[str, str], tuple[CommandType, Draft202012Validator]] = {}

    def check(self, device: str, kind: CommandType, params: Mapping[str, Any]) -> None:
        """Check parameters against a device's command. Raises BadParams, naming the field."""
        key = (device, kind.name)
        known = self._prepared.get(key)
        if known is None or known[0] is not kind:
            if len(self._prepared) >= _KEPT:
                self._prepared.clear()
            known = self._prepared[key] = (kind, _validator(kind))
        _check(known[1], kind, params)


def _validator(kind: CommandType) -> Draft202012Validator:
    return Draft202012Validator({"type": "object", "additionalProperties": False, **kind.params})


def _check(validator: Draft202012Validator, kind: CommandType, params: Mapping[str, Any]) -> None:
    try:
        validator.validate(dict(params))
    except ValidationError as error:
        field = ".".join(str(part) for part in error.absolute_path)
        raise BadParams(f"{field or 'params'}: {error.message}") from error
    except SchemaError as error:
        raise BadParams(f"the device's own schema of {kind.name!r} is broken: {error.message}") from error
