"""How many may look at a camera at once, in all and of one user or token."""

from __future__ import annotations

from contextlib import AsyncExitStack, ExitStack, aclosing

import pytest

from hub.camera.camera import Camera
from hub.camera.errors import TooManyViewers
from hub.config import CameraConfig
from hub.health import Health
from tests.camera_peer import Peer, now_ms
from tests.camera_rig import running


async def test_a_full_camera_refuses_and_serves_on_when_one_has_left() -> None:
    async with running(max_clients=1) as camera, Peer() as first, Peer() as second:
        viewer_id = await first.watch(camera)
        with pytest.raises(TooManyViewers, match="1 clients"):
            await second.watch(camera)
        async with aclosing(camera.frames()) as frames:
            with pytest.raises(TooManyViewers):
                await anext(frames)
        await camera.hang_up(viewer_id)
        await camera.answer(await second.offer())


async def test_one_owner_cannot_take_all_seats() -> None:
    async with running() as camera:
        peers = [Peer() for _ in range(9)]
        offers = [await peer.offer() for peer in peers]
        handles = [await camera.answer(offer, owner="wall display") for offer in offers[:8]]
        with pytest.raises(TooManyViewers, match="`wall display` watches"):
            await camera.answer(offers[8], owner="wall display")
        await camera.answer(offers[8], owner="somebody else")
        await camera.hang_up(handles[0].id)
        await camera.answer(offers[0], owner="wall display")
        for peer in peers:
            await peer.connection.close()


async def test_streams_of_jpegs_count_as_their_owners_too() -> None:
    async with running(max_clients=4) as camera, Peer() as peer:
        async with AsyncExitStack() as streams:
            for _ in range(2):
                await anext(await streams.enter_async_context(aclosing(camera.frames("wall display"))))
            with pytest.raises(TooManyViewers, match="2 times"):
                await anext(camera.frames("wall display"))
            with pytest.raises(TooManyViewers, match="2 times"):
                await camera.answer(await peer.offer(), owner="wall display")
            await anext(await streams.enter_async_context(aclosing(camera.frames("somebody else"))))
        await anext(await streams.enter_async_context(aclosing(camera.frames("wall display"))))
        await streams.aclose()


def test_how_many_may_look_is_configuration() -> None:
    camera = Camera(CameraConfig(id="front", max_viewers=3), health=Health(), now_ms=now_ms)
    with ExitStack() as seats:
        seats.enter_context(camera._seats.streaming("one"))
        with pytest.raises(TooManyViewers, match="1 times"), camera._seats.streaming("one"):
            pass
        for other in ("two", "three"):
            seats.enter_context(camera._seats.streaming(other))
        with pytest.raises(TooManyViewers, match="`max_viewers`"), camera._seats.streaming("four"):
            pass
