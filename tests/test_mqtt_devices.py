"""Devices that MQTT messages make known: births, readings, status, and bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.links.mqtt_devices import DEVICES, METRICS_A_DEVICE, Arrival, MqttDevices
from hub.links.refusals import Refusals
from hub.model import Born, Gone, Kind, LinkHealth, LinkKind, Quality, Reading

if TYPE_CHECKING:
    from hub.model import LinkEvent

NOW_MS = 1_763_700_000_000


@pytest.fixture
def refusals() -> Refusals:
    return Refusals(LinkKind.MQTT, health=None, now_ms=lambda: NOW_MS)


@pytest.fixture
def devices(refusals: Refusals) -> MqttDevices:
    return MqttDevices("outpost", refusals)


def came(topic: str, payload: bytes, *, retained: bool = False, time_ms: int = NOW_MS) -> Arrival:
    return Arrival(f"outpost/{topic}", payload, retained, time_ms)


def births(events: list[LinkEvent]) -> list[list[str]]:
    return [[metric.name for metric in event.birth.metrics] for event in events if isinstance(event, Born)]


def readings(events: list[LinkEvent]) -> list[Reading]:
    return [event for event in events if isinstance(event, Reading)]


def test_a_device_is_born_at_its_first_message_before_its_reading(devices: MqttDevices) -> None:
    born, reading = devices.take([came("a/t", b'{"value": 1, "unit": "C"}')])
    assert isinstance(born, Born)
    assert isinstance(reading, Reading)
    assert (born.birth.device, born.birth.metrics[0].unit, born.link) == ("a", "C", LinkKind.MQTT)
    assert (reading.device, reading.metrics, reading.values) == ("a", ("t",), (1,))
    assert (reading.boot_id, reading.seq) == (None, None)


def test_metrics_that_come_together_make_one_birth(devices: MqttDevices) -> None:
    events = devices.take([came("a/t", b"1"), came("a/h", b"2"), came("a/p", b"3")])
    assert births(events) == [["t", "h", "p"]]
    assert isinstance(events[0], Born)


def test_a_new_metric_makes_a_grown_birth(devices: MqttDevices) -> None:
    devices.take([came("a/t", b"1")])
    assert births(devices.take([came("a/t", b"2")])) == []
    assert births(devices.take([came("a/h", b"2")])) == [["t", "h"]]


def test_known_births_keep_their_metrics(refusals: Refusals) -> None:
    earlier = MqttDevices("outpost", refusals)
    (born, _) = earlier.take([came("a", b'{"t": 1, "door": true}')])[:2]
    assert isinstance(born, Born)
    later = MqttDevices("outpost", refusals, known=[born.birth])
    assert births(later.take([came("a/t", b"2")])) == [["t", "door"]]


def test_the_257th_metric_is_refused(devices: MqttDevices, refusals: Refusals) -> None:
    devices.take([came(f"a/m{n}", b"1") for n in range(METRICS_A_DEVICE)])
    events = devices.take([came("a/one_more", b"1"), came("a/m0", b"2")])
    assert [reading.metrics for reading in readings(events)] == [("m0",)]
    assert refusals.counts == {"too many metrics": 1}


def test_the_1001st_device_is_refused(devices: MqttDevices, refusals: Refusals) -> None:
    devices.take([came(f"d{n}/t", b"1") for n in range(DEVICES)])
    events = devices.take([came("one_more/t", b"1"), came("d0/t", b"2")])
    assert [reading.device for reading in readings(events)] == ["d0"]
    assert refusals.counts == {"too many devices": 1}


def test_a_refused_message_makes_no_device(devices: MqttDevices) -> None:
    assert devices.take([came("ghost/t", b"NaN")]) == []
    assert births(devices.take([came("ghost/h", b"1")])) == [["h"]]


def test_one_odd_kind_is_refused_and_the_metric_stays(devices: MqttDevices, refusals: Refusals) -> None:
    events = devices.take([came("a/t", payload) for payload in (b"1", b"oops", b"2", b"oops", b"3")])
    assert [reading.values for reading in readings(events)] == [(1,), (2,), (3,)]
    assert refusals.counts == {"form changed": 2}


def test_three_agreeing_messages_change_the_kind(devices: MqttDevices) -> None:
    devices.take([came("a/t", b"starting")])
    events = devices.take([came("a/t", b"1"), came("a/t", b"2"), came("a/t", b"3")])
    (born,) = (event for event in events if isinstance(event, Born))
    assert born.birth.metrics[0].kind is Kind.NUMBER
    assert [reading.values for reading in readings(events)] == [(3,)]


def test_a_value_in_another_unit_is_not_stored_under_the_old_one(devices: MqttDevices) -> None:
    events = devices.take(
        [came("a/t", b'{"value": 20, "unit": "C"}'), came("a/t", b'{"value": 68, "unit": "F"}')]
    )
    assert [reading.values for reading in readings(events)] == [(20,)]


def test_a_unit_that_comes_late_is_taken(devices: MqttDevices) -> None:
    devices.take([came("a/t", b"20")])
    (born, _) = devices.take([came("a/t", b'{"value": 20, "unit": "C"}')])
    assert isinstance(born, Born)
    assert born.birth.metrics[0].unit == "C"


@pytest.mark.parametrize(
    ("payload", "retained", "time_ms", "quality"),
    [
        (b"1", False, NOW_MS, Quality.GOOD),
        (b"1", True, NOW_MS, Quality.UNCERTAIN),
        (b'{"value": 1, "time": 1763600000000}', True, 1_763_600_000_000, Quality.GOOD),
        (b'{"value": 1, "time": 12}', False, NOW_MS, Quality.UNCERTAIN),
        (b'{"value": 1, "time": 4000000000000}', False, NOW_MS, Quality.UNCERTAIN),
        (b'{"value": 1, "quality": "bad"}', True, NOW_MS, Quality.BAD),
    ],
)
def test_time_and_quality_of_a_sample(
    devices: MqttDevices, payload: bytes, retained: bool, time_ms: int, quality: Quality
) -> None:
    (reading,) = readings(devices.take([came("a/t", payload, retained=retained)]))
    assert (reading.source_time_ms, reading.quality, reading.hub_time_ms) == (time_ms, quality, NOW_MS)


def test_samples_of_one_millisecond_keep_apart_and_in_order(devices: MqttDevices) -> None:
    events = devices.take([came("a/t", str(n).encode()) for n in range(50)])
    times = [reading.source_time_ms for reading in readings(events)]
    assert times == [NOW_MS + n for n in range(50)]


def test_a_flood_on_one_metric_is_cut_and_others_go_on(devices: MqttDevices, refusals: Refusals) -> None:
    events = devices.take([*[came("a/t", b"1")] * 5000, came("b/t", b"2")])
    assert max(reading.source_time_ms for reading in readings(events)) == NOW_MS + 1000
    assert refusals.counts["too fast"] == 5000 - 1001
    assert readings(events)[-1].device == "b"


def test_a_clock_that_jumps_back_refuses_nothing(devices: MqttDevices, refusals: Refusals) -> None:
    devices.take([came("a/t", b"1")])
    (reading,) = readings(devices.take([came("a/t", b"2", time_ms=NOW_MS - 3_600_000)]))
    assert reading.source_time_ms == NOW_MS - 3_600_000
    assert not refusals.counts


def test_status_takes_a_device_offline_and_back(devices: MqttDevices) -> None:
    events = devices.take(
        [came("a/t", b"1"), came("a/status", b"offline"), came("a/status", b"online"), came("a/t", b"2")]
    )
    assert [type(event) for event in events] == [Born, Reading, Gone, Born, Reading]


def test_status_says_nothing_else(devices: MqttDevices, refusals: Refusals) -> None:
    assert devices.take([came("a/status", b"21")]) == []
    assert refusals.counts == {"status": 1}


def test_retained_values_do_not_revive_a_device_that_said_goodbye(devices: MqttDevices) -> None:
    events = devices.take([came("a/status", b"offline", retained=True), came("a/t", b"1", retained=True)])
    assert [type(event) for event in events] == [Born, Gone, Reading]
    assert births(devices.take([came("a/t", b"2")])) == [["t"]]


def test_a_lost_broker_takes_all_devices_and_each_comes_back_by_itself(devices: MqttDevices) -> None:
    devices.take([came("a/t", b"1"), came("b/t", b"1")])
    assert devices.lost("broker x is lost") == [Gone("a", "broker x is lost"), Gone("b", "broker x is lost")]
    assert devices.lost("again") == []
    assert births(devices.take([came("b/t", b"1")])) == [["t"]]


def test_figures_come_for_what_changed(devices: MqttDevices) -> None:
    devices.take([came("a", b'{"t": 1, "x": []}')])
    assert devices.figures() == [LinkHealth("a", {"messages": 1, "refused": 1})]
    assert devices.figures() == []


def test_a_forgotten_device_is_born_anew_with_what_it_says_then(devices: MqttDevices) -> None:
    devices.take([came("a/t", b"1"), came("a/h", b"2")])
    assert devices.forget("a") == ["outpost/a", "outpost/a/status", "outpost/a/t", "outpost/a/h"]
    assert births(devices.take([came("a/h", b'"text"')])) == [["h"]]


def test_a_device_that_is_not_known_has_nothing_to_forget(devices: MqttDevices) -> None:
    assert devices.forget("a") == []


def test_the_clearing_of_a_forgotten_devices_messages_is_no_message_of_it(
    devices: MqttDevices, refusals: Refusals
) -> None:
    devices.take([came("a/t", b"1"), came("a/status", b"online")])
    topics = [topic.removeprefix("outpost/") for topic in devices.forget("a")]
    assert devices.take([came(topic, b"") for topic in topics]) == []
    assert refusals.counts == {}
    assert not devices.has("a")
