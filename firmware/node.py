"""The node: samples sensors into the outbox, and talks with the hub over the console port."""

import asyncio
import gc
import sys

import port
import settings
from actuators import Led
from commands import Commands
from drivers.internal import Internal
from guard import Guard
from jobs import Jobs, Refused
from micropython import const
from outbox import Outbox
from sensors import Sensors
from uplink import Uplink
from version import VERSION
from wire.board_session import BoardSession
from wire.message import dumps, payload, reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from typing import Any

    from keeping import Keeping
    from radio import Radio
    from sensors import Group
    from uplink import Way

_OUTBOX_MAX = const(262144)
_LEAST = const(4096)
_COMMAND = const(4352)
"""A command of 4 KB is there in pieces, and twice as a whole while it is put together and read."""
_TICK_MS = const(200)
_DRAIN_MS = const(3000)
"""Before a restart that was asked for, a hub has so long to store what was taken."""


def make_outbox() -> Outbox:
    """Return an outbox of half the free heap: the other half is for work, and for what fragments.

    The free part is in pieces: where it can, the outbox leaves two that take the longest command.
    """
    gc.collect()
    size = min(_OUTBOX_MAX, gc.mem_free() // 2)
    while True:
        box = _outbox(size)
        if box is not None:
            return box
        gc.collect()
        size -= size // 8


def _outbox(size: int) -> "Outbox | None":
    try:
        box = Outbox(size)
        if size > _LEAST:
            _ = bytearray(_COMMAND), bytearray(_COMMAND)
    except MemoryError:
        return None
    return box


def plain(entry: "dict[str, Any]", value: "int | None") -> "float | bool | None":
    """Return a value as people read it: with its decimals, a boolean as such."""
    if value is None:
        return None
    if entry.get("kind") == "boolean":
        return value == 1
    decimals: int = entry.get("decimals", 0)
    return value / 10**decimals if decimals else value


class Node:
    """One board. `run` ends only by an error."""

    def __init__(self, config: settings.Settings, guard: "Guard | None" = None) -> None:
        self.guard = guard or Guard(config)
        self._clock = port.Clock()
        self._console = port.Console()
        self._led = Led(port.led_pin(config.led))
        self._wake = asyncio.Event()
        self._failed = asyncio.Event()
        self._error: Exception | None = None
        self._restart_ms = 0
        """By when to restart, whatever waits; 0: not at all."""
        self._keeping: Keeping | None = None
        self.sensors = Sensors()
        left_out = self.sensors.add_configured(config, self.guard.feed)
        if left_out:
            self.guard.unfit(left_out)
        self._radio = self._make_radio(config)
        self.outbox = make_outbox()  # of what the drivers and the radio leave
        self.sensors.add(Internal(self._clock.now, self.outbox), config.interval_ms)
        self._commands = Commands(self, self._led)
        self._notice = self.guard.notice()  # a birth stays as it is until `tell_news`
        self._name = config.name or "Board " + port.uid()[-4:]
        self.session = BoardSession(port.uid(), port.boot_id(), port.reset_cause(), self._birth, self.outbox)
        self._jobs = Jobs(self.session.ongoing, self._wake.set)
        self.uplink = Uplink(self.session, self._console, self._radio)

    async def run(self) -> None:
        """Start all tasks and wait for one to fail. Raises what it raised."""
        work = [self._read(), self._write(), self._tick(), self._led.run()]
        work += [self._sample(index, group) for index, group in enumerate(self.sensors.groups)]
        if self._radio is not None:
            work.append(self._radio.run())
        tasks = [asyncio.create_task(self._guard(task)) for task in work]
        await self._failed.wait()
        for task in tasks:
            task.cancel()
        if self._error is not None:
            raise self._error

    def tell_news(self) -> None:
        """Tell the hub what changed in the birth."""
        self._notice = self.guard.notice()
        self.session.set_birth(self._birth)

    def keep_intervals(self) -> None:
        """Have the intervals outlive a restart."""
        if self._keeping is None:
            import keeping  # noqa: PLC0415 - 1 KB that most boards do without

            self._keeping = keeping.Keeping(self.sensors, self.guard)
        self._keeping.note(self._clock.now())

    def restart_soon(self) -> None:
        """Take no more readings, and restart once the answer is out and the hub has what was taken."""
        if not self._restart_ms:
            self._restart_ms = self._clock.now() + _DRAIN_MS

    async def read_all(self) -> "dict[str, float | bool | None]":
        """Take a reading of every group now; return the values by metric."""
        result: dict[str, float | bool | None] = {}
        for index, group in enumerate(self.sensors.groups):
            values = await self._take(index, group)
            for position, entry in enumerate(group.metrics):
                result[entry["name"]] = plain(entry, values[position])
        return result

    def _make_radio(self, config: settings.Settings) -> "Radio | None":
        """Return the way over WiFi, where one is configured; a fault there leaves the cable."""
        if not config.mqtt:
            return None
        try:
            import radio  # noqa: PLC0415 - 8 KB, only where it is used

            return radio.Radio(config.mqtt, port.uid(), self._heard)
        except (ValueError, ImportError, MemoryError) as error:
            print("board.json: mqtt is left out:", error)
            return None

    # --- tasks --------------------------------------------------------------------------------------------

    async def _guard(self, task: "Coroutine[Any, Any, None]") -> None:
        """Run a task; its error ends the node, since half a node would look alive."""
        try:
            await task
        except Exception as error:
            self._error = error
            self._failed.set()

    async def _read(self) -> None:
        while True:
            self._heard(self._console, await self._console.read())

    def _heard(self, source: "Way", data: bytes) -> None:
        if self.uplink.carries(source, data):
            self.session.feed(data, self._clock.now())
            self._jobs.look()
            while self.session.commands:
                command_id, name, params = self.session.commands.pop(0)
                # MicroPython has no weak references to lose a task by.
                asyncio.create_task(  # noqa: RUF006 - the loop's queue keeps it
                    self._guard(self._command(command_id, name, params))
                )
            self._wake.set()

    async def _command(self, command_id: str, name: str, params: "dict[str, Any]") -> None:
        try:
            job = self._jobs.of(command_id)
            self.session.answer(command_id, True, await self._commands.run(name, params, job))
        except Refused as error:
            self.session.answer(command_id, False, str(error))
        except MemoryError:
            self.session.answer(command_id, False, "the board has no memory left for that")
        except Exception as error:  # a restart would lose what waits in the outbox, for one command
            sys.print_exception(error)
            self.session.answer(command_id, False, "it failed on the board: " + repr(error)[:200])
        self._wake.set()

    async def _write(self) -> None:
        session = self.session
        while True:
            await self._wake.wait()
            self._wake.clear()
            frame = session.next_frame(self._clock.now())
            while frame is not None:
                await self.uplink.write(frame)
                frame = session.next_frame(self._clock.now())
            await self.uplink.flush()
            if self._restart_ms and session.idle and self._drained():
                await asyncio.sleep_ms(100)  # the last bytes leave the port's own buffer
                if self._keeping is not None:
                    self._keeping.save()
                self.guard.restarts()
                port.restart()

    def _drained(self) -> bool:
        """Whether the hub has every reading, or there is no more time to wait for that."""
        return not (self.session.open and len(self.outbox)) or self._clock.now() > self._restart_ms

    async def _tick(self) -> None:
        while True:
            self.uplink.look(self._clock.now())
            self._jobs.tick()
            if self.guard.look(self._clock.now(), self.session.open):
                self.tell_news()
            if self._keeping is not None:
                self._keeping.look(self._clock.now())
            self._wake.set()
            await asyncio.sleep_ms(_TICK_MS)

    async def _sample(self, index: int, group: "Group") -> None:
        due = self._clock.now()
        while not self._restart_ms:
            await self._take(index, group)
            due += group.poll_ms
            now = self._clock.now()
            if due <= now or due > now + group.poll_ms:  # late by a whole interval, or the interval changed
                due = now + group.poll_ms
            await self._sleep_until(due, group)

    async def _sleep_until(self, due: int, group: "Group") -> None:
        """Sleep, but notice within a second that the interval became shorter."""
        interval = group.poll_ms
        left = due - self._clock.now()
        while left > 0 and group.poll_ms == interval:
            await asyncio.sleep_ms(min(left, 1000))
            left = due - self._clock.now()

    async def _take(self, index: int, group: "Group") -> "list[int | None]":
        async with group.lock:
            wait_ms = group.begin()
            if wait_ms:
                await asyncio.sleep_ms(wait_ms)
            for ticks, values in group.readings(self._clock.now()):
                # From here to `put` nothing awaits: the seq is the outbox's next.
                self.outbox.put(payload(reading(self.outbox.next_seq, ticks, index, values)))
        self._wake.set()
        return group.latest

    def _birth(self) -> "Iterator[str]":
        """Give the birth in small pieces: a board's heap may have no room for it in one."""
        about: dict[str, Any] = {
            "name": self._name,
            "model": port.model(),
            "firmware": f"{VERSION} on MicroPython {_micropython()}",
        }
        about["outbox_bytes"] = self.outbox.size
        if self._notice:
            about["notice"] = self._notice
        yield '["birth",' + dumps(about)[:-1] + ',"groups":['
        for index, group in enumerate(self.sensors.groups):
            yield ("," if index else "") + '{"interval_ms":' + str(group.interval_ms) + ',"metrics":['
            yield from _joined(group.metrics)
            yield "]}"
        yield '],"commands":['
        yield from _joined(self._commands.entries)
        yield "]}]"


def _joined(items: "list[dict[str, Any]]") -> "Iterator[str]":
    for index, item in enumerate(items):
        yield ("," if index else "") + dumps(item)


def _micropython() -> str:
    return ".".join([str(part) for part in sys.implementation.version[:3]])


def run() -> None:
    """Run the board for ever. Raises what ended it."""
    gc.collect()
    config = settings.load()
    guard = Guard(config)
    try:
        guard.start(config.watchdog)
        node = Node(config, guard)
        gc.threshold(gc.mem_free() // 4 + gc.mem_alloc())
        asyncio.run(node.run())
    finally:
        guard.stop()
