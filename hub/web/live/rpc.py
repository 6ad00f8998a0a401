"""JSON-RPC 2.0 messages: requests checked, answers and notifications as text. Knows no socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from hub.web.problem import encode

if TYPE_CHECKING:
    from hub.model import CommandResult

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
# The hub's own, in the range that is left to servers.
NO_RIGHT = -32001
UNKNOWN_DEVICE = -32002
UNKNOWN_COMMAND = -32003
BUSY = -32004
CONFLICT = -32005

TITLES = {
    PARSE_ERROR: "Parse error",
    INVALID_REQUEST: "Invalid request",
    METHOD_NOT_FOUND: "Method not found",
    INVALID_PARAMS: "Invalid params",
    INTERNAL_ERROR: "Internal error",
    NO_RIGHT: "No right",
    UNKNOWN_DEVICE: "Unknown device",
    UNKNOWN_COMMAND: "Unknown command",
    BUSY: "Busy",
    CONFLICT: "Conflict",
}

RequestId: TypeAlias = str | int | None


class RpcError(Exception):
    """A request that gets an error for an answer; `detail` is for people."""

    def __init__(
        self, code: int, detail: str, *, parameter: str | None = None, id_: RequestId = None
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.parameter = parameter
        self.id = id_


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request; without an id it is a notification, which gets no answer."""

    method: str
    params: Any = None
    id: RequestId | msgspec.UnsetType = msgspec.UNSET


class CommandSend(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The params of `command.send`, and the body of `POST devices/{id}/commands` without `device`."""

    device: str
    command: str
    params: dict[str, Any] = {}
    ttl_ms: int | None = None
    key: str | None = None


class CommandCancel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The params of `command.cancel`: the id that `command.update` told."""

    id: str


def parse(text: str | bytes) -> Request:
    """Check a message. Raises RpcError with the id of the request where it has one."""
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RpcError(PARSE_ERROR, f"the message is not valid JSON: {error}") from error
    if isinstance(message, list):
        raise RpcError(INVALID_REQUEST, "batches are not taken: send one request in each message")
    if not isinstance(message, dict):
        raise RpcError(INVALID_REQUEST, "the message must be a JSON object")
    id_ = message.get("id")
    if not isinstance(id_, str | int | None) or isinstance(id_, bool):
        raise RpcError(INVALID_REQUEST, "`id` must be a string, a whole number or null")
    if message.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, '`jsonrpc` must be "2.0"', id_=id_)
    if not isinstance(message.get("method"), str):
        raise RpcError(INVALID_REQUEST, "`method` must be a string", id_=id_)
    return Request(
        method=message["method"], params=message.get("params"), id=id_ if "id" in message else msgspec.UNSET
    )


def answer(id_: RequestId, result: Any) -> str:
    """Return the text of a good answer."""
    return encode({"jsonrpc": "2.0", "id": id_, "result": result}).decode()


def failure(error: RpcError) -> str:
    """Return the text of an error. `message` is for people; `data` names the kind, and what is wrong."""
    data = {"title": TITLES[error.code]}
    if error.parameter is not None:
        data["parameter"] = error.parameter
    body = {"code": error.code, "message": error.detail, "data": data}
    return encode({"jsonrpc": "2.0", "id": error.id, "error": body}).decode()


def notification(method: str, params: Any) -> str:
    """Return the text of a notification."""
    return encode({"jsonrpc": "2.0", "method": method, "params": params}).decode()


def command_notification(told: CommandResult) -> str:
    """Return what a socket hears of a command: a state it reached, or how far it is."""
    if told.progress is None:
        return notification("command.update", told)
    params = {"id": told.id, "device": told.device, "command": told.command, "key": told.key}
    progress = {"percent": told.progress.percent, "text": told.progress.text}
    return notification("command.progress", params | progress)
