"""H.264 that a source coded by itself reaches viewers as it is; raw pictures are made when asked for."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.camera.camera import Camera
from hub.camera.coded import GroupDecoder, Timeline
from hub.camera.errors import SourceError
from hub.camera.media import RTP_CLOCK_HZ, Coded
from hub.camera.sources import planes, stamp
from hub.camera.sources.remuxed_source import _in_annex_b, _with_start_codes
from hub.camera.viewing.rtp import nal_units
from hub.health import Health
from tests.camera_peer import Peer, now_ms
from tests.camera_rig import quick_retries, running_camera, stamp_of
from tests.coded_video import Quiet, coded, coded_file, config, opened, stamps
from tests.rtsp_camera import RtspCamera

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["quick_retries"]  # a fixture

IDR, SPS, PPS = 5, 7, 8


@pytest.mark.parametrize("name", ["x.mp4", "x.ts", "x.mkv", "x.flv"])
def test_what_comes_out_is_annex_b_with_parameter_sets_in_each_keyframe(tmp_path: Path, name: str) -> None:
    coded_file(tmp_path / name)
    reader = opened(f"file:{tmp_path / name}")
    pictures = [reader.read() for _ in range(25)]
    reader.close()
    assert stamps(pictures) == list(range(1000, 1025))
    assert [index for index, item in enumerate(pictures) if item.keyframe] == [0, 10, 20]
    for item in pictures:
        kinds = [unit[0] & 0x1F for unit in nal_units(item.data)]
        if item.keyframe:
            assert (kinds.count(SPS), kinds.count(PPS)) == (1, 1)
            assert kinds.index(SPS) < kinds.index(PPS) < kinds.index(IDR)


def test_a_file_plays_again_from_its_beginning(tmp_path: Path) -> None:
    coded_file(tmp_path / "x.mp4", pictures=5)
    reader = opened(f"file:{tmp_path}/x.mp4")
    pictures = [reader.read() for _ in range(8)]
    reader.close()
    assert [item.keyframe for item in pictures] == [True, *[False] * 4, True, False, False]


@given(st.binary(max_size=80), st.sampled_from([1, 2, 4]))
def test_parameter_sets_and_units_that_are_cut_off_never_raise(data: bytes, length_bytes: int) -> None:
    _in_annex_b(b"\x01" + data)
    _in_annex_b(data)
    _with_start_codes(data, length_bytes)


def test_a_camera_behind_http_that_codes_by_itself_is_passed_on_and_its_end_is_an_error(
    tmp_path: Path,
) -> None:
    coded_file(tmp_path / "x.mp4", pictures=5)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        reader = opened(f"http://127.0.0.1:{server.server_port}/x.mp4")
        pictures = [reader.read() for _ in range(5)]
        with pytest.raises(SourceError, match="ended"):
            reader.read()
        reader.close()
        server.shutdown()
    assert stamps(pictures) == list(range(1000, 1005))


async def test_viewers_vp8_and_snapshots_come_from_a_source_that_codes_by_itself(tmp_path: Path) -> None:
    coded_file(tmp_path / "x.mp4", pictures=60)
    camera = Camera(config(f"file:{tmp_path}/x.mp4"), health=Health(), now_ms=now_ms)
    async with running_camera(camera), Peer() as h264, Peer(codec="VP8") as vp8:
        await h264.watch(camera)
        assert 1000 <= await h264.clock_ms() < 1060
        assert camera.encoders == 0, "H.264 is passed on"
        await vp8.watch(camera)
        assert 1000 <= await vp8.clock_ms() < 1060
        assert camera.encoders == 1, "VP8 is coded, once"
        assert 1000 <= stamp_of(await camera.snapshot()) < 1060


def items(count: int, keyframes: tuple[int, ...]) -> list[Coded]:
    return [
        Coded(unit.data, keyframe=index in keyframes, time_ms=unit.time_ms, stream_s=None)
        for index, unit in enumerate(coded(count, force=keyframes))
    ]


def test_a_raw_picture_is_decoded_from_the_last_keyframe_on_only_when_it_is_asked_for() -> None:
    decoder, pictures = GroupDecoder(), items(30, (0, 10, 20))
    assert decoder.picture() is None
    for item in pictures[:15]:
        decoder.came(item)
        decoder.skipped()
    found = decoder.picture()
    assert found is not None
    assert stamp.read(planes.views(found.frame)[0]) == found.time_ms == 1_014
    for index in range(15, 19):
        decoder.came(pictures[index])
        found = decoder.picture()
        assert found is not None
        assert stamp.read(planes.views(found.frame)[0]) == 1_000 + index
    for item in pictures[19:25]:
        decoder.came(item)
        decoder.skipped()
    found = decoder.picture()
    assert found is not None
    assert stamp.read(planes.views(found.frame)[0]) == 1_024


def test_a_stream_that_starts_amid_a_group_gives_no_picture_before_its_first_keyframe() -> None:
    decoder, pictures = GroupDecoder(), items(12, (0, 10))
    for item in pictures[5:10]:
        decoder.came(item)
        assert decoder.picture() is None
    decoder.came(pictures[10])
    assert decoder.picture() is not None


def test_a_picture_that_cannot_be_decoded_costs_raw_pictures_up_to_the_next_keyframe_and_no_more() -> None:
    decoder, pictures = GroupDecoder(), items(12, (0, 6))
    # a slice that names parameter sets which never came
    pictures[3] = Coded(b"\x00\x00\x01\x41\x98\x19\xe0\x80", keyframe=False, time_ms=0, stream_s=None)
    found = []
    for item in pictures:
        decoder.came(item)
        picture = decoder.picture()
        found.append(None if picture is None else picture.time_ms)
    assert found == [1_000, 1_001, 1_002, None, None, None, *range(1_006, 1_012)]


@given(st.lists(st.floats(0, 3600), min_size=1, max_size=50))
def test_times_grow_and_stay_near_the_machines_clock_whatever_the_stream_says(jumps: list[float]) -> None:
    timeline, last = Timeline(), -1
    for index, stream_s in enumerate(jumps):
        now_s = 100 + index / 30
        ticks = timeline.ticks(now_s, stream_s)
        assert ticks > last
        assert abs(ticks / RTP_CLOCK_HZ - now_s) < 0.7
        last = ticks


def test_a_streams_own_times_are_kept_where_the_network_jitters() -> None:
    timeline = Timeline()
    jitter = np.random.default_rng(1).uniform(0, 0.05, 30)
    ticks = [timeline.ticks(50 + index / 25 + jitter[index], index / 25) for index in range(30)]
    assert {after - before for before, after in pairwise(ticks)} <= {3599, 3600, 3601}


@pytest.mark.slow
async def test_an_rtsp_camera_is_passed_on_with_the_parameter_sets_of_its_description() -> None:
    units = coded(90, force=range(0, 90, 15))
    with RtspCamera(units) as rtsp:
        reader = opened(rtsp.url)
        pictures = []
        with pytest.raises(SourceError, match=r"^rtsp://user:\*\*\*@.*: ended"):
            while True:
                pictures.append(reader.read())
        reader.close()
        assert rtsp.asked[:4] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    first = next(index for index, item in enumerate(pictures) if item.keyframe)
    kinds = [unit[0] & 0x1F for unit in nal_units(pictures[first].data)]
    assert (SPS in kinds, PPS in kinds, IDR in kinds) == (True, True, True)
    seen = [stamp for stamp in stamps(pictures[first:]) if stamp is not None]
    assert seen == list(range(seen[0], 1_090))
    assert len(seen) >= 60


@pytest.mark.slow
async def test_a_viewer_of_an_rtsp_camera_goes_on_when_the_camera_hangs_up(quick_retries: None) -> None:
    with RtspCamera(coded(60, force=range(0, 60, 10))) as rtsp:
        camera = Camera(config(rtsp.url), health=Health(), now_ms=now_ms)
        async with running_camera(camera), Peer() as peer:
            await peer.watch(camera)
            last, turns = await peer.clock_ms(), 0
            async with asyncio.timeout(30):
                while turns < 2:
                    seen = await peer.clock_ms()
                    turns += seen < last
                    last = seen
            assert camera.encoders == 0
