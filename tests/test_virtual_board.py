import gc
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial

from hil.virtual.board import VirtualBoard
from tests.descriptors import open_descriptors

COUNT = """
import machine, sys, time
sys.stdout.write("boot %d\\n" % machine.reset_cause())
n = 0
while True:
    n += 1
    print("tick", n)
    time.sleep_ms(5)
"""


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., VirtualBoard]]:
    """Start boards with a main.py; they are stopped, and none may have crashed."""
    boards: list[VirtualBoard] = []

    def start(main: str, **options: object) -> VirtualBoard:
        folder = tmp_path / f"flash-{len(boards)}"
        folder.mkdir()
        (folder / "main.py").write_text(main)
        board = VirtualBoard(folder, **options)  # type: ignore[arg-type] # a test's own keywords
        boards.append(board)
        board.start()
        return board

    yield start
    for board in boards:
        board.stop()
        assert board.crashes == []


def until(condition: Callable[[], object]) -> None:
    end_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end_s, "waited 20 s"
        time.sleep(0.005)


def read_until(port: serial.Serial, wanted: bytes) -> bytes:
    port.timeout = 20
    data = port.read_until(wanted)
    assert data.endswith(wanted), data
    return bytes(data)


def test_main_runs_and_prints(make: Callable[..., VirtualBoard]) -> None:
    board = make("import time\nwhile True:\n    print('hello')\n    time.sleep_ms(5)")
    with serial.Serial(board.path) as port:
        read_until(port, b"hello\r\n")


def test_ctrl_c_stops_a_busy_loop_and_gives_the_repl(make: Callable[..., VirtualBoard]) -> None:
    board = make("print('busy')\nwhile True: pass")
    with serial.Serial(board.path) as port:
        until(lambda: board.boots)
        time.sleep(0.1)
        port.write(b"\x03")
        assert b"KeyboardInterrupt" in read_until(port, b">>> ")
        port.write(b"6*7\r")
        read_until(port, b"42\r\n>>> ")


def test_ctrl_c_stops_a_sleep(make: Callable[..., VirtualBoard]) -> None:
    board = make("import time\nprint('sleeping')\ntime.sleep(3600)")
    with serial.Serial(board.path) as port:
        read_until(port, b"sleeping\r\n")
        port.write(b"\x03")
        assert b"KeyboardInterrupt" in read_until(port, b">>> ")


def test_a_program_that_asks_for_it_gets_ctrl_c_as_an_exception(make: Callable[..., VirtualBoard]) -> None:
    board = make(
        "import time\nwhile True:\n    try:\n        print('on')\n        time.sleep(60)\n"
        "    except KeyboardInterrupt:\n        print('caught')"
    )
    with serial.Serial(board.path) as port:
        for _ in range(3):
            read_until(port, b"on\r\n")
            port.write(b"\x03")
            read_until(port, b"caught\r\n")


def test_bytes_pass_both_ways_unchanged(make: Callable[..., VirtualBoard]) -> None:
    board = make(
        "import sys, micropython\nprint('ready')\n"
        "while True:\n    sys.stdout.buffer.write(sys.stdin.buffer.read(1))"
    )
    every = bytes(byte for byte in range(256) if byte != 3)
    with serial.Serial(board.path) as port:
        read_until(port, b"ready\r\n")
        for start in range(0, len(every), 64):
            part = every[start : start + 64]
            port.write(part)
            assert port.read(len(part)) == part


def test_poll_wakes_on_input(make: Callable[..., VirtualBoard]) -> None:
    board = make(
        "import sys, select\npoll = select.poll(); poll.register(sys.stdin, select.POLLIN)\n"
        "print(poll.poll(1))\n"
        "while True:\n    found = poll.poll(-1)\n    print(found[0][1], sys.stdin.buffer.read(1))"
    )
    with serial.Serial(board.path) as port:
        read_until(port, b"[]\r\n")
        port.write(b"x")
        read_until(port, b"1 b'x'\r\n")


def test_machine_reset_comes_back_on_a_new_port(make: Callable[..., VirtualBoard], tmp_path: Path) -> None:
    link = tmp_path / "tty"
    board = make(
        "import machine, time\nprint('cause', machine.reset_cause())\n"
        "time.sleep_ms(300) if machine.reset_cause() == 1 else time.sleep(3600)\nmachine.reset()",
        link=link,
    )
    until(lambda: board.hard_resets == 1)
    with serial.Serial(str(link)) as port:
        read_until(port, b"cause 3\r\n")


def test_the_watchdog_resets_a_board_that_hangs(make: Callable[..., VirtualBoard]) -> None:
    board = make(
        "import machine\nif machine.reset_cause() == 1:\n    machine.WDT(timeout=100)\n    while True: pass\n"
        "print('saved', machine.reset_cause())\nimport time\ntime.sleep(3600)"
    )
    until(lambda: board.hard_resets == 1)
    with serial.Serial(board.path) as port:
        read_until(port, b"saved 3\r\n")


def test_a_fed_watchdog_lets_the_board_live(make: Callable[..., VirtualBoard]) -> None:
    board = make(
        "import machine, time\nwdt = machine.WDT(timeout=400)\nfor _ in range(60):\n    wdt.feed()\n"
        "    time.sleep_ms(10)\nprint('alive', machine.reset_cause())\n"
        "while True:\n    wdt.feed()\n    time.sleep_ms(10)"
    )
    with serial.Serial(board.path) as port:
        read_until(port, b"alive 1\r\n")


def test_the_reset_button_starts_over(make: Callable[..., VirtualBoard]) -> None:
    board = make(COUNT)
    until(lambda: board.boots == 1)
    board.reset()
    until(lambda: board.boots == 2)


def test_an_unplugged_board_runs_on(make: Callable[..., VirtualBoard]) -> None:
    board = make(COUNT)
    with serial.Serial(board.path) as port:
        read_until(port, b"tick 3\r\n")
    board.unplug()
    time.sleep(0.2)
    board.replug()
    with serial.Serial(board.path) as port:
        tick = int(read_until(port, b"\r\n").split()[-1]) if read_until(port, b"tick ") else 0
    assert tick > 10
    assert board.boots == 1


def test_power_takes_ram_and_leaves_flash(make: Callable[..., VirtualBoard]) -> None:
    board = make(
        "try: n = int(open('n').read())\nexcept OSError: n = 0\n"
        "with open('n', 'w') as f: f.write(str(n + 1))\n"
        "import time\nwhile True:\n    print('boot', n)\n    time.sleep_ms(5)"
    )
    with serial.Serial(board.path) as port:
        read_until(port, b"boot 0\r\n")
    board.power_off()
    board.power_on()
    with serial.Serial(board.path) as port:
        read_until(port, b"boot 1\r\n")
    assert board.boots == 2


def test_power_can_be_cut_at_any_moment_of_a_boot(make: Callable[..., VirtualBoard]) -> None:
    board = make(COUNT)
    for step in range(40):
        board.power_off()
        board.power_on()
        time.sleep(step / 1000)
    with serial.Serial(board.path) as port:
        read_until(port, b"tick 3\r\n")


def test_a_second_replug_changes_nothing(make: Callable[..., VirtualBoard]) -> None:
    board = make(COUNT)
    path = board.path
    board.replug()
    assert board.path == path


def test_boards_in_one_process_do_not_touch_each_other(make: Callable[..., VirtualBoard]) -> None:
    boards = [make(COUNT, uid=f"e6610000000000{n:02}") for n in range(3)]
    with serial.Serial(boards[0].path) as port:
        read_until(port, b"tick 3\r\n")
        for _ in range(5):
            boards[1].reset()
            boards[2].reset()
            read_until(port, b"tick ")
    assert boards[0].boots == 1


def test_stopped_boards_leave_no_thread_and_no_descriptor(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(COUNT)

    def left() -> tuple[int, int]:
        gc.collect()
        return threading.active_count(), open_descriptors()

    def live() -> None:
        board = VirtualBoard(tmp_path)
        board.start()
        until(lambda: board.boots)
        board.stop()

    live()
    before = left()
    for _ in range(5):
        live()
    assert left() == before


def test_a_soft_reset_keeps_the_port_and_the_clock(make: Callable[..., VirtualBoard]) -> None:
    board = make("import time\nprint('up', time.ticks_ms() // 100)")
    with serial.Serial(board.path) as port:
        until(lambda: board.boots)
        time.sleep(0.3)
        port.write(b"\x04")
        text = read_until(port, b"soft reboot\r\n") + read_until(port, b">>> ")
        assert int(text.rsplit(b"up ", 1)[1].split()[0]) >= 3
    assert board.boots == 2
