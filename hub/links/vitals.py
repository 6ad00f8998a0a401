"""What a Linux host tells of itself: load, temperature, memory, disk, network, supply voltage."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

from hub.model import Kind, Metric, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Kinds of thermal zone and hwmon chip that mean the CPU: Raspberry Pi, other ARM boards, Intel, AMD.
_CPU_ZONES = ("cpu-thermal", "cpu_thermal", "soc-thermal", "soc_thermal", "x86_pkg_temp")
_CPU_CHIPS = ("cpu_thermal", "coretemp", "k10temp", "zenpower")

# Bits of the Raspberry Pi firmware's GET_THROTTLED word that tell of now; bits 16 to 19 tell of since boot.
# https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
_UNDER_VOLTAGE = 0x1
_FREQUENCY_CAPPED, _THROTTLED, _SOFT_LIMIT = 0x2, 0x4, 0x8


class Vital(NamedTuple):
    """A metric of the host and how it is read; `read` raises OSError or ValueError where it cannot be."""

    metric: Metric
    read: Callable[[], Value]


class Vitals:
    """The metrics that exist on this machine, found once, and their values now.

    `sys_root` is where sysfs is mounted, `data` the folder whose disk is watched, `monotonic_s` the clock of
    the rates. procfs is psutil's (`psutil.PROCFS_PATH`). Reading may take milliseconds: call it in a thread.
    """

    def __init__(
        self, *, data: Path, monotonic_s: Callable[[], float], sys_root: Path = Path("/sys")
    ) -> None:
        found = (
            *_processor(sys_root),
            *_memory_and_disk(data),
            *_network(sys_root, monotonic_s),
            *_supply(sys_root),
            Vital(
                Metric(name="uptime", title="Uptime", unit="s", decimals=0),
                lambda: round(monotonic_s()),
            ),
        )
        self._vitals = tuple(vital for vital in found if _try(vital) is not None)
        self.metrics: tuple[Metric, ...] = tuple(vital.metric for vital in self._vitals)

    def read(self) -> tuple[Value, ...]:
        """Return one value for each of `metrics`, in their order; None where one cannot be read now."""
        return tuple(_try(vital) for vital in self._vitals)


def model(sys_root: Path = Path("/sys")) -> str:
    """Return the board's name by its device tree or firmware ("Raspberry Pi 5 Model B Rev 1.0"), or ""."""
    for path in ("firmware/devicetree/base/model", "class/dmi/id/product_name"):
        try:
            text = (sys_root / path).read_bytes()
        except OSError:
            continue
        return text.decode("ascii", "replace").strip("\0 \n")[:64]
    return ""


def _try(vital: Vital) -> Value:
    try:
        return vital.read()
    except (OSError, ValueError, psutil.Error):
        # A sensor that does not answer now (EAGAIN, a disk that was pulled) must not cost the other metrics.
        return None


# --- processor ----------------------------------------------------------------------------------------


class _BusyTime:
    """The share of time in which the CPUs were busy since the last call, in percent."""

    def __init__(self) -> None:
        self._before = self._now()
        self._last = 0.0

    def __call__(self) -> float:
        now = self._now()
        busy, total = now[0] - self._before[0], now[1] - self._before[1]
        if total <= 0:
            # Asked again within one tick of the kernel's clock.
            return self._last
        self._before = now
        self._last = round(min(100.0, max(0.0, 100 * busy / total)), 1)
        return self._last

    @staticmethod
    def _now() -> tuple[float, float]:
        # psutil.cpu_percent() keeps its state per thread and process-wide: of no use from a pool of threads.
        times = psutil.cpu_times()
        # Linux counts guest time within user time as well.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        return total - times.idle - getattr(times, "iowait", 0.0), total


def _processor(sys_root: Path) -> Iterator[Vital]:
    try:
        busy = _BusyTime()
    except (OSError, psutil.Error):
        pass
    else:
        yield Vital(Metric(name="cpu_load", title="CPU load", unit="%", decimals=1), busy)
    yield Vital(
        Metric(name="load_average", title="Load average (1 min)", decimals=2),
        lambda: round(os.getloadavg()[0], 2),
    )
    sensor = _cpu_thermometer(sys_root)
    if sensor is not None:
        yield Vital(
            Metric(name="cpu_temperature", title="CPU temperature", unit="°C", decimals=1),
            lambda: round(int(sensor.read_text()) / 1000, 1),
        )


def _cpu_thermometer(sys_root: Path) -> Path | None:
    """Find the CPU's thermometer: a file of millidegrees Celsius (kernel docs, thermal/sysfs-api)."""
    zones = {_text(zone / "type"): zone / "temp" for zone in _folders(sys_root / "class/thermal")}
    chips = {_text(chip / "name"): chip / "temp1_input" for chip in _folders(sys_root / "class/hwmon")}
    for names, found in ((_CPU_ZONES, zones), (_CPU_CHIPS, chips)):
        for name in names:
            if name in found:
                return found[name]
    return None


# --- memory and disk ----------------------------------------------------------------------------------


def _memory_and_disk(data: Path) -> Iterator[Vital]:
    def memory_used() -> int:
        memory = psutil.virtual_memory()
        return memory.total - memory.available

    yield Vital(Metric(name="memory_used", title="Memory used", unit="B", decimals=0), memory_used)
    yield Vital(
        Metric(name="memory_used_percent", title="Memory used", unit="%", decimals=1),
        lambda: round(psutil.virtual_memory().percent, 1),
    )
    yield Vital(
        Metric(name="disk_used", title="Disk used", unit="B", decimals=0),
        lambda: psutil.disk_usage(str(data)).used,
    )
    yield Vital(
        Metric(name="disk_used_percent", title="Disk used", unit="%", decimals=1),
        lambda: round(psutil.disk_usage(str(data)).percent, 1),
    )


# --- network ------------------------------------------------------------------------------------------


class _ByteRate:
    """Bytes per second over the machine's real network interfaces since the last call."""

    def __init__(self, field: str, sys_root: Path, monotonic_s: Callable[[], float]) -> None:
        self._field = field
        self._net = sys_root / "class/net"
        self._monotonic_s = monotonic_s
        self._before = self._counters()
        self._then_s = monotonic_s()
        self._last = 0

    def __call__(self) -> int:
        now, now_s = self._counters(), self._monotonic_s()
        if now_s <= self._then_s:
            return self._last
        # An interface that came or began anew (a replugged adapter) counts from its next reading.
        grown = sum(max(0, n - self._before[name]) for name, n in now.items() if name in self._before)
        self._last = round(grown / (now_s - self._then_s))
        self._before, self._then_s = now, now_s
        return self._last

    def _counters(self) -> dict[str, int]:
        counters = {
            name: int(getattr(counter, self._field))
            for name, counter in psutil.net_io_counters(pernic=True, nowrap=False).items()
            if name != "lo"
        }
        # Bridges and containers' interfaces carry the same bytes again; hardware has a `device` in sysfs.
        hardware = {name: n for name, n in counters.items() if (self._net / name / "device").exists()}
        return hardware or counters


def _network(sys_root: Path, monotonic_s: Callable[[], float]) -> Iterator[Vital]:
    try:
        if not psutil.net_io_counters(pernic=True):
            return
        received = _ByteRate("bytes_recv", sys_root, monotonic_s)
        sent = _ByteRate("bytes_sent", sys_root, monotonic_s)
    except (OSError, psutil.Error):
        return
    yield Vital(Metric(name="network_received", title="Network received", unit="B/s", decimals=0), received)
    yield Vital(Metric(name="network_sent", title="Network sent", unit="B/s", decimals=0), sent)


# --- supply (Raspberry Pi) ----------------------------------------------------------------------------


def _supply(sys_root: Path) -> Iterator[Vital]:
    under_voltage = Metric(name="under_voltage", title="Under-voltage", kind=Kind.BOOLEAN)
    throttled = Metric(name="throttled", title="Throttled", kind=Kind.BOOLEAN)
    alarm = next(
        (
            chip / "in0_lcrit_alarm"
            for chip in _folders(sys_root / "class/hwmon")
            if _text(chip / "name") == "rpi_volt"
        ),
        None,
    )
    # Where the firmware's node hangs depends on the model: soc:firmware, soc@…:firmware.
    word = next(iter(sorted((sys_root / "devices/platform").glob("soc*/soc*firmware/get_throttled"))), None)
    if alarm is not None:
        yield Vital(under_voltage, lambda: int(alarm.read_text()) != 0)
    elif word is not None:
        yield Vital(under_voltage, lambda: bool(int(word.read_text(), 16) & _UNDER_VOLTAGE))
    if word is not None:
        yield Vital(
            throttled,
            lambda: bool(int(word.read_text(), 16) & (_FREQUENCY_CAPPED | _THROTTLED | _SOFT_LIMIT)),
        )


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(parent.iterdir())
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
