"""Writes a database by Home Assistant's own recorder. Run by the Python of an environment of its own.

python tests/ha_recorder.py FOLDER: a folder with home-assistant_v2.db, of two hours with six entities. What
Home Assistant itself shows of their history is printed as JSON: {"entity": [[ms, state], …]}.
"""

# ruff: noqa: T201, ANN
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from homeassistant.core import CoreState, HomeAssistant  # isort: skip - the other modules need it first
from homeassistant import loader
from homeassistant.components import recorder
from homeassistant.components.recorder import history
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    async_import_statistics,
)
from homeassistant.helpers import entity_registry, translation

BEGIN = datetime(2024, 3, 1, 12, tzinfo=UTC)
TEMPERATURE = {"unit_of_measurement": "°C", "state_class": "measurement", "device_class": "temperature"}


def moments():
    """Yield (entity, state, attributes) by time."""
    for minute in range(120):
        yield minute, "sensor.kitchen", f"{20 + minute / 10:.1f}", TEMPERATURE
        if minute % 10 == 0:
            state = "unavailable" if minute == 50 else str(minute)
            yield minute, "sensor.raw_count", state, {}
            yield minute, "binary_sensor.door", "on" if minute % 20 else "off", {"device_class": "door"}
            yield minute, "light.hall", "unknown" if minute == 0 else "on", {"brightness": 5}
            yield minute, "weather.home", "sunny" if minute % 20 else "cloudy", {}
            yield minute, "sensor.phone", "charging" if minute == 30 else "80", {"unit_of_measurement": "%"}


async def fill(folder: Path) -> None:
    """Record states, and statistics of the days before."""
    hass = HomeAssistant(str(folder))
    loader.async_setup(hass)
    translation.async_setup(hass)
    await entity_registry.async_load(hass)
    hass.config.components.add("http")
    hass.set_state(CoreState.running)
    from homeassistant.helpers.recorder import async_initialize_recorder as initialize

    initialize(hass)
    url = f"sqlite:///{folder / 'home-assistant_v2.db'}"
    config = recorder.CONFIG_SCHEMA({"recorder": {"db_url": url, "commit_interval": 0}})
    assert await recorder.async_setup(hass, config)
    instance = recorder.get_instance(hass)
    await instance.async_recorder_ready.wait()
    for minute, entity, state, attributes in moments():
        at = BEGIN + timedelta(minutes=minute)
        _set(hass, entity, state, attributes, at)
    await hass.async_block_till_done()
    await _statistics(hass)
    await instance.async_block_till_done()
    shown = await instance.async_add_executor_job(_history, hass)
    print(json.dumps(shown))
    await hass.async_stop(force=True)


def _set(hass, entity, state, attributes, at) -> None:
    """Fire what a change of a state fires, as of that time."""
    from homeassistant.const import EVENT_STATE_CHANGED
    from homeassistant.core import State

    old = hass.states.get(entity)
    new = State(entity, state, attributes, last_changed=at, last_updated=at)
    hass.states._states[entity] = new
    data = {"entity_id": entity, "old_state": old, "new_state": new}
    hass.bus.async_fire(EVENT_STATE_CHANGED, data, time_fired=at)


async def _statistics(hass) -> None:
    hours = [BEGIN - timedelta(hours=back) for back in range(48, 0, -1)]
    mean = {
        "has_mean": True, "has_sum": False, "name": None, "source": "recorder",
        "statistic_id": "sensor.kitchen", "unit_of_measurement": "°C",
    }  # fmt: skip
    rows = [
        {"start": hour, "mean": 10 + place / 10, "min": 9.0, "max": 30.5} for place, hour in enumerate(hours)
    ]
    # Also hours that have states: those must not count twice.
    rows.append({"start": BEGIN, "mean": 99.0, "min": 98.0, "max": 100.0})
    async_import_statistics(hass, mean, rows)
    meter = {
        "has_mean": False, "has_sum": True, "name": "Grid", "source": "energy",
        "statistic_id": "energy:grid", "unit_of_measurement": "kWh",
    }  # fmt: skip
    rows = [{"start": hour, "state": 100.0 + place, "sum": float(place)} for place, hour in enumerate(hours)]
    async_add_external_statistics(hass, meter, rows)


def _history(hass):
    found = history.get_significant_states(
        hass, BEGIN - timedelta(seconds=1), BEGIN + timedelta(hours=3), hass.states.async_entity_ids(),
        include_start_time_state=False, significant_changes_only=False,
    )  # fmt: skip
    return {
        entity: [[round(state.last_updated.timestamp() * 1000), state.state] for state in states]
        for entity, states in found.items()
    }


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1])))
