"""The host link on this machine, and on folder trees laid out as a Raspberry Pi's sysfs and procfs."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from hub.links.host import HostLink
from hub.links.link import Refused
from hub.links.vitals import Vitals, model
from hub.model import Born, Command, LinkKind, Reading

if TYPE_CHECKING:
    from pathlib import Path

    from hub.model import LinkEvent, Value


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def write(root: Path, path: str, text: str) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    """A sysfs as on a Raspberry Pi 4: one thermal zone, the voltage alarm, the firmware's throttling word."""
    sys_root = tmp_path / "sys"
    write(sys_root, "class/thermal/thermal_zone0/type", "cpu-thermal\n")
    write(sys_root, "class/thermal/thermal_zone0/temp", "48312\n")
    write(sys_root, "class/hwmon/hwmon0/name", "cpu_thermal\n")
    write(sys_root, "class/hwmon/hwmon0/temp1_input", "48799\n")
    write(sys_root, "class/hwmon/hwmon1/name", "rpi_volt\n")
    write(sys_root, "class/hwmon/hwmon1/in0_lcrit_alarm", "0\n")
    write(sys_root, "devices/platform/soc/soc:firmware/get_throttled", "50000\n")
    write(sys_root, "firmware/devicetree/base/model", "Raspberry Pi 4 Model B Rev 1.4\0")
    return sys_root


def values_of(vitals: Vitals) -> dict[str, Value]:
    return dict(zip((metric.name for metric in vitals.metrics), vitals.read(), strict=True))


def vitals_of(sys_root: Path, tmp_path: Path, clock: Clock | None = None) -> Vitals:
    return Vitals(data=tmp_path, monotonic_s=clock or Clock(), sys_root=sys_root)


def test_a_pi_tells_its_temperature_in_degrees(pi: Path, tmp_path: Path) -> None:
    assert values_of(vitals_of(pi, tmp_path))["cpu_temperature"] == 48.3


def test_a_machine_without_sensors_has_no_such_metrics(tmp_path: Path) -> None:
    names = {metric.name for metric in vitals_of(tmp_path / "nothing", tmp_path).metrics}
    assert not names & {"cpu_temperature", "under_voltage", "throttled"}
    assert {"cpu_load", "memory_used", "disk_used", "uptime"} <= names


def test_what_the_pi_remembers_since_boot_is_not_told_as_now(pi: Path, tmp_path: Path) -> None:
    # 0x50000: under-voltage and throttling have occurred, neither lasts.
    values = values_of(vitals_of(pi, tmp_path))
    assert (values["under_voltage"], values["throttled"]) == (False, False)


def test_the_voltage_alarm_shows_as_under_voltage(pi: Path, tmp_path: Path) -> None:
    vitals = vitals_of(pi, tmp_path)
    write(pi, "class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    assert values_of(vitals)["under_voltage"] is True


@pytest.mark.parametrize(
    ("word", "under_voltage", "throttled"),
    [
        ("0", False, False),
        ("1", True, False),
        ("4", False, True),
        ("0x50005", True, True),
        ("8", False, True),
    ],
)
def test_without_the_alarm_the_firmware_word_tells(
    tmp_path: Path, word: str, under_voltage: bool, throttled: bool
) -> None:
    # A Pi 5 has its firmware's node under another address.
    write(tmp_path, "devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled", f"{word}\n")
    values = values_of(vitals_of(tmp_path, tmp_path))
    assert (values["under_voltage"], values["throttled"]) == (under_voltage, throttled)


def test_a_sensor_that_fails_later_is_none_and_the_others_go_on(pi: Path, tmp_path: Path) -> None:
    vitals = vitals_of(pi, tmp_path)
    (pi / "class/thermal/thermal_zone0/temp").unlink()
    values = values_of(vitals)
    assert values["cpu_temperature"] is None
    assert isinstance(values["memory_used"], int)


def test_a_sensor_with_garbage_is_none(pi: Path, tmp_path: Path) -> None:
    vitals = vitals_of(pi, tmp_path)
    write(pi, "class/thermal/thermal_zone0/temp", "very hot\n")
    assert values_of(vitals)["cpu_temperature"] is None


def stat(root: Path, busy: int, idle: int) -> None:
    write(root, "stat", f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\nbtime 1700000000\n")


def net_dev(root: Path, **received: int) -> None:
    head = "Inter-|   Receive  |  Transmit\n face |bytes packets |bytes packets\n"
    lines = [f"{name}: {n} 1 0 0 0 0 0 0 {n // 2} 1 0 0 0 0 0 0\n" for name, n in received.items()]
    write(root, "net/dev", head + "".join(lines))


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A procfs in a folder: what psutil reads."""
    root = tmp_path / "proc"
    stat(root, 100, 100)
    net_dev(root, lo=0, eth0=0)
    meminfo = {"MemTotal": 1000, "MemFree": 100, "MemAvailable": 250} | dict.fromkeys(
        ("Buffers", "Cached", "Shmem", "Active", "Inactive"), 0
    )
    write(root, "meminfo", "".join(f"{name}: {kib} kB\n" for name, kib in meminfo.items()))
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(root))
    return root


def test_cpu_load_is_the_busy_share_since_the_last_reading(proc: Path, tmp_path: Path) -> None:
    vitals = vitals_of(tmp_path, tmp_path)
    stat(proc, 100 + 30, 100 + 90)
    assert values_of(vitals)["cpu_load"] == 25.0


def test_memory_used_is_what_is_not_available(proc: Path, tmp_path: Path) -> None:
    values = values_of(vitals_of(tmp_path, tmp_path))
    assert (values["memory_used"], values["memory_used_percent"]) == (750 * 1024, 75.0)


def test_network_rates_are_bytes_per_second(proc: Path, tmp_path: Path) -> None:
    clock = Clock()
    vitals = vitals_of(tmp_path, tmp_path, clock)
    net_dev(proc, lo=999, eth0=10_000)
    clock.now_s += 5
    values = values_of(vitals)
    assert (values["network_received"], values["network_sent"]) == (2000, 1000)


def test_bridges_do_not_count_the_bytes_of_hardware_again(proc: Path, tmp_path: Path) -> None:
    write(tmp_path, "class/net/eth0/device/vendor", "0x1234")
    write(tmp_path, "class/net/docker0/mtu", "1500")
    net_dev(proc, lo=0, eth0=0, docker0=0)
    clock = Clock()
    vitals = vitals_of(tmp_path, tmp_path, clock)
    net_dev(proc, lo=0, eth0=1000, docker0=1000)
    clock.now_s += 1
    assert values_of(vitals)["network_received"] == 1000


def test_a_counter_that_begins_anew_is_no_negative_rate(proc: Path, tmp_path: Path) -> None:
    clock = Clock()
    net_dev(proc, lo=0, eth0=50_000)
    vitals = vitals_of(tmp_path, tmp_path, clock)
    net_dev(proc, lo=0, eth0=10)
    clock.now_s += 1
    assert values_of(vitals)["network_received"] == 0


def test_disk_figures_are_those_of_the_data_folder(tmp_path: Path) -> None:
    values = values_of(vitals_of(tmp_path, tmp_path))
    assert values["disk_used_percent"] == pytest.approx(psutil.disk_usage(str(tmp_path)).percent, abs=1)


def test_the_model_comes_from_the_device_tree(pi: Path) -> None:
    assert model(pi) == "Raspberry Pi 4 Model B Rev 1.4"


async def events_of(link: HostLink, count: int) -> list[LinkEvent]:
    events: list[LinkEvent] = []
    enough = asyncio.Event()

    def sink(event: LinkEvent) -> None:
        events.append(event)
        if len(events) >= count:
            enough.set()

    task = asyncio.create_task(link.run(sink))
    async with asyncio.timeout(20):
        await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return events


def link_on(data: Path, sys_root: Path) -> HostLink:
    return HostLink(
        data=data,
        now_ms=lambda: 1_700_000_000_000,
        monotonic_s=time.monotonic,
        interval_s=0.02,
        sys_root=sys_root,
    )


async def test_the_host_is_born_by_its_name_then_reads(pi: Path, tmp_path: Path) -> None:
    born, first, second = (await events_of(link_on(tmp_path, pi), 3))[:3]
    assert isinstance(born, Born)
    assert (born.link, born.birth.device, born.birth.name) == (LinkKind.HOST, "host", socket.gethostname())
    assert born.birth.model.startswith("Raspberry Pi 4")
    for reading in (first, second):
        assert isinstance(reading, Reading)
        assert reading.metrics == tuple(metric.name for metric in born.birth.metrics)
        assert (reading.boot_id, reading.seq, reading.source_time_ms) == (None, None, 1_700_000_000_000)


def test_a_data_folder_that_vanishes_costs_only_its_own_metrics(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    vitals = Vitals(data=data, monotonic_s=Clock(), sys_root=tmp_path)
    data.rmdir()
    values = values_of(vitals)
    assert values["disk_used"] is None
    assert isinstance(values["memory_used"], int)


async def test_every_metric_says_how_often_it_comes(tmp_path: Path) -> None:
    (born,) = (await events_of(link_on(tmp_path, tmp_path), 1))[:1]
    assert isinstance(born, Born)
    assert {metric.interval_ms for metric in born.birth.metrics} == {20}


async def test_the_host_refuses_commands(tmp_path: Path) -> None:
    command = Command(
        id="1",
        device="host",
        command="reboot",
        params={},
        ttl_ms=1000,
        caller="t",
        origin="t",
        created_time=0,
    )
    with pytest.raises(Refused, match="it has no command 'reboot'"):
        await link_on(tmp_path, tmp_path).send(command)
