"""The key by which a hub knows this board again: kept when a hub gives it, proved when one asks.

Loaded for the moment (commands.py). docs/protocol.md, Enrolment, is the specification.
"""

import binascii
import hashlib
import os

from jobs import Refused
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from node import Node

PATH = "/hub.key"
_KEY = const(64)
_NONCE = const(32)
_BLOCK = const(64)


def prove(params: "dict[str, Any]", node: "Node") -> "Any":
    """Answer a challenge: `proof` is null where the board holds no key. Raises Refused."""
    nonce = _hex(params, "nonce", _NONCE)
    key = _kept()
    if key is None:
        return {"proof": None}
    text = "outpost board\n" + nonce + "\n" + node.session.uid + "\n" + node.session.boot_id
    return {"proof": binascii.hexlify(mac(key, text.encode())).decode()}


def enrol(params: "dict[str, Any]", node: "Node") -> "Any":
    """Keep a key in place of any before; a cut leaves either the one or the other. Raises Refused."""
    text = _hex(params, "key", _KEY)
    if not node.uplink.cabled:
        raise Refused("a key is taken over the cable alone")
    try:
        with open(PATH + ".new", "w") as file:
            file.write(text)
        if _read(PATH + ".new") != text:
            raise Refused("the flash did not keep the key")
        os.rename(PATH + ".new", PATH)
        if hasattr(os, "sync"):
            os.sync()
    except OSError as error:
        raise Refused(f"the flash failed: {error}")  # noqa: B904 - MicroPython has no `from`
    return {"kept": True}


def mac(key: bytes, text: bytes) -> bytes:
    """Return the HMAC-SHA256 of a text (RFC 2104); the key has at most 64 bytes."""
    key += bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes([b ^ 0x36 for b in key]))
    inner.update(text)
    outer = hashlib.sha256(bytes([b ^ 0x5C for b in key]))
    outer.update(inner.digest())
    found: bytes = outer.digest()
    return found


def _kept() -> "bytes | None":
    """Return the key, or None where there is none, or a file that is none."""
    try:
        return binascii.unhexlify(_hex({"key": _read(PATH)}, "key", _KEY))
    except (OSError, Refused):
        return None


def _read(path: str) -> str:
    with open(path) as file:
        text: str = file.read(_KEY + 1)
    return text


def _hex(params: "dict[str, Any]", name: str, digits: int) -> str:
    value = params.get(name)
    if not isinstance(value, str) or len(value) != digits or value.strip("0123456789abcdef"):
        raise Refused(f"{name} must be {digits} hex digits")
    return value
