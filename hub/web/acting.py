"""What rules do outside: webhooks, MQTT messages, clips and commands, each by the room that can."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any

import aiohttp

from hub import __version__
from hub.alerts.deeds import Failed
from hub.camera.recording.filming import AlreadyRecording
from hub.model import CommandState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hub.camera.camera import Camera
    from hub.commands import Commands

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
_SECRET_BYTES = 4096
_HEADER = re.compile(r"([A-Za-z0-9-]{1,64}): ?([\x21-\x7e][\x20-\x7e]{0,4000})")


class Acting:
    """The seams of `hub.alerts.deeds`. `publish` is the broker's link, None where there is none.

    A webhook goes where an admin said, and nowhere else: no redirect is followed, no proxy of the
    environment is asked, and nothing of the answer but its status is looked at. `secrets` is a folder that
    only who has a shell on the hub's machine can write.
    """

    def __init__(
        self,
        *,
        secrets: Path,
        commands: Commands,
        cameras: Mapping[str, Camera],
        publish: Callable[[str, bytes], None] | None,
    ) -> None:
        self._secrets = secrets
        self._commands = commands
        self._cameras = cameras
        self._publish = publish

    async def post(self, url: str, secret: str | None, content: bytes) -> None:
        """POST JSON once. Raises Failed; `again` where the other side may take it later."""
        headers = {"Content-Type": "application/json", "User-Agent": f"outpost/{__version__}"}
        if secret is not None:
            headers |= await asyncio.to_thread(self._secret, secret)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
                session.post(url, data=content, headers=headers, allow_redirects=False) as response,
            ):
                status = response.status
        except TimeoutError as error:
            raise Failed(f"no answer within {TIMEOUT_S:g} s", again=True) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Failed(f"cannot be reached: {type(error).__name__}", again=True) from error
        if not 200 <= status < 300:
            raise Failed(f"was answered with {status}", again=status >= 500 or status in (408, 429))

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish a message. Raises Failed, NotReachable."""
        if self._publish is None:
            raise Failed("no MQTT broker is configured, and none answers on this machine")
        self._publish(topic, payload)

    async def film(self, camera: str, seconds: float, rule: str) -> None:
        """Record for a rule's alert; one that runs for it is as good. Raises Failed, CameraError."""
        found = self._cameras.get(camera)
        if found is None or found.filming is None:
            raise Failed(f"no camera {camera[:40]!r} records here")
        try:
            await found.filming.start(seconds, "alert", rule)
        except AlreadyRecording as error:
            log.info("alert %s: %s", rule, error)

    async def send(self, device: str, command: str, params: Mapping[str, Any], caller: str) -> None:
        """Carry a command to its end. Raises CommandRefused, UnknownDevice, Failed (without success)."""
        result = await self._commands.send(
            device=device, command=command, params=params, caller=caller, origin="alert"
        )
        if result.state is not CommandState.SUCCEEDED:
            raise Failed(f"{command} to {device}: {result.state}: {result.error}")

    def _secret(self, name: str) -> dict[str, str]:
        path = self._secrets / name
        try:
            with path.open("rb") as file:
                line = file.read(_SECRET_BYTES).decode("ascii", "replace").strip()
        except OSError as error:
            raise Failed(f"{path}: cannot be read: {error.strerror}") from error
        found = _HEADER.fullmatch(line)
        if found is None:
            raise Failed(f"{path}: is not one header, as in `Authorization: Bearer …`")
        return {found[1]: found[2]}
