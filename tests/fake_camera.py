"""A camera without a picture, for tests of the web room."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.camera.errors import BadOffer, UnknownViewer
from tests.fake_filming import FakeFilming, FakeKeeping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.camera.viewing.telemetry import Instruments
    from hub.config import CameraConfig


@dataclass
class FakeHandle:
    """What the fake camera answers an offer with."""

    id: str
    answer_sdp: str
    etag: str


class FakeCamera:
    """A fake camera: no picture, no WebRTC; it says yes, or fails as the test says."""

    def __init__(self, config: CameraConfig, recordings: Path) -> None:
        self.id = config.id
        self.name = config.name or config.id
        self.state = "idle"
        self.error: str | None = None
        self.encoders = 0
        self.expected = 0
        """How often a viewer was said to come."""
        self.jpeg = b"\xff\xd8 not really a JPEG \xff\xd9"
        self.fails: Exception | None = None
        self.offers: list[str] = []
        self.fragments: list[str] = []
        self.open: set[str] = set()
        self.instruments: Instruments | None = None
        self.frames_closed = asyncio.Event()
        self.filming: FakeFilming | None = FakeFilming(recordings)
        self.keeping: FakeKeeping | None = FakeKeeping(recordings / "timelapse")

    @property
    def viewers(self) -> int:
        """Viewers that were not ended."""
        return len(self.open)

    def expect_viewer(self) -> None:
        """Count; load nothing."""
        self.expected += 1

    async def snapshot(self) -> bytes:
        """Return the same picture, or fail."""
        if self.fails is not None:
            raise self.fails
        return self.jpeg

    async def frames(self, owner: str = "") -> AsyncIterator[bytes]:
        """Yield pictures until closed."""
        assert owner
        if self.fails is not None:
            raise self.fails
        try:
            while True:
                yield self.jpeg
                await asyncio.sleep(0.01)
        finally:
            self.frames_closed.set()

    async def answer(
        self, offer_sdp: str, *, owner: str = "", instruments: Instruments | None = None
    ) -> FakeHandle:
        """Take every offer that looks like SDP."""
        if self.fails is not None:
            raise self.fails
        if not offer_sdp.startswith("v=0"):
            raise BadOffer("the offer is no SDP: it must begin with v=0")
        self.offers.append(offer_sdp)
        self.instruments = instruments
        viewer = f"viewer{len(self.offers)}"
        self.open.add(viewer)
        return FakeHandle(viewer, "v=0\r\ns=answer\r\n", f"tag-{viewer}")

    def etag(self, viewer_id: str) -> str:
        """Return the tag of a viewer."""
        self._known(viewer_id)
        return f"tag-{viewer_id}"

    async def trickle(self, viewer_id: str, sdpfrag: str) -> None:
        """Remember a fragment."""
        self._known(viewer_id)
        if "a=" not in sdpfrag:
            raise BadOffer("the fragment holds no candidate")
        self.fragments.append(sdpfrag)

    async def hang_up(self, viewer_id: str) -> None:
        """End a viewer."""
        self._known(viewer_id)
        self.open.discard(viewer_id)

    def _known(self, viewer_id: str) -> None:
        if viewer_id not in self.open:
            raise UnknownViewer("no such viewer")
