"""The options of drivers: every entry of board.json is checked, in words, and every driver is documented."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import drivers
from firmware.drivers import options
from tests.fake_hardware import FakeHardware

ROOT = Path(__file__).parent.parent
BOARDS_OWN = {"internal"}  # the node adds it, board.json does not
NAMES = sorted(
    path.stem
    for path in (ROOT / "firmware/drivers").glob("*.py")
    if re.search(r"^def make|^options = ", path.read_text(encoding="utf-8"), re.MULTILINE)
    and path.stem != "__init__"
)
PAGE = (ROOT / "docs/drivers.md").read_text(encoding="utf-8")
EXAMPLES: list[dict[str, Any]] = [
    json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
]

each_driver = pytest.mark.parametrize("name", NAMES)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, "driver is missing"),
        (5, "an entry of sensors must be an object with a driver"),
        ({"driver": 5}, "there is no driver 5"),
        ({"driver": "no_such"}, "there is no driver 'no_such'"),
        ({"driver": "../main"}, "there is no driver '../main'"),
        ({"driver": "options"}, "there is no driver 'options'"),
        ({"driver": "sensor"}, "there is no driver 'sensor'"),
        ({"driver": "adc"}, "adc: pin is missing"),
        ({"driver": "adc", "pin": 2.5}, "adc: pin must be a pin's number or name, not 2.5"),
        ({"driver": "adc", "pin": 26, "decimals": 10}, "adc: decimals must be 0 to 9, not 10"),
        ({"driver": "adc", "pin": 26, "unit": "x" * 17}, "adc: unit must be 1 to 16 characters"),
        ({"driver": "adc", "pin": 26, "title": 5}, "adc: title must be a text, not 5"),
        ({"driver": "adc", "pin": 26, "per_volt": True}, "adc: per_volt must be a number, not True"),
        ({"driver": "adc", "pin": 26, "interval_ms": 0}, "adc: interval_ms must be 20 to 3600000, not 0"),
        ({"driver": "digital_in", "pin": 1, "pull": "x"}, "digital_in: pull must be none, up or down, not"),
        ({"driver": "digital_in", "pin": 15, "invert": 1}, "digital_in: invert must be true or false, not 1"),
        ({"driver": "sht3x", "address": 5}, "sht3x: address must be 68 or 69, not 5"),
        ({"driver": "sht3x", "adress": 68}, "sht3x: there is no option 'adress'; there are address, driver,"),
        ({"driver": "dht22", "pin": 9, "interval_ms": 5}, "dht22: interval_ms must be 2000 to 3600000, "),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_refused_in_words(entry: Any, words: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(words)):
        drivers.make(entry, FakeHardware())


def test_null_leaves_an_option_at_its_default() -> None:
    driver = drivers.make({"driver": "adc", "pin": 26, "name": None}, FakeHardware())
    assert driver.metrics[0]["name"] == "voltage"


@each_driver
def test_every_drivers_schema_is_json_schema_and_holds_its_defaults(name: str) -> None:
    schema = drivers.schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    defaults = {key: rule["default"] for key, rule in schema["properties"].items() if "default" in rule}
    jsonschema.validate(defaults | dict.fromkeys(schema["required"], 1), schema)


@each_driver
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_the_check_takes_the_schema_takes_and_the_other_way_round(
    name: str, data: st.DataObject
) -> None:
    schema = drivers.schema(name)
    known = st.sampled_from(sorted(schema["properties"]))
    entry = data.draw(st.dictionaries(known, JSON.filter(lambda value: value is not None), max_size=4))
    entry |= {key: 1 for key in schema["required"] if key not in entry}
    try:
        options.checked(entry, schema["properties"], tuple(schema["required"]))
    except ValueError:
        taken = False
    else:
        taken = True
    texts_hold = all(value != "" for value in entry.values())  # an empty text is of no use, and valid JSON
    whole = not any(
        isinstance(value, float) and value.is_integer() for value in entry.values()
    )  # 1.0 is JSON's 1
    if texts_hold and whole:
        assert taken == jsonschema.Draft202012Validator(schema).is_valid(entry)


@given(JSON)
def test_no_entry_raises_anything_but_a_value_error(entry: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        drivers.make(entry, FakeHardware())


def test_a_prefix_and_a_title_tell_two_chips_of_a_kind_apart() -> None:
    driver = drivers.make({"driver": "sht3x", "prefix": "outdoor", "title": "Outdoor"}, FakeHardware())
    assert [(entry["name"], entry["title"]) for entry in driver.metrics] == [
        ("outdoor_temperature", "Outdoor temperature"),
        ("outdoor_humidity", "Outdoor humidity"),
    ]


# --- the page -----------------------------------------------------------------------------------------------


@each_driver
def test_every_driver_has_a_section_with_all_its_own_options(name: str) -> None:
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section, f"docs/drivers.md has no section {name}"
    shared = {
        "driver",
        "interval_ms",
        "title",
        "name",
        "unit",
        "decimals",
        "prefix",
        "i2c",
        "sda",
        "scl",
        "freq",
    }
    for option in set(drivers.schema(name)["properties"]) - shared:
        assert f"`{option}`" in section[1], f"docs/drivers.md, {name}: says nothing of {option}"


def test_the_page_names_every_driver_and_no_other() -> None:
    assert sorted(re.findall(r"^## ([a-z0-9_]+)$", PAGE, re.MULTILINE)) == sorted({*NAMES, *BOARDS_OWN})
    assert set(NAMES) | BOARDS_OWN == {
        *(path.stem for path in (ROOT / "firmware/drivers").glob("*.py")),
    } - {"__init__", "options", "sensor"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example.get("driver", "board")))
def test_the_pages_examples_are_what_a_board_takes(example: dict[str, Any]) -> None:
    for entry in example.get("sensors", [example]):
        drivers.make(entry, FakeHardware())


def test_the_page_has_an_example_of_each_driver() -> None:
    assert {example["driver"] for example in EXAMPLES if "driver" in example} == set(NAMES)
