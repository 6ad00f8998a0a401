"""What is done when an alert is raised or cleared: bounded, paced and never in the way of the next alert."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from hub.alerts.rule import Action, ClipAction, CommandAction, MqttAction, WebhookAction
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.health import Health
    from hub.store.alerts import Alert

log = logging.getLogger(__name__)

WAITING = 256
WORKERS = 4
RETRY_S = (1.0, 5.0, 25.0)
"""How long a webhook waits before each further try."""


class Pace(NamedTuple):
    """So many at once, and one more each `every_s`."""

    burst: int
    every_s: float


TELLING = Pace(60, 10.0)
"""Of one rule: webhooks and messages."""
ACTING = Pace(5, 60.0)
"""Of one rule: commands and clips. A command may bring about alerts that send commands: no loop is faster."""


class Failed(OutpostError):
    """What was asked for was not done; `again`: it may be worth another try."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason)
        self.again = again


class Seams(Protocol):
    """What deeds need of other rooms. Each raises OutpostError where it cannot."""

    async def post(self, url: str, secret: str | None, content: bytes) -> None:
        """POST JSON once, with the header in the file `secret`. Raises Failed."""

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish a message over MQTT."""

    async def film(self, camera: str, seconds: float, rule: str) -> None:
        """Begin a recording of what a rule's alert is about."""

    async def send(self, device: str, command: str, params: Mapping[str, Any], caller: str) -> None:
        """Carry a command to its end."""


class Deed(NamedTuple):
    """An action of a rule, and the alert that it is about."""

    action: Action
    alert: Alert


class Deeds:
    """A bounded queue of deeds, and those who do them. `retry_s` are the waits between a webhook's tries."""

    def __init__(self, seams: Seams, health: Health, retry_s: tuple[float, ...] = RETRY_S) -> None:
        self._seams = seams
        self._health = health
        self._retry_s = retry_s
        self._queue: asyncio.Queue[Deed] = asyncio.Queue(WAITING)
        self._left: dict[tuple[str, Pace], tuple[float, float]] = {}

    def put(self, alert: Alert, actions: tuple[Action, ...], now_s: float) -> None:
        """Have a rule's actions done for an alert that was raised or cleared. Never waits."""
        cleared = alert.cleared_time is not None
        for action in actions:
            if cleared and not getattr(action, "on_clear", False):
                continue
            pace = ACTING if isinstance(action, (CommandAction, ClipAction)) else TELLING
            if not self._take(alert.rule, pace, now_s):
                self._count(action, "too many")
                log.warning(
                    "alert %s: not done, since rule %s acts too often: %s",
                    alert.id,
                    alert.rule,
                    _kind(action),
                )
                continue
            try:
                self._queue.put_nowait(Deed(action, alert))
            except asyncio.QueueFull:
                self._count(action, "queue full")
                log.error(
                    "alert %s: not done, since %d actions wait already: %s", alert.id, WAITING, _kind(action)
                )

    async def run(self) -> None:
        """Do what comes, a few at a time, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            deed = await self._queue.get()
            try:
                await self._do(deed)
            except OutpostError as error:
                self._count(deed.action, "failed")
                log.warning("alert %s: %s: %s", deed.alert.id, _kind(deed.action), error)
            except Exception:
                self._count(deed.action, "failed")
                log.exception("alert %s: %s broke", deed.alert.id, _kind(deed.action))
            else:
                self._count(deed.action, "done")

    async def _do(self, deed: Deed) -> None:
        action, alert = deed
        match action:
            case WebhookAction():
                await self._tell(action, alert)
            case MqttAction():
                payload = msgspec.json.encode(alert) if action.payload is None else action.payload.encode()
                self._seams.publish(action.topic, payload)
            case ClipAction():
                await self._seams.film(action.camera, action.seconds, alert.rule)
            case CommandAction():
                caller = f"rule:{alert.rule}"
                await self._seams.send(action.device or alert.device, action.command, action.params, caller)

    async def _tell(self, action: WebhookAction, alert: Alert) -> None:
        content = msgspec.json.encode(alert)
        for wait_s in self._retry_s:
            try:
                return await self._seams.post(action.url, action.secret, content)
            except Failed as error:
                if not error.again:
                    raise
                log.info(
                    "alert %s: webhook of rule %s: %s; again in %g s", alert.id, alert.rule, error, wait_s
                )
            await asyncio.sleep(wait_s)
        return await self._seams.post(action.url, action.secret, content)

    def _take(self, rule: str, pace: Pace, now_s: float) -> bool:
        left, since_s = self._left.get((rule, pace), (float(pace.burst), now_s))
        left = min(pace.burst, left + max(0.0, now_s - since_s) / pace.every_s)
        self._left[rule, pace] = (left - (left >= 1), now_s)
        return left >= 1

    def forget(self, rule: str) -> None:
        """Forget the pace of a rule that is no more."""
        for pace in (TELLING, ACTING):
            self._left.pop((rule, pace), None)

    def _count(self, action: Action, outcome: str) -> None:
        self._health.alert_actions.labels(_kind(action), outcome).inc()


def _kind(action: Action) -> str:
    return str(action.__struct_config__.tag)
