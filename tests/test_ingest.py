"""Ingest: readings reach screen and store, commits become acks, a link speaks only for its own devices."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from hub.bus import Batch, Bus
from hub.devices import Registry
from hub.health import Health
from hub.ingest import Ingest
from hub.link_verdict import Restart
from hub.log_pace import LINES
from hub.model import Birth, Born, Gone, LinkKind, LogLine, Metric, Quality, Reading
from tests.fakes import FakeLink, until
from tests.fresh_store import open_fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.store.store import Store

NOW_MS = 1_763_700_000_000
BIRTH = Birth(device="board", name="Board", boot_id="b1", metrics=(Metric(name="temperature", unit="°C"),))


class Rig:
    def __init__(self, registry: Registry, store: Store, bus: Bus, ingest: Ingest, health: Health) -> None:
        self.registry, self.store, self.bus, self.ingest, self.health = registry, store, bus, ingest, health
        self.link = FakeLink()
        registry.attach(self.link)
        self.serial = ingest.sink_for(LinkKind.SERIAL)
        self.mqtt = ingest.sink_for(LinkKind.MQTT)
        self.batches: list[Batch] = []
        bus.subscribe(self.batches.append)

    @property
    def live(self) -> list[Reading]:
        return [reading for batch in self.batches for reading in batch.readings]


def reading(seq: int, value: float = 21.5) -> Reading:
    return Reading(
        device="board",
        metrics=("temperature",),
        values=(value,),
        source_time_ms=NOW_MS + seq,
        hub_time_ms=NOW_MS + seq,
        boot_id="b1",
        seq=seq,
    )


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    health = Health()
    store = open_fresh(tmp_path, health=health, now_ms=lambda: NOW_MS)
    await store.start()
    registry, bus = Registry(), Bus(epoch="0badcafe", now_ms=lambda: 0, tick_s=0.001)
    ingest = Ingest(registry=registry, store=store, bus=bus, health=health, now_ms=lambda: NOW_MS)
    yield Rig(registry, store, bus, ingest, health)
    await store.close()


async def test_a_reading_is_live_and_stored_and_acked_after_its_commit(rig: Rig) -> None:
    rig.serial(Born(BIRTH, LinkKind.SERIAL))
    rig.serial(reading(0))
    await until(lambda: rig.live)
    await until(lambda: rig.link.acks)
    assert rig.link.acks[-1] == ("board", "b1", 0)
    assert rig.store.last_seq("board", "b1") == 0


async def test_nothing_is_acked_before_the_store_has_it(rig: Rig) -> None:
    rig.serial(Born(BIRTH, LinkKind.SERIAL))
    rig.serial(reading(0))
    await until(lambda: rig.live)
    assert rig.link.acks == [] or rig.store.last_seq("board", "b1") == 0


async def test_mqtt_cannot_speak_for_a_board(rig: Rig) -> None:
    rig.serial(Born(BIRTH, LinkKind.SERIAL))
    rig.mqtt(Born(Birth(device="board", name="Impostor"), LinkKind.MQTT))
    rig.mqtt(reading(0, 99.0))
    rig.mqtt(Gone("board", "says the impostor"))
    rig.serial(reading(0, 21.5))
    await until(lambda: rig.live)
    state = rig.registry.get("board")
    assert state is not None
    assert (state.birth.name, state.online) == ("Board", True)
    assert [one.values for one in rig.live] == [(21.5,)]


async def test_a_device_that_comes_and_goes_all_the_time_fills_no_log(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    flapping = Birth(device="flap", name="Flap")
    with caplog.at_level(logging.INFO, "hub.ingest"):
        for _ in range(100):
            rig.mqtt(Born(flapping, LinkKind.MQTT))
            rig.mqtt(Gone("flap", "it says so"))
        rig.mqtt(Born(Birth(device="calm", name="Calm"), LinkKind.MQTT))
    told = [record.getMessage() for record in caplog.records]
    assert [line.startswith("device flap") for line in told] == [True] * LINES + [False]


async def test_an_impostor_that_tries_all_the_time_fills_no_log(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.serial(Born(BIRTH, LinkKind.SERIAL))
    for _ in range(100):
        rig.mqtt(Born(Birth(device="board", name="Impostor"), LinkKind.MQTT))
    assert len(caplog.records) == LINES


async def test_a_reading_without_a_birth_is_refused_and_counted(rig: Rig) -> None:
    rig.serial(reading(0))
    refused = rig.health.registry.get_sample_value(
        "outpost_readings_refused_total", {"link": "serial", "reason": "not its device"}
    )
    assert refused == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
async def test_a_value_that_is_no_number_becomes_a_bad_sample(rig: Rig, value: float) -> None:
    rig.serial(Born(BIRTH, LinkKind.SERIAL))
    rig.serial(reading(0, value))
    state = rig.registry.get("board")
    assert state is not None
    assert (state.latest["temperature"].value, state.latest["temperature"].quality) == (None, Quality.BAD)


async def test_births_and_goodbyes_are_announced(rig: Rig) -> None:
    rig.serial(Born(BIRTH, LinkKind.SERIAL))
    rig.serial(Gone("board", "unplugged"))
    await until(lambda: sum(len(batch.events) for batch in rig.batches) == 2)
    shown = [event.data["online"] for batch in rig.batches for event in batch.events]
    assert shown == [True, False]


async def test_a_restart_is_kept_with_its_cause_also_where_the_port_went_with_it(rig: Rig) -> None:
    rig.serial(Born(BIRTH, LinkKind.SERIAL))
    rig.serial(Gone("board", "the port is gone"))
    rig.serial(Born(structs.replace(BIRTH, reset_cause="power"), LinkKind.SERIAL))  # the same boot again
    rig.serial(Born(structs.replace(BIRTH, boot_id="b2", reset_cause="watchdog"), LinkKind.SERIAL))
    state = rig.registry.get("board")
    assert state is not None
    assert list(state.trend.restarts) == [Restart(NOW_MS, "watchdog")]
    await rig.store.settle()
    latest = await rig.store.latest()
    assert latest["board"]["link.reset_cause"].value == "watchdog"


async def test_console_lines_are_kept_and_announced(rig: Rig) -> None:
    rig.serial(Born(BIRTH, LinkKind.SERIAL))
    rig.serial(LogLine("board", NOW_MS, "hello from the board"))
    assert [line.text for line in rig.registry.console("board")] == ["hello from the board"]
    await until(lambda: any(event.kind == "log" for batch in rig.batches for event in batch.events))


async def test_a_defect_in_one_event_does_not_reach_the_link(rig: Rig) -> None:
    rig.serial(Born(BIRTH, LinkKind.SERIAL))
    broken = Reading(device="board", metrics=("a", "b"), values=(1,), source_time_ms=0, hub_time_ms=0)
    rig.serial(broken)
    rig.serial(reading(0))
    await until(lambda: rig.live)
