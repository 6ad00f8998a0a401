"""What a rig can do to a board with its hands: power it, pull its cable, look at its LED."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hil.rig import Resource, RigError
from hil.virtual.board import VirtualBoard
from hil.virtual.image import assemble, demo_configuration

if TYPE_CHECKING:
    from collections.abc import Sequence

VIRTUAL_UID = "e66141d0a110b0a2"
_POWER_TIMEOUT_S = 30


class Bench(Protocol):
    """One place while the suite runs."""

    port: str
    """The serial port as the hub shall open it."""
    can_unplug: bool
    runs_unplugged: bool
    """Whether an unplugged board keeps running, and so keeps taking samples."""

    def start(self) -> None:
        """Bring the board up."""

    def stop(self) -> None:
        """Leave the place as it was found."""

    def unplug(self) -> None:
        """Take the board off the bus."""

    def replug(self) -> None:
        """Put it back."""

    def led(self) -> bool | None:
        """Tell whether the LED is lit; None where nothing looks at it."""


class VirtualBench:
    """A virtual board of the suite's own."""

    can_unplug = True
    runs_unplugged = True

    def __init__(self, folder: Path, name: str) -> None:
        flash = folder / "flash"
        flash.mkdir(parents=True)
        assemble(flash, demo_configuration(name))
        self.board = VirtualBoard(flash, uid=VIRTUAL_UID, link=folder / "tty-board")
        self.port = str(folder / "tty-board")

    def start(self) -> None:
        """Power the board on."""
        self.board.start()

    def stop(self) -> None:
        """Power it off."""
        self.board.stop()

    def unplug(self) -> None:
        """Pull the cable; the board runs on."""
        self.board.unplug()

    def replug(self) -> None:
        """Put the cable back."""
        self.board.replug()

    def led(self) -> bool | None:
        """Tell whether the LED's pin is high."""
        return self.board.wiring.outputs.get("LED") == 1


class SerialBench:
    """A board on a serial port, with a switch for its power where the rig has one."""

    runs_unplugged = False

    def __init__(self, port: str, power_off: Sequence[str], power_on: Sequence[str]) -> None:
        self.port = port
        self.can_unplug = bool(power_off and power_on)
        self._power_off, self._power_on = power_off, power_on

    def start(self) -> None:
        """Check that the port is there. Raises RigError."""
        if not Path(self.port).exists():
            raise RigError(f"{self.port}: there is no such port; is the board plugged in?")

    def stop(self) -> None:
        """Do nothing: the board is the rig's."""

    def unplug(self) -> None:
        """Cut the power. Raises RigError."""
        self._switch(self._power_off)

    def replug(self) -> None:
        """Give it back. Raises RigError."""
        self._switch(self._power_on)

    def led(self) -> bool | None:
        """Nothing looks at a real board's LED."""
        return None

    def _switch(self, command: Sequence[str]) -> None:
        try:
            subprocess.run(  # noqa: S603 - the rig file's own command
                command, check=True, capture_output=True, text=True, timeout=_POWER_TIMEOUT_S
            )
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", "") or ""
            raise RigError(f"{' '.join(command)}: {error} {said}".strip()) from error


def make(resource: Resource, folder: Path, name: str) -> Bench:
    """Return the bench for a place's resource; `folder` is for what it makes. Raises OutpostError."""
    if resource.port is not None:
        return SerialBench(resource.port, resource.power_off, resource.power_on)
    return VirtualBench(folder, name)
