"""A real browser takes the camera's stream: Chromium, by a page of a few lines and a bare WHEP route."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from hub.camera.sources.test_pattern import BARS
from tests.camera_page import page_on
from tests.camera_peer import now_ms
from tests.camera_rig import running, stamps_every_picture
from tests.lossy_path import lossy

__all__ = ["lossy"]  # a fixture


@pytest.mark.e2e
@pytest.mark.parametrize("codec", ["video/H264", "video/VP8"])
async def test_chromium_decodes_the_stream_with_its_clock_and_its_colours(codec: str) -> None:
    looks: list[dict[str, Any]] = []
    async with running() as camera, page_on(camera) as page:
        # a browser that knows both is sent H.264; one without it is sent VP8
        await page.evaluate("watch()" if codec == "video/H264" else f"watch('{codec}')")
        for _ in range(3):
            looks.append(await page.evaluate("look()"))
            await asyncio.sleep(0.3)
        seen_ms = now_ms()
        assert camera.encoders == 1
    assert {look["codec"] for look in looks} == {codec}
    assert looks[0]["decoded"] < looks[1]["decoded"] < looks[2]["decoded"]
    assert looks[0]["time"] < looks[1]["time"] < looks[2]["time"] <= seen_ms < looks[0]["time"] + 10_000
    assert BARS[-1] == (35, 212, 114), "75% blue, which is (0, 0, 191)"
    red, green, blue = looks[-1]["blue"]
    assert (red < 25, green < 25, abs(blue - 191) < 25) == (True, True, True)


def flows(looks: list[dict[str, Any]]) -> bool:
    """Say whether there were two times in a row in which packets were asked for again and nothing froze."""
    good = [
        then["nacks"] > now["nacks"]
        and (then["freezes"], then["frozen_s"]) == (now["freezes"], now["frozen_s"])
        for now, then in pairwise(looks)
    ]
    return (True, True) in pairwise(good)


@pytest.mark.e2e
async def test_chromium_at_three_percent_loss_does_not_freeze_and_decodes_all_but_one_in_a_hundred(
    lossy: None,
) -> None:
    async with running() as camera, page_on(camera) as page:
        await page.evaluate("watch()")
        sent = stamps_every_picture(camera)
        before = after = await page.evaluate("look()")
        begun, looks = len(sent), [before]
        for _ in range(8):
            await asyncio.sleep(2.5)
            after = await page.evaluate("look()")
            looks.append(after)
            if len(looks) > 3 and flows(looks):
                break
        due = len(sent) - begun
        assert camera.encoders == 1, "three in a hundred are no reason for the low layer"
    # without resending each of these times would freeze; a machine that is busy elsewhere may spoil some
    assert flows(looks)
    assert due > 150
    assert after["decoded"] - before["decoded"] >= 0.99 * due - 2
