from hil.virtual.clock import RP2_EPOCH_NS, BoardClock


class Seconds:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_board_starts_at_2021_after_each_boot() -> None:
    time = Seconds()
    clock = BoardClock(monotonic_s=time)
    clock.boot()
    clock.set_rtc_s(1_800_000_000)
    time.now_s += 5
    clock.boot()
    assert clock.rtc_ns() == RP2_EPOCH_NS


def test_uptime_counts_from_the_boot_and_now_from_the_making() -> None:
    time = Seconds()
    clock = BoardClock(monotonic_s=time)
    time.now_s += 3
    clock.boot()
    time.now_s += 2
    assert (clock.now_s(), clock.uptime_ns()) == (5.0, 2_000_000_000)


def test_a_set_real_time_clock_goes_on_counting() -> None:
    time = Seconds()
    clock = BoardClock(monotonic_s=time)
    clock.boot()
    time.now_s += 1
    clock.set_rtc_s(1_800_000_000)
    time.now_s += 2
    assert clock.rtc_ns() == 1_800_000_002 * 10**9


def test_a_skip_moves_every_clock_ahead() -> None:
    clock = BoardClock(virtual=True, monotonic_s=Seconds())
    clock.boot()
    clock.skip(3600)
    assert (clock.now_s(), clock.uptime_ns()) == (3600.0, 3600 * 10**9)


def test_time_is_never_skipped_backwards() -> None:
    clock = BoardClock(virtual=True, monotonic_s=Seconds())
    clock.skip(-1)
    assert clock.now_s() == 0.0
