import os
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from hil.virtual.cable import Cable, LinkTaken
from hil.virtual.console import Console, Wake
from hil.virtual.usb import UsbPort
from tests.descriptors import open_descriptors


@pytest.fixture
def console() -> Console:
    return Console(lambda: None)


@pytest.fixture
def port(console: Console) -> Iterator[UsbPort]:
    made = UsbPort(console)
    yield made
    made.close()


def test_what_the_host_writes_reaches_the_console(console: Console, port: UsbPort) -> None:
    with serial.Serial(port.path) as host:
        host.write(b"hi")
        assert console.wait(10, for_input=True) is Wake.INPUT


def test_what_the_board_writes_reaches_the_host(port: UsbPort) -> None:
    with serial.Serial(port.path, timeout=10) as host:
        port.write(b"\x00\x03\x0d\x0a\xff")
        assert host.read(5) == b"\x00\x03\x0d\x0a\xff"


def test_a_closed_port_takes_everything_at_once_and_keeps_the_last_256_bytes(port: UsbPort) -> None:
    port.write(b"old" * 1000)
    port.write(b"n" * 255 + b"!")
    assert port.writable()
    fd = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
    try:
        data = b""
        while len(data) < 256:
            data += os.read(fd, 4096)
    finally:
        os.close(fd)
    assert data == b"n" * 255 + b"!"
    assert port.dropped_bytes == 3000


def test_an_open_unread_port_is_cut_and_counted(port: UsbPort) -> None:
    with serial.Serial(port.path):
        for _ in range(100):
            if port.dropped_bytes:
                break
            port.write(b"x" * 4096)
        assert port.dropped_bytes > 0
        assert not port.writable()


def test_a_host_that_sets_nothing_gets_no_echo(console: Console, port: UsbPort) -> None:
    fd = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
    try:
        assert not termios.tcgetattr(fd)[3] & (termios.ECHO | termios.ICANON)
    finally:
        os.close(fd)


def test_a_full_console_holds_the_host_up_and_loses_nothing(console: Console, port: UsbPort) -> None:
    sent = bytes(range(4, 256)) * 40
    with serial.Serial(port.path) as host:
        writer = threading.Thread(target=host.write, args=(sent,))
        writer.start()
        got = b""
        while len(got) < len(sent) and console.wait(10, for_input=True) is Wake.INPUT:
            got += console.take(100)
        writer.join()
    assert got == sent


def test_pulling_the_cable_ends_a_read(port: UsbPort) -> None:
    fd = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
    try:
        port.close()
        try:
            assert os.read(fd, 1) == b""
        except OSError as error:
            assert error.errno == 5  # either is what a vanished port gives
    finally:
        os.close(fd)


def test_a_closed_cable_leaves_no_descriptor(console: Console) -> None:
    before = open_descriptors()
    for _ in range(20):
        UsbPort(console).close()
    assert open_descriptors() == before


def test_a_link_follows_the_pty_and_goes_with_it(console: Console, tmp_path: Path) -> None:
    link = tmp_path / "tty-board"
    cable = Cable(console, link)
    cable.plug()
    first = link.readlink()
    cable.unplug()
    assert not os.path.lexists(link)
    cable.plug()
    assert (cable.path, first.parent) == (str(link), Path("/dev/pts"))
    cable.unplug()


def test_a_dangling_link_is_replaced(console: Console, tmp_path: Path) -> None:
    link = tmp_path / "tty-board"
    link.symlink_to(tmp_path / "gone")
    cable = Cable(console, link)
    cable.plug()
    assert link.exists()
    cable.unplug()


def test_a_file_in_the_links_place_is_kept_and_reported(console: Console, tmp_path: Path) -> None:
    link = tmp_path / "tty-board"
    link.write_text("precious")
    with pytest.raises(LinkTaken, match="is no link"):
        Cable(console, link).plug()
    assert link.read_text() == "precious"


def test_a_link_to_a_port_in_use_is_kept_and_reported(console: Console, tmp_path: Path) -> None:
    first = Cable(console, tmp_path / "tty")
    first.plug()
    second = Cable(console, tmp_path / "tty")
    with pytest.raises(LinkTaken, match="which is in use"):
        second.plug()
    assert (tmp_path / "tty").exists()
    assert not second.plugged
    first.unplug()


def test_a_link_that_cannot_be_made_is_reported(console: Console, tmp_path: Path) -> None:
    with pytest.raises(LinkTaken, match="cannot be made"):
        Cable(console, tmp_path / "nowhere" / "tty").plug()


def test_an_unplugged_board_writes_into_the_void(console: Console) -> None:
    cable = Cable(console, None)
    cable.write(b"abc")
    assert cable.writable()
    assert (cable.dropped_bytes, cable.plugged) == (3, False)
    with pytest.raises(LookupError):
        _ = cable.path
