"""USB serial ports: which may be boards, which belong to other programs, and how one is known again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from serial.tools.list_ports_common import ListPortInfo

from hub.links.usb import UsbPort, again, at, boards, bootloaders, candidates, others

if TYPE_CHECKING:
    from pathlib import Path


def port(
    vid: int | None, product: str | None = None, *, device: str = "/dev/ttyACM0", serial: str | None = None
) -> ListPortInfo:
    """A port as pyserial lists it."""
    info = ListPortInfo(device)
    info.vid, info.product, info.serial_number = vid, product, serial
    info.description = product or "n/a"
    return info


@pytest.mark.parametrize("vid", [0x2E8A, 0x303A, 0x239A, 0x2341, 0xF055])
def test_the_own_port_of_a_boards_maker_is_a_board(vid: int) -> None:
    (found,) = candidates([port(vid, "Board in FS mode")])
    assert not found.bridge


@pytest.mark.parametrize("vid", [0x10C4, 0x1A86, 0x0403])
def test_a_uart_bridge_may_be_a_board(vid: int) -> None:
    (found,) = candidates([port(vid, "USB Serial")])
    assert found.bridge


@pytest.mark.parametrize(
    ("vid", "product"),
    [
        (0x10C4, "Sonoff Zigbee 3.0 USB Dongle Plus"),
        (0x10C4, "SkyConnect v1.0"),
        (0x10C4, "SLZB-07"),
        (0x10C4, "HubZ Smart Home Controller Z-Wave"),
        (0x1A86, "SONOFF Zigbee 3.0 USB Dongle Plus V2"),
        (0x0403, "ConBee III"),
        (0x303A, "Nabu Casa ZWA-2"),
        (0x303A, "Home Assistant Connect ZBT-2"),
    ],
)
def test_a_stick_that_says_what_it_is_belongs_to_others(vid: int, product: str) -> None:
    assert candidates([port(vid, product)]) == []


@pytest.mark.parametrize("vid", [None, 0x1CF1, 0x0658, 0x1546])
def test_what_is_of_no_boards_maker_is_not_touched(vid: int | None) -> None:
    assert candidates([port(vid, "something")]) == []


def test_ports_are_sorted_by_device() -> None:
    found = candidates([port(0x2E8A, device="/dev/ttyACM1"), port(0x2E8A, device="/dev/ttyACM0")])
    assert [one.device for one in found] == ["/dev/ttyACM0", "/dev/ttyACM1"]


def test_the_ports_of_this_machine_can_be_listed() -> None:
    assert all(one.device.startswith("/dev/") for one in boards())


def test_a_board_is_known_again_by_its_serial_number_on_whichever_device() -> None:
    before = UsbPort(device="/dev/ttyACM0", serial="e661", location="1-1")
    assert before.same(UsbPort(device="/dev/ttyACM3", serial="e661", location="1-2"))
    assert not before.same(UsbPort(device="/dev/ttyACM0", serial="e662", location="1-1"))


def test_without_a_serial_number_a_board_is_known_by_its_socket() -> None:
    before = UsbPort(device="/dev/ttyUSB0", location="1-1")
    assert before.same(UsbPort(device="/dev/ttyUSB1", location="1-1"))
    assert not before.same(UsbPort(device="/dev/ttyUSB0", location="1-2"))
    assert not UsbPort(device="/dev/ttyUSB0").same(UsbPort(device="/dev/ttyUSB0"))


def test_a_pico_that_waits_for_micropython_is_seen_by_its_drive(tmp_path: Path) -> None:
    assert bootloaders(tmp_path) == []
    (tmp_path / "RPI-RP2").touch()
    assert bootloaders(tmp_path) == ["RPI-RP2"]


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> list[ListPortInfo]:
    """The ports of a machine that a test plugs."""
    ports = [
        port(0x2E8A, "Board in FS mode", device="/dev/ttyACM0", serial="e661"),
        port(0x10C4, "SkyConnect v1.0", device="/dev/ttyUSB0", serial="sky"),
        port(None, device="/dev/ttyS0"),
    ]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: ports)
    return ports


def test_each_usb_port_is_a_board_or_one_of_others(plugged: list[ListPortInfo]) -> None:
    assert [one.device for one in boards()] == ["/dev/ttyACM0"]
    assert [one.device for one in others()] == ["/dev/ttyUSB0"]


def test_a_port_is_found_by_a_link_to_it_whoever_made_it(plugged: list[ListPortInfo], tmp_path: Path) -> None:
    (tmp_path / "by-id").symlink_to("/dev/ttyUSB0")
    found = at(str(tmp_path / "by-id"))
    assert found is not None
    assert (found.device, found.serial) == ("/dev/ttyUSB0", "sky")
    assert at("/dev/ttyS0") is None


def test_a_board_that_comes_back_by_another_name_is_found(plugged: list[ListPortInfo]) -> None:
    (before,) = boards()
    plugged.clear()
    assert again(before) is None
    plugged.append(port(0x2E8A, "Board in FS mode", device="/dev/ttyACM1", serial="e661"))
    after = again(before)
    assert after is not None
    assert after.device == "/dev/ttyACM1"
