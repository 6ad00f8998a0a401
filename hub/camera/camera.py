"""One configured camera and all who look at it: WebRTC viewers, MJPEG clients, snapshots."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.camera.errors import CameraError, UnknownViewer
from hub.camera.feed import Feed, State
from hub.camera.recording.keeping import Keeping
from hub.camera.seats import Seats
from hub.camera.sources import source as sources
from hub.camera.viewing.ice import IceServers
from hub.camera.viewing.offer import check_offer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from hub.camera.recording.filming import Filming
    from hub.camera.viewing.telemetry import Instruments
    from hub.camera.viewing.viewer import Viewer
    from hub.config import CameraConfig
    from hub.health import Health

log = logging.getLogger(__name__)

_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class ViewerHandle:
    """What a WHEP server answers with."""

    id: str
    """Unguessable: whoever knows it may change and end the viewer."""
    answer_sdp: str
    etag: str
    """Of its ICE session, without the quotes that HTTP puts around."""


class Camera:
    """A camera. Loop thread only; `run` must be running for anything to come. Raises ConfigError."""

    def __init__(
        self,
        config: CameraConfig,
        *,
        health: Health,
        now_ms: Callable[[], int],
        ice: IceServers | None = None,
        max_clients: int | None = None,
        max_per_owner: int | None = None,
        source: sources.Source | None = None,
        recordings: Path | None = None,
    ) -> None:
        self.id = config.id
        self.name = config.name or config.id
        self._now_ms = now_ms
        self._ice = ice or IceServers()
        limit = max_clients or config.max_viewers
        self._seats = Seats(config.id, limit, max_per_owner or max(1, limit // 2))
        self._viewers_gauge = health.viewers.labels(camera=config.id)
        self._feed = Feed(
            config.id,
            source or sources.choose(config, now_ms),
            fps=config.fps,
            bitrate_kbps=config.bitrate_kbps,
            encoders_changed=health.encoders.labels(camera=config.id).set,
        )
        self.keeping: Keeping | None = None
        self.filming: Filming | None = None
        """None where there is no folder for recordings."""
        if recordings is not None:
            self.keeping = Keeping(config, self._feed, recordings, now_ms=now_ms)
            self.filming = self.keeping.filming
        self._source = config.source
        self._loading: asyncio.Task[None] | None = None
        self._viewers: dict[str, Viewer] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def state(self) -> State:
        """Where the camera stands."""
        return self._feed.state

    @property
    def error(self) -> str | None:
        """Why it failed, for people; None when it did not."""
        return self._feed.error

    @property
    def viewers(self) -> int:
        """WebRTC viewers, those who are connecting included."""
        return len(self._viewers)

    @property
    def encoders(self) -> int:
        """Running video encoders: one for each codec that somebody takes."""
        return self._feed.encoders

    async def run(self) -> None:
        """Capture whenever somebody looks, until cancelled; then every viewer is closed."""
        try:
            async with asyncio.TaskGroup() as group:
                if self.keeping is not None:
                    group.create_task(self.keeping.run())
                await self._feed.run()
        finally:
            for viewer in list(self._viewers.values()):
                self._retire(viewer)
            await asyncio.gather(*self._closing, return_exceptions=True)

    async def snapshot(self) -> bytes:
        """Give a JPEG at most a second old, opening the camera if need be. Raises CameraError."""
        still = self._feed.stills.fresh(self._now_ms())
        if still is None:
            with self._feed.interest.held():
                still = await self._feed.next_still()
        return still.jpeg

    async def frames(self, owner: str = "") -> AsyncGenerator[bytes, None]:
        """Give JPEGs, ten a second or as fast as the client takes them, shared by all such clients.

        Raises TooManyViewers, and CameraError when the first cannot be had; later it waits for the camera to
        come back. Close it (`contextlib.aclosing`) so that the camera can stop.
        """
        with self._seats.streaming(owner), self._feed.mjpeg():
            seen = False
            while True:
                try:
                    still = await self._feed.next_still()
                except CameraError:
                    if not seen:
                        raise
                    await asyncio.sleep(_RETRY_S)
                else:
                    seen = True
                    yield still.jpeg

    def expect_viewer(self) -> None:
        """Load what a first viewer needs, on a thread: somebody looks where viewers are started from."""
        if self._loading is None:
            self._loading = asyncio.get_running_loop().create_task(
                asyncio.to_thread(_load_rooms, self._source)
            )

    async def answer(
        self, offer_sdp: str, *, owner: str = "", instruments: Instruments | None = None
    ) -> ViewerHandle:
        """Start a viewer from its SDP offer; `owner` is the user or token that it belongs to.

        `instruments` are the samples that it may see on a data channel, where its offer asks for one.
        Raises BadOffer, CameraError, TooManyViewers.
        """
        offer = check_offer(offer_sdp)
        self._seats.check_owner(owner)
        with self._seats.arriving(), self._feed.interest.held():
            await self._feed.until_live()
            viewer_type = await asyncio.to_thread(_viewer_type)
            viewer = viewer_type(
                ice=self._ice,
                channels=self._feed.channels,
                ssrcs=(self._feed.ssrc, self._feed.rtx_ssrc),
                gone=self._went,
                instruments=instruments,
            )
            self._seats.check_owner(owner)  # again: others of the same owner may have come meanwhile
            self._admit(viewer, owner)
        try:
            answer_sdp = await viewer.answer(offer)
        except BaseException:
            await asyncio.shield(self._retire(viewer))
            raise
        log.info("camera %s: viewer %s answered, %d now", self.id, viewer.id[:6], self.viewers)
        return ViewerHandle(viewer.id, answer_sdp, viewer.etag)

    def etag(self, viewer_id: str) -> str:
        """Give the ETag of a viewer's ICE session, without quotes. Raises UnknownViewer."""
        return self._viewer(viewer_id).etag

    async def trickle(self, viewer_id: str, sdpfrag: str) -> None:
        """Take in a viewer's further candidates. Raises UnknownViewer, BadOffer."""
        await self._viewer(viewer_id).trickle(sdpfrag)

    async def hang_up(self, viewer_id: str) -> None:
        """End a viewer. Raises UnknownViewer."""
        await asyncio.shield(self._retire(self._viewer(viewer_id)))

    def _viewer(self, viewer_id: str) -> Viewer:
        viewer = self._viewers.get(viewer_id)
        if viewer is None:
            raise UnknownViewer(f"camera `{self.id}` has no such viewer; it may have gone")
        return viewer

    def _admit(self, viewer: Viewer, owner: str) -> None:
        self._feed.interest.hold()
        self._viewers[viewer.id] = viewer
        self._seats.take(viewer.id, owner)
        self._viewers_gauge.set(len(self._viewers))

    def _went(self, viewer: Viewer) -> None:
        self._retire(viewer)

    def _retire(self, viewer: Viewer) -> asyncio.Task[None]:
        self._seats.leave(viewer.id)
        if self._viewers.pop(viewer.id, None) is not None:
            self._feed.interest.release()
            self._viewers_gauge.set(len(self._viewers))
            log.info("camera %s: viewer %s left, %d now", self.id, viewer.id[:6], self.viewers)
        task = asyncio.get_running_loop().create_task(viewer.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return task


def _load_rooms(source: str) -> None:
    _viewer_type()
    if source == "test":
        import hub.camera.sources.test_pattern  # noqa: F401, PLC0415 - numpy and Pillow, as much again


def _viewer_type() -> type[Viewer]:
    """Import aiortc, off the loop: some 20 MB and tenths of a second that only a first viewer pays."""
    from hub.camera.viewing.viewer import Viewer  # noqa: PLC0415 - see above

    return Viewer
