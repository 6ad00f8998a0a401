"""The MPU-6050's driver: batches from the chip's FIFO, their times, and what a lost chip leads to."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest

from firmware import drivers
from hil.virtual.chips.mpu6050 import Mpu6050
from tests.fake_hardware import FakeHardware


class Bench:
    """A chip that moves, its clock off by `clock`, and its driver."""

    def __init__(self, clock: float = 1.0, **options: Any) -> None:
        self.hardware = FakeHardware()
        self.chip = Mpu6050(
            lambda t: (math.sin(t), -1.0, 0.5, 100.0, -250.0, t), self.hardware.now_s, clock=clock
        )
        self.hardware.i2c_bus.chips[0x68] = self.chip
        self.driver: Any = drivers.make({"driver": "mpu6050", **options}, self.hardware)

    def batch(self, seconds: float = 0.2) -> list[tuple[int, list[int | None]]]:
        """Let time pass and fetch a batch."""
        self.hardware.s += seconds
        self.driver.begin()
        batch: list[tuple[int, list[int | None]]] = self.driver.read_batch(round(self.hardware.s * 1000))
        return batch


def test_a_batch_holds_ten_samples_of_50_hz() -> None:
    bench = Bench()
    assert bench.batch() == []  # it was just set up
    batch = bench.batch()
    assert len(batch) == 10
    times = [time for time, _ in batch]
    assert [after - before for before, after in pairwise(times)] == [20] * 9
    assert 380 <= times[-1] <= 400
    assert all(values[1:5] == [-10000, 5000, 10000, -25000] for _, values in batch)


def test_values_scale_to_their_decimals_in_every_range() -> None:
    for range_g, range_dps in ((2, 250), (4, 500), (8, 1000), (16, 2000)):
        bench = Bench(range_g=range_g, range_dps=range_dps)
        bench.batch()
        values = bench.batch()[0][1]
        assert values[1:5] == [pytest.approx(v, abs=8) for v in (-10000, 5000, 10000, -25000)]


def test_without_rotation_a_batch_is_acceleration_alone() -> None:
    bench = Bench(gyro=False)
    bench.batch()
    assert {len(values) for _, values in bench.batch()} == {3}
    assert [entry["name"] for entry in bench.driver.metrics] == [f"acceleration_{axis}" for axis in "xyz"]


@pytest.mark.parametrize("clock", [0.97, 1.0, 1.03])
def test_times_follow_the_boards_clock_however_fast_the_chips_own(clock: float) -> None:
    bench = Bench(clock)
    bench.batch()
    taken = [sample for _ in range(300) for sample in bench.batch()]
    times = [time for time, _ in taken]
    assert times == sorted(times)
    assert len(taken) == pytest.approx(60 * 50 * clock, abs=2)
    # acceleration x tells when a sample was truly taken: sin(t) about t = n pi, where it is steep
    for time, values in taken:
        x = values[0]
        assert x is not None
        assert abs(x / 10000 - math.sin(time / 1000)) < 0.045


def test_a_board_that_was_busy_for_a_second_loses_nothing() -> None:
    bench = Bench()
    bench.batch()
    taken = bench.batch(1.0)
    while len(taken) < 50:
        more = bench.batch(0.0)
        assert more
        taken += more
    assert [time for time, _ in taken] == sorted(time for time, _ in taken)


def test_a_fifo_that_ran_over_is_told_and_sampling_goes_on() -> None:
    bench = Bench()
    bench.batch()
    with pytest.raises(OSError, match="the FIFO ran over"):
        bench.batch(5.0)
    bench.batch()
    assert len(bench.batch()) == 10


def test_a_chip_that_lost_its_power_or_its_wire_comes_back() -> None:
    bench = Bench()
    bench.batch()
    bench.chip.power_on()
    with pytest.raises(OSError, match="lost its settings"):
        bench.batch()
    bench.batch()
    assert len(bench.batch()) == 10
    del bench.hardware.i2c_bus.chips[0x68]
    with pytest.raises(OSError, match=r".+"):
        bench.driver.read_batch(0)
    with pytest.raises(OSError, match=r".+"):
        bench.batch()
    bench.hardware.i2c_bus.chips[0x68] = bench.chip
    bench.batch()
    assert len(bench.batch()) == 10


def test_a_single_reading_is_the_newest_sample() -> None:
    bench = Bench()
    bench.batch()
    bench.hardware.s += 0.1
    assert bench.driver.read()[1:5] == [-10000, 5000, 10000, -25000]
