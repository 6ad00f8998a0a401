"""`control`: the WebSocket that takes commands and tells how they fare (subprotocol outpost.v1)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from hub.commands import AlreadySent, BadParams, NoSuchCommand, QueueFull, TooFast, UnknownCommand
from hub.devices import UnknownDevice
from hub.mismatch import mismatch
from hub.model import Role
from hub.web.gate.auth import identify
from hub.web.gate.origin import origin_of
from hub.web.gate.reach import command_within, device_within, reach_of
from hub.web.gate.revocation import HELD
from hub.web.live import rpc
from hub.web.live.filters import Filter
from hub.web.parts import IDENTITY, parts_of
from hub.web.problem import Problem
from hub.web.route import API, Answer, Reaches, Route
from hub.web.serving.closing import CLOSING

if TYPE_CHECKING:
    from hub.bus import Batch
    from hub.model import CommandResult, Identity

Params = TypeVar("Params", bound=msgspec.Struct)

log = logging.getLogger(__name__)

SUBPROTOCOL = "outpost.v1"
MESSAGE_BYTES = 64 << 10
CLOSING_BYTES = 1 << 20
"""A message beyond this is not even read to its end: the socket closes (1009)."""
HEARTBEAT_S = 20.0
CLOSE_S = 2.0
IN_FLIGHT = 32
ANSWERS = 64
"""Answers that may wait for a slow reader; then no more of its requests are read."""
UPDATES = 1000
"""Updates that may wait for a slow reader; then it is closed."""


async def control(request: web.Request) -> web.StreamResponse:
    """Serve one control socket until either side closes it."""
    socket = web.WebSocketResponse(
        protocols=(SUBPROTOCOL,),
        heartbeat=HEARTBEAT_S,
        max_msg_size=CLOSING_BYTES,
        compress=False,
        timeout=CLOSE_S / 2,
    )
    ready = socket.can_prepare(request)
    if "Upgrade" not in request.headers:
        raise Problem(426, "this is a WebSocket", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    if not ready:
        raise Problem(400, "the WebSocket handshake is broken (RFC 6455, 4.2.1)")
    if ready.protocol != SUBPROTOCOL:
        raise Problem(400, f"offer the subprotocol {SUBPROTOCOL}", parameter="Sec-WebSocket-Protocol")
    await socket.prepare(request)
    await Session(request, socket).run()
    return socket


class Session:
    """One socket: requests are answered as they finish, updates come in between, a slow reader is closed."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._request = request
        self._parts = parts_of(request)
        self._identity: Identity = request[IDENTITY]
        self._wanted = Filter(reach=reach_of(request))
        self._socket = socket
        self._outgoing: asyncio.Queue[tuple[list[str], bool]] = asyncio.Queue()
        self._room = asyncio.Semaphore(ANSWERS)
        self._updates_waiting = 0
        self._asked: set[asyncio.Task[None]] = set()
        self._closer: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Read until the socket closes."""
        unsubscribe = self._parts.bus.subscribe(self._updates)
        stop = self._request.app[CLOSING].call(lambda: self._close(WSCloseCode.GOING_AWAY, b"the hub stops"))
        writer = asyncio.create_task(self._write())
        self._request[HELD].end = lambda: self._close(WSCloseCode.POLICY_VIOLATION, b"logged out")
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    await self._take(message.data)
                elif message.type is WSMsgType.BINARY:
                    await self._fail(rpc.RpcError(rpc.INVALID_REQUEST, "messages are text, this one is not"))
        finally:
            stop()
            unsubscribe()
            writer.cancel()
            # Commands that were sent go on; only nobody is there to hear of them.
            for task in self._asked:
                task.cancel()
            if self._closer is not None:
                await asyncio.wait([self._closer])

    async def _take(self, text: str) -> None:
        try:
            asked = self._admit(text)
        except rpc.RpcError as error:
            await self._fail(error)
            return
        task = asyncio.create_task(self._answer(asked))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    def _admit(self, text: str) -> rpc.Request:
        """Check a message, and that there is room for one more. Raises RpcError."""
        if len(text) > MESSAGE_BYTES:
            raise rpc.RpcError(rpc.INVALID_REQUEST, f"the message is longer than {MESSAGE_BYTES} characters")
        asked = rpc.parse(text)
        if len(self._asked) >= IN_FLIGHT:
            raise rpc.RpcError(
                rpc.BUSY, f"{IN_FLIGHT} requests of this socket wait for their answers", id_=_id(asked)
            )
        return asked

    async def _answer(self, asked: rpc.Request) -> None:
        try:
            result = await self._call(asked)
        except rpc.RpcError as error:
            error.id = _id(asked)
            if asked.id is not msgspec.UNSET:
                await self._fail(error)
        except Exception:
            log.exception("a request of %s failed", self._identity.name)
            detail = "the hub failed on this request; its log says more"
            await self._fail(rpc.RpcError(rpc.INTERNAL_ERROR, detail, id_=_id(asked)))
        else:
            if asked.id is not msgspec.UNSET:
                await self._say(rpc.answer(asked.id, result))

    async def _call(self, asked: rpc.Request) -> object:
        if asked.method == "command.send":
            return await self._send(asked)
        if asked.method == "command.cancel":
            return self._cancel(asked)
        raise rpc.RpcError(
            rpc.METHOD_NOT_FOUND,
            f"no method {asked.method[:60]!r}; there are: command.send, command.cancel",
        )

    async def _send(self, asked: rpc.Request) -> CommandResult:
        caller = self._allowed(Role.OPERATOR)
        wanted = _params(asked, rpc.CommandSend)
        try:
            device_within(self._parts, caller, wanted.device)
            return await self._parts.commands.send(
                device=wanted.device,
                command=wanted.command,
                params=wanted.params,
                ttl_ms=wanted.ttl_ms,
                key=wanted.key,
                caller=caller.name,
                origin=origin_of(self._request, "websocket"),
            )
        except UnknownDevice as error:
            raise rpc.RpcError(rpc.UNKNOWN_DEVICE, str(error), parameter="device") from error
        except UnknownCommand as error:
            raise rpc.RpcError(rpc.UNKNOWN_COMMAND, str(error), parameter="command") from error
        except BadParams as error:
            raise rpc.RpcError(rpc.INVALID_PARAMS, str(error), parameter="params") from error
        except (QueueFull, TooFast) as error:
            raise rpc.RpcError(rpc.BUSY, str(error)) from error

    def _cancel(self, asked: rpc.Request) -> dict[str, object]:
        caller = self._allowed(Role.OPERATOR)
        wanted = _params(asked, rpc.CommandCancel)
        try:
            command_within(self._parts, caller, wanted.id)
            cancelled = self._parts.commands.cancel(wanted.id, caller.name)
        except NoSuchCommand as error:
            raise rpc.RpcError(rpc.UNKNOWN_COMMAND, str(error), parameter="id") from error
        except AlreadySent as error:
            raise rpc.RpcError(rpc.CONFLICT, str(error), parameter="id") from error
        return {"id": wanted.id, "cancelled": cancelled}

    def _allowed(self, role: Role) -> Identity:
        """Ask again who the caller is: its session may have ended since. Raises RpcError."""
        try:
            identity = identify(self._request)
        except Problem:
            identity = None
        if identity is None:
            self._close(WSCloseCode.POLICY_VIOLATION, b"logged out")
            raise rpc.RpcError(rpc.NO_RIGHT, "the session has ended: log in again")
        if not identity.role.includes(role):
            self._parts.health.refusals.labels("role").inc()
            raise rpc.RpcError(
                rpc.NO_RIGHT, f"this needs the role {role}; {identity.name} is {identity.role}"
            )
        return identity

    def _updates(self, batch: Batch) -> None:
        told = (event for event in batch.events if event.kind == "command")
        texts = [
            rpc.command_notification(event.data) for event in told if self._wanted.takes_device(event.device)
        ]
        if self._updates_waiting > UPDATES:
            self._close(WSCloseCode.TRY_AGAIN_LATER, b"too slow")
        elif texts:
            self._updates_waiting += len(texts)
            self._outgoing.put_nowait((texts, True))

    async def _say(self, text: str) -> None:
        """Queue an answer. It waits for room, and the reader with it: who asks too fast slows itself down."""
        await self._room.acquire()
        self._outgoing.put_nowait(([text], False))

    async def _fail(self, error: rpc.RpcError) -> None:
        await self._say(rpc.failure(error))

    async def _write(self) -> None:
        try:
            while True:
                texts, are_updates = await self._outgoing.get()
                for text in texts:
                    await self._socket.send_str(text)
                if are_updates:
                    self._updates_waiting -= len(texts)
                else:
                    self._room.release()
        except ConnectionError:
            # The reader sees the same end, and ends the session.
            return

    def _close(self, code: int, why: bytes) -> None:
        if self._closer is None:
            self._closer = asyncio.create_task(self._shut(code, why))

    async def _shut(self, code: int, why: bytes) -> None:
        """Close as the protocol says; who does not even take the closing frame is cut."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._socket.close(code=code, message=why)
        except TimeoutError:
            if self._request.transport is not None:
                self._request.transport.abort()


def _params(asked: rpc.Request, kind: type[Params]) -> Params:
    """Check the params of a request. Raises RpcError, naming the field."""
    try:
        return msgspec.convert(asked.params, kind)
    except msgspec.ValidationError as error:
        wrong = mismatch(error, kind)
        detail = wrong.text if wrong.place else f"params: {wrong.reason}"
        raise rpc.RpcError(rpc.INVALID_PARAMS, detail, parameter=wrong.place or None) from error


def _id(asked: rpc.Request) -> rpc.RequestId:
    return None if isinstance(asked.id, msgspec.UnsetType) else asked.id


ROUTES = (
    Route(
        method="GET",
        path=f"{API}/control",
        handler=control,
        role=Role.VIEWER,
        reaches=Reaches.SOME,
        summary=(
            "WebSocket, outpost.v1, JSON-RPC 2.0: command.send, command.cancel, and the notifications"
            " command.update, command.progress"
        ),
        answers={101: Answer(text="The socket is open", media=None)},
        problems=(426,),
    ),
)
