"""Which board `outpost flash` takes when none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from hub.cli import flashing
from hub.cli.client import Failed
from hub.links.usb import UsbPort

if TYPE_CHECKING:
    from collections.abc import Callable


def boards(*devices: str) -> Callable[[], list[UsbPort]]:
    return lambda: [UsbPort(device=device, maker="Raspberry Pi Pico") for device in devices]


def test_the_only_board_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.links.usb.boards", boards("/dev/ttyACM0"))
    assert flashing.only_board() == "/dev/ttyACM0"


def test_of_several_boards_one_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.links.usb.boards", boards("/dev/ttyACM0", "/dev/ttyACM1"))
    with pytest.raises(click.UsageError, match=r"ttyACM1 \(Raspberry Pi Pico\)"):
        flashing.only_board()


def test_no_board_is_told_how_to_plug_one_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.links.usb.boards", boards())
    monkeypatch.setattr("hub.links.usb.bootloaders", list)
    with pytest.raises(Failed, match="carries data"):
        flashing.only_board()


def test_a_board_that_waits_for_micropython_is_told_from_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.links.usb.boards", boards())
    monkeypatch.setattr("hub.links.usb.bootloaders", lambda: ["RPI-RP2"])
    with pytest.raises(Failed, match="RPI-RP2"):
        flashing.only_board()
