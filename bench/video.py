"""Video: what a viewer costs the server, beside Janus and beside aiortc's encoder per viewer; how late it is.

Every server sends the same 720p30 H.264 of 2 Mbit/s, coded beforehand. Outpost reads and paces the file
itself, Janus gets its packets from another process; so Outpost's sending (its loop's thread) stands beside
its whole. The viewers run in a process of their own, shake hands by aiortc, then only count datagrams; where
they report too, as browsers do five times a second, a row says so. All is loopback: the kernel's delivering
is the senders' work too. Servers take turns, so that a busy machine slows all alike, and the CPUs are kept
from halting (see bench.awake), but where a row says that they sleep.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import psutil

from bench import janus, video_browser
from bench.awake import awake
from bench.figure import Figure
from bench.server_process import ServerProcess
from hub.camera.sources import planes
from hub.camera.sources.test_pattern import Canvas
from tests.broker import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTPOST, JANUS, STOCK, ENCODE = "Outpost", "Janus", "aiortc pass-through", "aiortc, an encoder per viewer"
ENCODED_VIEWERS = 8
"""An encoder per viewer fills this machine with four; 64 would measure nothing."""
SETTLE_S = 4
DURATION_S = 12
FPS = 30
SECONDS = 10
BIT_RATE = 2_000_000
TARGETS = {8: 50, 64: 35}
"""Percent of Janus's CPU."""


@dataclass(frozen=True)
class Viewers:
    """Who looks, and on what machine."""

    count: int
    reporting: bool = False
    asleep: bool = False
    """The CPUs halt when nobody wants them; else see bench.awake."""
    turns: int = 1
    """So often Outpost and Janus take turns; the middle figure counts."""

    def __str__(self) -> str:
        reporting = " reporting" if self.reporting else ""
        asleep = ", on CPUs that sleep in between" if self.asleep else ""
        return f"{self.count}{reporting} viewer{'s' * (self.count > 1)}{asleep}"


ONE, MANY = Viewers(1), Viewers(64)
PLAIN = (ONE, Viewers(8, turns=3), MANY)
BESIDES = (Viewers(8, reporting=True, turns=3), Viewers(64, reporting=True), Viewers(8, asleep=True, turns=3))


@dataclass(frozen=True)
class Load:
    """What a server did for its viewers."""

    cpu_s_per_viewer_minute: float
    loop_cpu_s_per_viewer_minute: float
    """Of its first thread, which in Outpost does all but reading the source."""
    fps: float
    """Pictures that a viewer got, on average."""
    lost_percent: float
    rss_mb: float


def measure() -> list[Figure]:
    """Return CPU seconds, shares of Janus's, milliseconds from glass to callback, and megabytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "720p30.mp4"
        _code(source)
        loads = _loads(folder, source)
    return [*_figures(loads), *video_browser.measure()]


def _loads(folder: Path, source: Path) -> dict[str, dict[Viewers, Load]]:
    """Measure every server with all kinds of viewers, one after the other."""
    found: dict[str, dict[Viewers, Load]] = {name: {} for name in (OUTPOST, JANUS, STOCK, ENCODE)}
    with_janus = janus.is_installed()
    if not with_janus:
        print("Janus is not installed: nothing to compare with. Debian: apt install janus", file=sys.stderr)
    for viewers in (*PLAIN, *BESIDES):
        ours, theirs = [], []
        for _ in range(viewers.turns):
            ours.append(_load("outpost", source, viewers))
            if with_janus:
                theirs.append(_janus_load(folder, source, viewers))
        found[OUTPOST][viewers] = _middle(ours)
        if theirs:
            found[JANUS][viewers] = _middle(theirs)
        if viewers in PLAIN:
            found[STOCK][viewers] = _load("stock", source, viewers)
        if viewers in PLAIN and viewers.count <= ENCODED_VIEWERS:
            found[ENCODE][viewers] = _load("encode", source, viewers)
    return found


def _middle(loads: list[Load]) -> Load:
    return sorted(loads, key=lambda load: load.cpu_s_per_viewer_minute)[len(loads) // 2]


def _figures(found: dict[str, dict[Viewers, Load]]) -> list[Figure]:
    figures = []
    for name, loads in found.items():
        for viewers, load in loads.items():
            what = f"{name}, {viewers}"
            figures += [
                Figure(what=f"{what}: CPU per viewer-minute", value=load.cpu_s_per_viewer_minute, unit="s"),
                Figure(what=f"{what}: pictures a second", value=load.fps, unit="fps"),
                Figure(what=f"{what}: packets lost", value=load.lost_percent, unit="%"),
            ]
    outpost = found[OUTPOST]
    for viewers, load in found[JANUS].items():
        what = f"of Janus's CPU, {viewers}"
        whole = 100 * outpost[viewers].cpu_s_per_viewer_minute / load.cpu_s_per_viewer_minute
        sending = 100 * outpost[viewers].loop_cpu_s_per_viewer_minute / load.cpu_s_per_viewer_minute
        target = None if viewers.asleep else TARGETS.get(viewers.count)
        figures += [
            Figure(what=f"Outpost's share {what}", value=whole, unit="%", target=target),
            Figure(what=f"  its sending alone, {what}", value=sending, unit="%"),
        ]
    per_viewer = (outpost[MANY].rss_mb - outpost[ONE].rss_mb) / (MANY.count - ONE.count)
    return [
        *figures,
        Figure(what=f"RSS, {ONE}", value=outpost[ONE].rss_mb, unit="MB"),
        Figure(what="RSS for each viewer more", value=per_viewer, unit="MB", target=1),
    ]


def _load(mode: str, source: Path, viewers: Viewers) -> Load:
    with ServerProcess(mode, f"file:{source}") as server, _sinks(viewers, f"{server.url}/whep") as sinks:
        return _watch(server.pid, sinks, viewers)


def _janus_load(folder: Path, source: Path, viewers: Viewers) -> Load:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        server = stack.enter_context(janus.Janus(home, source, http_port=free_port(), rtp_port=free_port()))
        sinks = stack.enter_context(_sinks(viewers, f"janus:{server.address}"))
        return _watch(server.pid, sinks, viewers)


def _watch(pid: int, sinks: subprocess.Popen[str], viewers: Viewers) -> Load:
    process = psutil.Process(pid)
    with nullcontext() if viewers.asleep else awake():
        time.sleep(SETTLE_S)
        before, cpu, began = _counts(sinks), _cpu_s(process), time.monotonic()
        time.sleep(DURATION_S)
        after, cpu_then, passed_s = _counts(sinks), _cpu_s(process), time.monotonic() - began
    if any(now[0] == then[0] for now, then in zip(after, before, strict=True)):
        raise RuntimeError("a viewer got no packets: what was measured means nothing")
    per_viewer_minute = 60 / passed_s / viewers.count
    packets, pictures, lost = (
        sum(now[index] - then[index] for now, then in zip(after, before, strict=True)) for index in range(3)
    )
    return Load(
        cpu_s_per_viewer_minute=(cpu_then[0] - cpu[0]) * per_viewer_minute,
        loop_cpu_s_per_viewer_minute=(cpu_then[1] - cpu[1]) * per_viewer_minute,
        fps=pictures / viewers.count / passed_s,
        lost_percent=100 * lost / max(1, packets + lost),
        rss_mb=process.memory_info().rss / 1e6,
    )


def _cpu_s(process: psutil.Process) -> tuple[float, float]:
    """Give the CPU seconds of all threads and of the first, by the scheduler: ticks are too coarse."""
    spent = {
        path.parent.name: int(path.read_text().split()[0]) / 1e9
        for path in Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    }
    return sum(spent.values()), spent[str(process.pid)]


@contextmanager
def _sinks(viewers: Viewers, address: str) -> Iterator[subprocess.Popen[str]]:
    kind = "reporting" if viewers.reporting else "silent"
    sinks = subprocess.Popen(
        [sys.executable, "-m", "bench.video_sink", kind, str(viewers.count), address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert sinks.stdout is not None
        if sinks.stdout.readline() != "ready\n":
            raise TimeoutError(f"the viewers did not connect to {address}")
        yield sinks
    finally:
        sinks.kill()
        sinks.wait()


def _counts(sinks: subprocess.Popen[str]) -> list[list[int]]:
    assert sinks.stdin is not None
    assert sinks.stdout is not None
    sinks.stdin.write("\n")
    sinks.stdin.flush()
    counts: list[list[int]] = json.loads(sinks.stdout.readline())
    return counts


def _code(path: Path) -> None:
    """Write the file: the test pattern with noise below, so that the encoder needs its 2 Mbit/s."""
    canvas, random = Canvas(1280, 720), np.random.default_rng(1)
    luma = planes.views(canvas.frame)[0]
    with av.open(str(path), "w") as container:
        options = {
            "preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": str(2 * FPS),
            "maxrate": str(BIT_RATE), "bufsize": str(BIT_RATE // 2),
        }  # fmt: skip
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 1280, 720, "yuv420p", BIT_RATE
        stream.codec_context.thread_count = 1  # one slice a picture, as cameras and the hub's encoder code
        for count in range(SECONDS * FPS):
            canvas.draw(count, FPS, 1_000 + count)
            luma[400:640, 320:960] = random.integers(60, 180, (240, 640), np.uint8)
            canvas.frame.pts, canvas.frame.time_base = count, Fraction(1, FPS)
            container.mux(stream.encode(canvas.frame))
        container.mux(stream.encode(None))
