"""One coded stream to all viewers: packetized once, numbered once, paced once, encrypted for each.

Loop thread only. It takes access units from the fan-out while it has a receiver.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from hub.camera.media import RTP_CLOCK_HZ
from hub.camera.viewing import rtp
from hub.camera.viewing.burst import Burst, Ring, bursts
from hub.camera.viewing.ready import Ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hub.camera.media import AccessUnit, Codec
    from hub.camera.viewing.burst import Lane

log = logging.getLogger(__name__)

_STEP_S = 0.005
_STEP_PACKETS = 16
"""With the step: 31 Mbit/s. A picture of more packets than a step is spread, so that Wi-Fi queues bear it."""
_REPORT_S = 5.0
"""Between a receiver's reports, on average (RFC 3550, 6.2)."""
_STEPS = 10
"""A picture is spread over about as many steps at most, however large it is."""


class Receiver(Protocol):
    """One viewer's end."""

    @property
    def lane(self) -> Lane | None:
        """How its packets are to lie before encryption; None where it sends none."""

    def send(self, burst: Burst) -> None:
        """Encrypt and send a burst; never blocks."""

    def broke(self, error: Exception) -> None:
        """Hear that `send` raised, which ends this receiver."""


class Broadcast:
    """The packets of one stream. `pump` starts and stops the access units: join(offer) gives a leave."""

    def __init__(
        self,
        codec: Codec,
        ssrc: int,
        pump: Callable[[Callable[[AccessUnit], None]], Callable[[], None]],
        *,
        origin: int | None = None,
    ) -> None:
        self.ring = Ring()
        self.ssrc = ssrc
        self._packetize = rtp.packetizer(codec)
        self._pump = pump
        self._stop_pump: Callable[[], None] | None = None
        # lower half: RFC 3711's rollover counter of a first viewer starts without doubt
        self._sequence = secrets.randbelow(1 << 15)
        self.origin = secrets.randbits(32) if origin is None else origin
        """Of the timestamps."""
        self._waiting: list[Receiver] = []
        self._flowing: list[Receiver] = []
        self._queue: deque[Burst] = deque()
        self._ready = Ready(self._make)
        self._timer: asyncio.TimerHandle | None = None
        self._report_due = asyncio.Event()
        self._report_timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiting) + len(self._flowing)

    @property
    def offset(self) -> int:
        """What a receiver who comes now adds to sequence numbers, so that its own start in the lower half.

        Else one whose first packets are lost just where the number wraps would guess a wrong rollover
        counter, and decrypt nothing ever after.
        """
        return 0x8000 if self._sequence >= 0x8000 else 0

    def rtp_time(self, monotonic_s: float) -> int:
        """Give the RTP timestamp of a moment of the monotonic clock."""
        return (int(monotonic_s * RTP_CLOCK_HZ) + self.origin) & 0xFFFFFFFF

    async def report_due(self) -> None:
        """Wait for the moment when all receivers are sent reports: together they wake the loop once."""
        if self._report_timer is None:
            wait_s = _REPORT_S * random.uniform(0.5, 1.5)  # noqa: S311 - RFC 3550, 6.2: no secret
            self._report_timer = asyncio.get_running_loop().call_later(wait_s, self._report)
        await self._report_due.wait()

    def _report(self) -> None:
        self._report_timer = None
        self._report_due.set()
        self._report_due.clear()

    def add(self, receiver: Receiver) -> None:
        """Let a receiver in; its packets begin with the next keyframe."""
        self._waiting.append(receiver)
        if self._stop_pump is None:
            self._stop_pump = self._pump(self.offer)

    def remove(self, receiver: Receiver) -> None:
        """Let a receiver go; may be called twice."""
        for group in (self._waiting, self._flowing):
            if receiver in group:
                group.remove(receiver)
        if not len(self) and self._stop_pump is not None:
            self._stop_pump()
            self._stop_pump = None
            self._queue.clear()
            self._ready.clear()

    def replace(self, receiver: Receiver, other: Receiver) -> None:
        """Put another in a receiver's place."""
        for group in (self._waiting, self._flowing):
            if receiver in group:
                group[group.index(receiver)] = other

    def prepare(self, units: Iterable[AccessUnit]) -> None:
        """Do beforehand what can be done for units that will be offered soon, where somebody receives."""
        if self._flowing:
            lanes = {lane for receiver in self._flowing if (lane := receiver.lane) is not None}
            self._ready.put(units, self._sequence, lanes)

    def offer(self, unit: AccessUnit) -> None:
        """Packetize an access unit and send it: at once where it is small, in steps where it is not."""
        made = self._ready.take(unit, self._sequence)
        for burst in made:
            self._sequence = (self._sequence + len(burst.payloads)) & 0xFFFF
        if len(made) == 1 and self._timer is None:
            self._send(made[0])
            return
        self._queue.extend(made)
        if self._timer is None:
            self._step()

    def _make(self, unit: AccessUnit, sequence: int) -> list[Burst]:
        return bursts(
            self._packetize(unit.data) if unit.payloads is None else unit.payloads,
            sequence=sequence,
            timestamp=(unit.pts + self.origin) & 0xFFFFFFFF,
            ssrc=self.ssrc,
            keyframe=unit.keyframe,
            limit=_STEP_PACKETS,
        )

    def _step(self) -> None:
        """Send a step's worth of packets, and come again while there are more."""
        self._timer = None
        allowance = max(_STEP_PACKETS, sum(len(burst.payloads) for burst in self._queue) // _STEPS)
        while self._queue and allowance > 0:
            burst = self._queue.popleft()
            allowance -= len(burst.payloads)
            self._send(burst)
        if self._queue:
            self._timer = asyncio.get_running_loop().call_later(_STEP_S, self._step)

    def _send(self, burst: Burst) -> None:
        if burst.starts_keyframe and self._waiting:
            self._flowing += self._waiting
            self._waiting.clear()
        self.ring.keep(burst)
        for receiver in tuple(self._flowing):
            try:
                receiver.send(burst)
            except Exception as error:  # whatever one viewer meets, the others get their packets
                self._drop(receiver, error)
        burst.forget_layouts()

    def _drop(self, receiver: Receiver, error: Exception) -> None:
        self.remove(receiver)
        receiver.broke(error)


def ntp_time(unix_s: float) -> int:
    """Give a UTC time as NTP's 64 bits (RFC 5905, 6)."""
    return int((unix_s + 2_208_988_800) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def now() -> tuple[int, float]:
    """Read both clocks at once: NTP time of day, and monotonic seconds."""
    return ntp_time(time.time()), time.monotonic()
