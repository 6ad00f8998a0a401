import threading

from hil.virtual.console import RX_RING_BYTES, Captured, Console, Wake


def console() -> tuple[Console, list[str]]:
    interrupts: list[str] = []
    return Console(lambda: interrupts.append("^C")), interrupts


def test_bytes_come_out_in_order() -> None:
    made, _ = console()
    made.feed(b"abc")
    made.feed(b"def")
    assert made.take(4) + made.take(9) == b"abcdef"


def test_ctrl_c_while_booting_waits_for_something_to_interrupt() -> None:
    made, interrupts = console()
    made.feed(b"\r\x03kept")
    assert interrupts == []
    made.set_interrupt_char(3)
    assert (made.take(99), interrupts) == (b"kept", ["^C"])


def test_ctrl_c_drops_what_waited_and_interrupts() -> None:
    made, interrupts = console()
    made.set_interrupt_char(3)
    made.feed(b"lost")
    made.feed(b"lost\x03kept")
    assert (made.take(99), interrupts) == (b"kept", ["^C"])


def test_ctrl_c_is_input_where_the_repl_wants_it() -> None:
    made, interrupts = console()
    made.interrupt_char = -1
    made.feed(b"\x03")
    assert (made.take(9), interrupts) == (b"\x03", [])


def test_a_full_ring_has_no_room_until_something_is_taken() -> None:
    made, _ = console()
    made.feed(b"x" * RX_RING_BYTES)
    assert made.room(0) == 0
    made.take(5)
    assert made.room(0) == 5


def test_a_wait_ends_with_time() -> None:
    assert console()[0].wait(0.001, for_input=True) is Wake.TIME


def test_a_wait_ends_with_input_from_another_thread() -> None:
    made, _ = console()
    threading.Timer(0.01, made.feed, (b"x",)).start()
    assert made.wait(10, for_input=True) is Wake.INPUT


def test_a_sleep_is_not_woken_by_input() -> None:
    made, _ = console()
    made.feed(b"x")
    assert made.wait(0.001, for_input=False) is Wake.TIME


def test_a_reset_comes_before_all_else() -> None:
    made, _ = console()
    made.feed(b"x")
    made.interrupt()
    made.request_reset(1)
    assert made.wait(None, for_input=True) is Wake.RESET


def test_an_interrupt_stands_until_it_is_taken() -> None:
    made, _ = console()
    made.interrupt()
    assert made.wait(None, for_input=False) is Wake.INTERRUPT
    assert (made.interrupted(), made.interrupted()) == (True, False)


def test_a_boot_forgets_resets_and_keeps_input() -> None:
    made, _ = console()
    made.feed(b"x")
    made.request_reset(1)
    made.boot()
    assert made.wait(None, for_input=True) is Wake.INPUT


def test_captured_output_has_plain_line_ends() -> None:
    port = Captured()
    port.write(b"a\r\nb\r\n")
    assert port.text() == "a\nb\n"
