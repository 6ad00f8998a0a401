from hil.virtual.environment import Environment
from hil.virtual.hardware import Wiring, core_temperature_v, demo_wiring

DAY_S = 86_400


class World(Environment):
    """An environment whose time a test sets."""

    def __init__(self, seed: str = "e661") -> None:
        self.s = 20_000.0 * DAY_S
        super().__init__(seed, lambda: self.s)

    def at(self, hour: float) -> "World":
        self.s = 20_000.0 * DAY_S + hour * 3600
        return self


def test_the_same_seed_gives_the_same_world() -> None:
    first, second = World("a"), World("a")
    assert [first.temperature_c() for _ in range(5)] == [second.temperature_c() for _ in range(5)]


def test_two_boards_differ() -> None:
    assert abs(World("a").temperature_c() - World("b").temperature_c()) > 0.05


def test_the_afternoon_is_warmer_and_drier_than_the_night() -> None:
    world = World()
    night = (world.at(3).temperature_c(), world.humidity_percent())
    afternoon = (world.at(15).temperature_c(), world.humidity_percent())
    assert afternoon[0] - night[0] > 7
    assert night[1] - afternoon[1] > 20


def test_noon_is_brighter_than_midnight() -> None:
    world = World()
    assert world.at(12).light_fraction() > 0.5 > 0.2 > world.at(0).light_fraction()


def test_every_quantity_stays_in_its_range_for_a_day() -> None:
    world = World()
    for minute in range(0, 24 * 60, 7):
        world.at(minute / 60)
        assert 10 < world.temperature_c() < 32
        assert 0 <= world.humidity_percent() <= 100
        assert 0 <= world.light_fraction() <= 1


def test_the_door_opens_and_shuts() -> None:
    world = World()
    states = [World.door_open(world) for world.s in range(100)]
    assert set(states) == {True, False}


def test_the_fan_shakes_more_than_silence() -> None:
    world = World()
    spread = {True: [0.0], False: [0.0]}
    for step in range(2000):
        world.s = step / 10
        spread[world.fan_on()].append(abs(world.vibration_g()))
    assert max(spread[True]) > 0.3 > 0.15 > max(spread[False])


def test_an_adc_reads_zero_where_nothing_is_wired() -> None:
    assert Wiring().calls()["adc"](2) == 0


def test_an_adc_saturates_at_its_reference() -> None:
    wiring = Wiring()
    wiring.analog_v[0] = lambda: 5.0
    assert wiring.calls()["adc"](0) == 0xFFFF


def test_an_adc_channel_is_reached_by_its_pin_too() -> None:
    wiring = Wiring()
    wiring.analog_v[0] = lambda: 1.65
    assert wiring.calls()["adc"](26) == wiring.calls()["adc"](0) == 0x8000


def test_the_core_temperature_is_the_datasheets() -> None:
    assert core_temperature_v(27.0) == 0.706


def test_an_output_reads_back() -> None:
    calls = Wiring().calls()
    calls["pin_set"]("LED", 1)
    assert calls["pin_get"]("LED") == 1


def test_a_missing_chip_is_an_input_output_error() -> None:
    calls = demo_wiring(World(), lambda: 0.0).calls()
    assert calls["i2c_write"](0, 0x10, "2400") == {"errno": 5}
    assert calls["i2c_read"](1, 0x44, 6) == {"errno": 5}


def test_a_demo_board_has_its_sensors() -> None:
    calls = demo_wiring(World().at(12), lambda: 0.0).calls()
    assert calls["i2c_scan"](0) == [0x44]
    assert calls["adc"](26) > 20_000
    assert 0 < calls["adc"](27) < 65_535
    assert calls["pin_get"](15) in (0, 1)
