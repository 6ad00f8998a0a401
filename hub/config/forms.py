"""The forms that texts in the configuration take: addresses, durations."""

from __future__ import annotations

import re
from ipaddress import IPv6Address

from hub.model import OutpostError


class ConfigError(OutpostError):
    """The configuration cannot be used; the message names the file, the key and the reason."""


def listen_address(text: str, where: str) -> tuple[str, int]:
    """`HOST:PORT` → (host, port); IPv6 in brackets, port 0 for any. Raises ConfigError."""
    found = re.fullmatch(r"(?:\[([^\]]+)\]|([^:\s/\[\]]*)):([0-9]{1,5})", text)
    if found is None or int(found[3]) > 65535 or not text.isprintable():
        raise ConfigError(f"{where}: `hub.listen`: {text!r} is not HOST:PORT, as in 127.0.0.1:8080")
    if found[1]:
        try:
            IPv6Address(found[1])
        except ValueError as error:
            raise ConfigError(f"{where}: `hub.listen`: {found[1]!r} is no IPv6 address") from error
    return found[1] or found[2] or "0.0.0.0", int(found[3])  # noqa: S104 - an empty host means every address, as elsewhere


_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31557600}
_LONGEST_S = 1000 * _UNITS_S["y"]


def duration_s(text: str, where: str) -> int:
    """`90d`, `12h`, `30m`, `2y` → seconds, 1 to those of 1000 years. Raises ConfigError."""
    found = re.fullmatch(r"([0-9]{1,12})\s*([smhdwy])", text.strip())
    seconds = int(found[1]) * _UNITS_S[found[2]] if found is not None else 0
    if not 1 <= seconds <= _LONGEST_S:
        raise ConfigError(
            f"{where}: {text!r} is no duration up to 1000y: a whole number and s, m, h, d, w or y, as in 90d"
        )
    return seconds
