"""Updates over the link: the firmware on a real VM, its flash, and the hub's rooms on its port."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from hub.flash.image import BoardFile
from hub.links.serial_port import Port
from hub.model import CommandState
from hub.update.package import make
from hub.update.updates import NotPossible
from tests.soak import SOAK, times
from tests.update_rig import (
    UID,
    Fuse,
    UpdateHub,
    board_with,
    changed,
    fused,
    hub_on,
    left_over,
    original,
    release,
    runs,
    version_file,
)
from tests.vm import needs_vm

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from hil.virtual.board import VirtualBoard

pytestmark = [needs_vm, pytest.mark.slow, pytest.mark.timeout(4000 if SOAK else 240)]

NEW = "/wire/ongoing.py"


@pytest.fixture
def board(tmp_path: Path) -> Iterator[VirtualBoard]:
    with board_with(tmp_path) as board:
        yield board


@pytest.fixture
def flash(tmp_path: Path) -> Path:
    return tmp_path / "flash"


@pytest.fixture
async def hub(board: VirtualBoard, tmp_path: Path) -> AsyncIterator[UpdateHub]:
    async with hub_on(tmp_path / "data", tmp_path / "tty") as hub:
        await hub.online()
        yield hub


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- it works -------------------------------------------------------------------------------------------


async def test_a_new_firmware_runs_and_the_former_is_kept_and_the_trail_has_one_command(
    hub: UpdateHub, flash: Path
) -> None:
    former = (flash / NEW[1:]).read_bytes()
    hub.package = release("0.3.0", *changed(1, NEW, "/main.py"), BoardFile("/more/new.py", b"X = 1\n"))
    result = await hub.update()
    assert result.state is CommandState.SUCCEEDED, result.error
    assert [text.split(" ")[0] for text in result.result.values()] == ["0.2.0", "0.3.0"]
    assert runs(flash, hub.package)
    assert (flash / f"{NEW[1:]}.old").read_bytes() == former
    assert left_over(flash) == []
    assert await hub.trail() == [("update", "succeeded")]


async def test_readings_go_on_during_an_update_without_a_hole(hub: UpdateHub) -> None:
    hub.package = release("0.3.0", *changed(1, NEW, "/sensors.py", "/trial.py", "/drivers/mpu6050.py"))
    before = len(hub.watch.readings)
    work = asyncio.create_task(hub.update())
    told: set[int | None] = set()
    while not work.done():
        told.update(p.percent for c in hub.commands._carried.values() if (p := c.progress) is not None)
        await asyncio.sleep(0.05)
    during = [
        event for event in hub.watch.readings[before:] if event.boot_id == hub.watch.born[0].birth.boot_id
    ]
    seqs = [event.seq for event in during]
    assert len(seqs) >= 5
    assert seqs == list(range(seqs[0] or 0, (seqs[0] or 0) + len(seqs)))
    assert len(told) > 3


async def test_only_what_differs_is_fetched(hub: UpdateHub, board: VirtualBoard) -> None:
    files = [BoardFile(path, data) for path, data in original().items() if path != "/version.py"]
    hub.package = release("0.3.0", *files)
    before = board.flash.written_bytes
    assert (await hub.update()).state is CommandState.SUCCEEDED
    assert board.flash.written_bytes - before < 3 * len(hub.package.parts[0]) + 2000


async def test_the_same_firmware_again_changes_nothing(
    hub: UpdateHub, board: VirtualBoard, flash: Path
) -> None:
    before = contents(flash)
    hub.package = make([version_file("0.2.0")], "0.2.0")
    assert (await hub.update()).state is CommandState.SUCCEEDED
    assert contents(flash) == before
    assert board.boots == 1


async def test_a_board_that_is_unplugged_meanwhile_goes_on_where_it_was(
    hub: UpdateHub, board: VirtualBoard, flash: Path
) -> None:
    hub.package = release("0.3.0", *changed(1, "/sensors.py", "/trial.py"))
    work = asyncio.create_task(hub.update())
    await hub.until((flash / "sensors.py.new").exists)
    board.unplug()
    await hub.until(lambda: hub.firmware() == "")
    board.replug()
    assert (await work).state is CommandState.SUCCEEDED
    assert runs(flash, hub.package)
    assert await hub.trail() == [("update", "succeeded")]


# --- what a board does not take -------------------------------------------------------------------------


async def refused(hub: UpdateHub, flash: Path, reason: str) -> None:
    """The update fails in these words, and the board runs on, its flash as it was."""
    before = contents(flash)
    result = await hub.update()
    assert (result.state, reason in (result.error or "")) == (CommandState.FAILED, True), result
    after = {path: data for path, data in contents(flash).items() if not path.endswith((".new", "manifest"))}
    assert after == before
    assert hub.firmware() == "0.2.0"


async def test_an_older_firmware_is_refused_unless_forced(hub: UpdateHub, flash: Path) -> None:
    hub.package = release("0.1.9")
    await refused(hub, flash, "0.1.9 is older than 0.2.0")
    result = await hub.update(force=True)
    assert result.state is CommandState.SUCCEEDED, result.error
    assert hub.firmware() == "0.1.9"


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"platforms": ("esp32",)}, "for esp32; this board is rp2"),
        ({"oldest": (9, 1)}, "needs MicroPython 9.1"),
    ],
)
async def test_another_boards_firmware_is_refused(
    hub: UpdateHub, flash: Path, about: dict[str, object], reason: str
) -> None:
    hub.package = release("0.3.0", **about)
    await refused(hub, flash, reason)


@pytest.mark.parametrize("part", [0, 1])
async def test_what_is_tampered_with_is_refused(hub: UpdateHub, flash: Path, part: int) -> None:
    whole = release("0.3.0", *changed(1, NEW))
    parts = list(whole.parts)
    parts[part] = (
        parts[part].replace(b"0", b"1", 1) if part == 0 else parts[part].replace(b"Ongoing", b"0ngoing", 1)
    )
    assert parts[part] != whole.parts[part]

    class Tampered(type(whole)):  # type: ignore[misc] # its hash is of what it was
        manifest_sha256 = whole.manifest_sha256

    hub.package = Tampered(version="0.3.0", parts=tuple(parts))
    await refused(hub, flash, "did not arrive as the manifest says")
    assert left_over(flash) in ([], ["manifest"])


@pytest.mark.parametrize(
    "line", ["/board.json", "/../main.py", "/a//b.py", "main.py", "/trial.json", "/x\\y.py"]
)
async def test_a_manifest_that_reaches_beyond_the_firmware_is_refused(
    hub: UpdateHub, flash: Path, line: str
) -> None:
    hub.package = release("0.3.0", BoardFile(line, b"{}"))
    await refused(hub, flash, "of the manifest makes no sense")


async def test_a_guard_that_is_no_python_is_refused(hub: UpdateHub, flash: Path) -> None:
    hub.package = release("0.3.0", BoardFile("/main.py", b"import (\n"))
    await refused(hub, flash, "/main.py")


async def test_a_full_flash_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    with board_with(tmp_path, flash_bytes=520_000) as board:
        async with hub_on(tmp_path / "data", tmp_path / "tty") as hub:
            await hub.online()
            room = board.flash.free_bytes()
            hub.package = release("0.3.0", BoardFile("/big.py", b"#" * (room + 4096)))
            await refused(hub, tmp_path / "flash", "the flash is too full")


async def test_a_board_whose_firmware_knows_no_updates_is_told_what_to_do(tmp_path: Path) -> None:
    with board_with(tmp_path, "0.1.0"):
        async with hub_on(tmp_path / "data", tmp_path / "tty") as hub:
            await hub.online()
            assert not (await hub.updates.offer(UID)).possible
            with pytest.raises(NotPossible, match="outpost flash"):
                await hub.update()


# --- giving up, and going back --------------------------------------------------------------------------


async def test_a_cancel_leaves_the_former_firmware_and_nothing_else(hub: UpdateHub, flash: Path) -> None:
    before = contents(flash)
    hub.package = release("0.3.0", *changed(1, "/sensors.py", "/trial.py", "/update.py"))
    work = asyncio.create_task(hub.update())
    await hub.until((flash / "trial.py.new").exists)
    (command_id,) = hub.commands._carried
    hub.commands.cancel(command_id, "user:ada")
    result = await work
    assert (result.state, hub.firmware()) == (CommandState.CANCELLED, "0.2.0"), result
    assert contents(flash) == before


CRASHES = b"raise ValueError('what is wrong with it')\n"
HANGS = b"while True:\n    pass\n"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (CRASHES, "what is wrong with it"),
        pytest.param(HANGS, "", marks=pytest.mark.skipif(not SOAK, reason="three watchdogs: 30 s")),
    ],
)
async def test_a_firmware_that_does_not_start_is_put_back_and_reported(
    hub: UpdateHub, flash: Path, source: bytes, why: str
) -> None:
    before = contents(flash)
    hub.package = release("0.3.0", BoardFile("/sensors.py", source))
    result = await hub.update()
    assert (result.state, hub.firmware()) == (CommandState.FAILED, "0.2.0")
    assert "the former is back" in (result.error or "")
    assert why in (result.error or "")
    kept = {path: data for path, data in contents(flash).items() if path in before}
    assert kept == before


@pytest.mark.skipif(not SOAK, reason="three deadlines: 15 s")
async def test_a_firmware_that_never_says_birth_is_put_back(hub: UpdateHub, flash: Path) -> None:
    update = (flash / "update.py").read_bytes()
    assert b"DEADLINE_S = 60" in update
    hub.package = release(
        "0.2.1", BoardFile("/update.py", update.replace(b"DEADLINE_S = 60", b"DEADLINE_S = 3"))
    )
    assert (await hub.update()).state is CommandState.SUCCEEDED
    mute = original()["/wire/board_session.py"].replace(b"HELLO_MS = 1000", b"HELLO_MS = 10**9")
    mute = mute.replace(b"        self._due = 0", b"        self._due = 10**9")
    hub.package = release("0.3.0", BoardFile("/wire/board_session.py", mute))
    result = await hub.update()
    assert (result.state, hub.firmware()) == (CommandState.FAILED, "0.2.1")
    assert "no hub had a session" in (result.error or "")


# --- cuts -----------------------------------------------------------------------------------------------


async def test_power_cut_at_any_byte_leaves_a_board_that_boots_and_ends_the_update(
    board: VirtualBoard, hub: UpdateHub, flash: Path
) -> None:
    chance = random.Random(11)
    with fused(board) as fuse:
        bytes_, changes = await spent(hub, fuse, 1)
        cut = 0
        for number in range(2, 2 + times(2, 200)):
            boots, born = board.boots, len(hub.watch.born)
            former, version = hub.firmware(), f"0.2.{number}"
            hub.package = release(version, *changed(number, *PATHS))
            # Half of the cuts while it fetches, half among the last steps, where files change places.
            last = chance.random() < 0.5
            fuse.left = bytes_ - chance.randrange(changes) if last else chance.randrange(bytes_)
            result = await hub.update()
            cut += fuse.left is None
            fuse.left = None
            assert result.state is CommandState.SUCCEEDED, f"cut {number}: {result.error}"
            firmwares = {event.birth.firmware.split(" ")[0] for event in hub.watch.born[born:]}
            assert firmwares <= {former, version}, f"cut {number}"
            assert board.boots > boots
            assert runs(flash, hub.package), f"cut {number}"
            assert left_over(flash) == [], f"cut {number}"
    assert cut >= times(2, 200) * 0.9
    assert {state for _, state in await hub.trail()} == {"succeeded"}


PATHS = (NEW, "/outbox.py", "/main.py")


async def spent(hub: UpdateHub, fuse: Fuse, number: int) -> tuple[int, int]:
    """Return what an update that is not cut costs: all its bytes and changes, and those of its end."""
    hub.package = release(f"0.2.{number}", *changed(number, *PATHS))
    before = fuse.spent
    work = asyncio.create_task(hub.update())
    at = before
    while not work.done():
        if not hub.firmware():
            break
        at = fuse.spent
        await asyncio.sleep(0.001)
    assert (await work).state is CommandState.SUCCEEDED
    return fuse.spent - before, fuse.spent - at + 600


# --- a bad line -----------------------------------------------------------------------------------------


class Noise:
    """A line that drops, doubles and damages frames, both ways."""

    def __init__(self, fault: float) -> None:
        self.chance = random.Random(5)
        self.fault = fault
        self.frames = 0
        self.spoilt = 0

    def __call__(self, data: bytes) -> bytes:
        return b"".join(self._fate(frame) for frame in data.splitlines(keepends=True))

    def _fate(self, frame: bytes) -> bytes:
        self.frames += 1
        if self.chance.random() < self.fault:
            self.spoilt += 1
            return b""
        if self.chance.random() < self.fault:
            self.spoilt += 1
            at = self.chance.randrange(len(frame))
            # Never into a control byte: 0x03 would be Ctrl-C, and the board at its REPL.
            return frame[:at] + bytes([frame[at] ^ 0x01]) + frame[at + 1 :]
        return frame + frame if self.chance.random() < self.fault else frame


async def test_a_bad_line_delays_an_update_and_damages_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = Noise(times(1, 2) / 10)
    begin, write = Port.__init__, Port.write

    def noisy(port: Port, fd: int, *, received: Callable[[bytes], None], lost: Any) -> None:
        begin(port, fd, received=lambda data: received(noise(data)), lost=lost)

    monkeypatch.setattr(Port, "__init__", noisy)
    monkeypatch.setattr(Port, "write", lambda port, data: write(port, noise(data)))
    with board_with(tmp_path) as board:
        async with hub_on(tmp_path / "data", tmp_path / "tty") as hub:
            await hub.online()
            hub.package = release("0.3.0", *changed(1, NEW))
            result = await hub.update()
            assert result.state is CommandState.SUCCEEDED, result.error
        assert runs(tmp_path / "flash", hub.package)
        assert board.boots == 2, "the update ran more than once"
    assert noise.spoilt > 10
