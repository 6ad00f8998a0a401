"""The registry: who is here, who speaks for whom, and what was last heard."""

from __future__ import annotations

import pytest

from hub.devices import CONSOLE_LINES, Registry, TakenByAnotherLink, UnknownDevice, describe
from hub.links.link import NotReachable
from hub.model import Birth, CommandType, Kind, LinkKind, LogLine, Metric, Quality, Reading, Sample

BIRTH = Birth(
    device="e66141d0",
    name="Greenhouse",
    metrics=(
        Metric(name="temperature", unit="°C", decimals=2),
        Metric(name="mode", kind=Kind.ENUM, options=("off", "on")),
    ),
    commands=(CommandType(name="led"),),
)


def reading(value: float | None, source_time_ms: int = 1000) -> Reading:
    return Reading(
        device="e66141d0",
        metrics=("temperature",),
        values=(value,),
        source_time_ms=source_time_ms,
        hub_time_ms=source_time_ms + 5,
    )


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.born(BIRTH, LinkKind.SERIAL, 500)
    return registry


def test_a_birth_makes_the_device_known_and_online(registry: Registry) -> None:
    (state,) = registry.all()
    assert (state.id, state.online, state.last_seen) == ("e66141d0", True, 500)


def test_an_offline_device_says_why_it_cannot_be_reached(registry: Registry) -> None:
    registry.gone("e66141d0", "the cable was pulled")
    with pytest.raises(NotReachable, match=r"Greenhouse.*the cable was pulled"):
        registry.link_of("e66141d0")


def test_an_unknown_device_is_an_error_that_names_it(registry: Registry) -> None:
    with pytest.raises(UnknownDevice, match="nobody"):
        registry.link_of("nobody")


def test_a_device_goes_offline_once(registry: Registry) -> None:
    assert registry.gone("e66141d0", "unplugged") is not None
    assert registry.gone("e66141d0", "unplugged") is None


def test_mqtt_cannot_take_the_id_of_a_board(registry: Registry) -> None:
    with pytest.raises(TakenByAnotherLink, match="serial"):
        registry.born(BIRTH, LinkKind.MQTT, 600)


def test_a_board_on_a_cable_takes_its_id_back_from_mqtt() -> None:
    registry = Registry()
    registry.born(BIRTH, LinkKind.MQTT, 500)
    assert registry.born(BIRTH, LinkKind.SERIAL, 600).link is LinkKind.SERIAL


@pytest.mark.parametrize("link", [LinkKind.MQTT, LinkKind.SERIAL])
def test_whoever_brings_an_imported_device_first_has_it(link: LinkKind) -> None:
    registry = Registry()
    registry.restore(Birth(device="b", name="b", model="imported"), LinkKind.IMPORT, 5, {})
    assert registry.born(Birth(device="b", name="Board"), link, 7).link is link


def test_the_newest_sample_by_its_own_time_is_the_last(registry: Registry) -> None:
    registry.take(reading(21.5, 2000))
    registry.take(reading(19.0, 1000))
    assert registry.all()[0].latest["temperature"].value == 21.5


def test_a_value_that_could_not_be_read_is_bad(registry: Registry) -> None:
    registry.take(reading(None))
    assert registry.all()[0].latest["temperature"].quality is Quality.BAD


def test_a_metric_that_a_new_birth_no_longer_has_is_forgotten(registry: Registry) -> None:
    registry.take(reading(21.5))
    registry.born(Birth(device="e66141d0", name="Greenhouse"), LinkKind.SERIAL, 700)
    assert registry.all()[0].latest == {}


def test_a_device_from_the_store_is_offline_with_its_last_values() -> None:
    registry = Registry()
    sample = Sample(value=20.0, quality=Quality.GOOD, source_time=1, hub_time=2)
    registry.restore(BIRTH, LinkKind.SERIAL, 400, {"temperature": sample})
    shown = describe(registry.all()[0])
    assert shown["online"] is False
    assert shown["reason"] == "not seen since the hub started"
    assert shown["metrics"][0]["last"]["value"] == 20.0


def test_the_console_keeps_a_bounded_number_of_lines(registry: Registry) -> None:
    for number in range(CONSOLE_LINES + 10):
        registry.note(LogLine("e66141d0", number, f"line {number}"))
    lines = registry.console("e66141d0")
    assert len(lines) == CONSOLE_LINES
    assert lines[-1].text == f"line {CONSOLE_LINES + 9}"


def test_a_described_device_has_units_options_and_commands(registry: Registry) -> None:
    shown = describe(registry.all()[0])
    assert shown["metrics"][0]["unit"] == "°C"
    assert shown["metrics"][0]["last"] is None
    assert shown["metrics"][1]["options"] == ["off", "on"]
    assert shown["commands"] == [{"name": "led", "title": "", "params": {}}]


def test_a_device_has_the_tags_of_the_configuration() -> None:
    registry = Registry({"pico-1": ("lab", "north")})
    for device in ("pico-1", "pico-2"):
        registry.born(Birth(device=device, name=device), LinkKind.SERIAL, 1)
    assert [describe(state)["tags"] for state in registry.all()] == [["lab", "north"], []]
