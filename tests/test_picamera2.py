"""The Pi's camera: picamera2's own classes, encoder and output are real; libcamera below them is a fake.

What no machine without the hardware can show: the V4L2 encoder of a Pi 4, the sensor, the kernel's DMA heaps.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import cycle, pairwise
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import pytest

from hub.camera.errors import SourceError
from hub.camera.media import Coded
from hub.camera.sources import picamera2_source
from hub.camera.sources.picamera2_source import CodedPicamera2Reader, has_hardware_encoder, open_picamera2
from hub.config import CameraConfig
from tests.camera_peer import Peer, now_ms
from tests.camera_rig import running
from tests.coded_video import coded
from tests.real_picamera2 import needs_picamera2, run_with_picamera2

FRAME_MS = 1000 / 30


def child(kind: str) -> dict[str, Any]:
    done = run_with_picamera2(Path(__file__).with_name("picamera2_child.py"), kind)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@needs_picamera2
@pytest.mark.slow
def test_the_pis_encoder_and_output_give_h264_that_browsers_take_with_each_pictures_own_time() -> None:
    found = child("coded")
    assert None not in found["stamps"]
    assert all(earlier < later for earlier, later in pairwise(found["stamps"]))
    assert found["profile"] == "Constrained Baseline"
    first, second = found["keyframes"][:30], found["keyframes"][30:]
    assert (first[0], second[0]) == (True, True)
    assert sum(first) + sum(second) < 6
    assert abs(median(found["times_off_ms"])) <= 5
    assert min(found["lags_ms"]) < FRAME_MS, "the encoder holds pictures back"
    missing, busy = found["refused"]
    assert "No camera number 1" in missing
    assert "Device or resource busy" in busy


@needs_picamera2
@pytest.mark.slow
def test_a_pi_without_hardware_encoder_gives_raw_pictures_with_their_own_time() -> None:
    found = child("raw")
    assert None not in found["stamps"]
    assert all(earlier < later for earlier, later in pairwise(found["stamps"]))
    assert abs(median(found["times_off_ms"])) <= 5
    assert found["keyframes"] == []


@pytest.mark.parametrize(
    ("names", "hardware"),
    [
        (["bcm2835-codec-decode", "bcm2835-codec-encode", "bcm2835-isp-output0"], True),
        (["pispbe-input", "rpi-hevc-dec", "rp1-cfe-csi2_ch0"], False),
        ([], False),
    ],
)
def test_the_encoder_of_a_pi_4_is_found_by_its_name(tmp_path: Path, names: list[str], hardware: bool) -> None:
    for number, name in enumerate(names, start=10):
        folder = tmp_path / f"class/video4linux/video{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
    assert has_hardware_encoder(tmp_path) is hardware


def test_where_picamera2_is_missing_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(SourceError, match="apt install python3-picamera2"):
        open_picamera2(CameraConfig(id="front", source="picamera2"), now_ms, sysfs=tmp_path)


def test_a_camera_that_does_not_start_is_let_go_of_so_that_the_next_try_can_open_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[int] = []

    class Failing:
        """A fake Picamera2 that opens, and gets no further."""

        def __init__(self, number: int) -> None:
            self.number = number

        def create_video_configuration(self, **_: Any) -> object:
            return object()

        def configure(self, _: object) -> None:
            raise RuntimeError("no memory for buffers")

        def close(self) -> None:
            closed.append(self.number)

    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=Failing))
    for source in ("picamera2", "picamera2:1"):
        with pytest.raises(SourceError, match="no memory for buffers"):
            open_picamera2(CameraConfig(id="front", source=source), now_ms, sysfs=tmp_path)
    assert closed == [0, 1]


# --- the coded reader by itself -----------------------------------------------------------------------


class Encoder:
    """A fake of picamera2's encoders: notes what it is told."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.firsttimestamp: int | None = None
        self.forced = 0

    def force_key_frame(self) -> None:
        self.forced += 1


class CameraStub:
    """A fake Picamera2 that is started and stopped."""

    def __init__(self) -> None:
        self.running = False

    def start_recording(self, encoder: Encoder, output: object) -> None:
        self.running = True

    def stop_recording(self) -> None:
        self.running = False

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> CodedPicamera2Reader:
    monkeypatch.setattr(picamera2_source, "_opened", lambda _: CameraStub())
    monkeypatch.setattr(picamera2_source, "_output_type", lambda: lambda came: came)
    return CodedPicamera2Reader(CameraConfig(id="front", source="picamera2", fps=25), now_ms, Encoder)


def test_the_encoder_is_asked_for_what_the_configuration_says(reader: CodedPicamera2Reader) -> None:
    wanted = {"bitrate": 2_000_000, "repeat": True, "iperiod": 100, "framerate": 25}
    assert reader._encoder.settings == wanted | {"profile": "constrained baseline"}
    assert reader._encoder.threads == 1
    reader.want_keyframe()
    assert reader._encoder.forced == 1


def test_pictures_that_nobody_takes_are_dropped_up_to_a_keyframe(reader: CodedPicamera2Reader) -> None:
    for number in range(130):
        reader._came(b"p%d" % number, number == 0, number)
    for _ in range(120):
        reader.read()
    reader._came(b"lost", False, 200)
    reader._came(b"key", True, 201)
    assert (reader.read().data, reader._coded.qsize()) == (b"key", 0)


def test_a_camera_that_hangs_is_an_error(
    reader: CodedPicamera2Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picamera2_source, "_PICTURE_TIMEOUT_S", 0.01)
    with pytest.raises(SourceError, match="no picture"):
        reader.read()


# --- keyframes of a source that codes by itself -------------------------------------------------------


class Codes:
    """A fake source of H.264 whose next keyframe is far, unless it is asked for one."""

    def __init__(self) -> None:
        self.asked = 0
        self._units = cycle(coded(60, force=[30]))

    def __call__(self) -> Codes:
        return self

    def read(self) -> Coded:
        time.sleep(1 / 60)
        while True:
            unit = next(self._units)
            if not unit.keyframe or self.asked:
                return Coded(unit.data, keyframe=unit.keyframe, time_ms=unit.time_ms, stream_s=None)

    def want_keyframe(self) -> None:
        self.asked += 1

    def close(self) -> None:
        """Nothing is held."""


async def test_a_source_that_codes_by_itself_and_can_is_asked_for_a_viewers_keyframe() -> None:
    source = Codes()
    async with running(source=source) as camera, Peer() as peer:
        await peer.watch(camera)
        await peer.picture()
        assert source.asked > 0
