"""The low layer's encoders: pictures of half the width and height. Used on the capture's thread only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.camera.keyframes import KeyframeBudget
from hub.camera.media import AccessUnit, Codec, Picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    import av

    from hub.camera.encoder import VideoEncoder

_BITRATE_SHARE = 4
_LEAST_KBPS = 100
_LEAST_SIDE = 64


class LowLayer:
    """One encoder for each codec of which the low layer is taken, while it is."""

    def __init__(self, *, fps: int, bitrate_kbps: int) -> None:
        self.keyframes = {codec: KeyframeBudget() for codec in Codec}
        self._rates = fps, max(_LEAST_KBPS, bitrate_kbps // _BITRATE_SHARE)
        self._encoders: dict[Codec, VideoEncoder] = {}

    def __len__(self) -> int:
        return len(self._encoders)

    def code(
        self, picture: Picture, codecs: frozenset[Codec], pts: int, now_s: float
    ) -> Iterator[tuple[Codec, AccessUnit]]:
        """Code a picture in the wanted codecs, and close the encoders of others."""
        self._encoders = {codec: made for codec, made in self._encoders.items() if codec in codecs}
        if not codecs:
            return
        small = Picture(_halved(picture), picture.time_ms)
        for codec in codecs:
            encoder = self._encoders.get(codec)
            if encoder is None:
                from hub.camera.encoder import open_encoder  # noqa: PLC0415 - PyAV only when something is coded

                fps, bitrate_kbps = self._rates
                encoder = self._encoders[codec] = open_encoder(codec, fps=fps, bitrate_kbps=bitrate_kbps)
            budget = self.keyframes[codec]
            for unit in encoder.encode(small, pts, force_keyframe=budget.take(int(now_s * 1000))):
                if unit.keyframe:
                    budget.satisfied()
                yield codec, unit

    def close(self) -> None:
        """Close all encoders."""
        self._encoders = {}


def _halved(picture: Picture) -> av.VideoFrame:
    frame = picture.frame
    width, height = (max(_LEAST_SIDE, side // 4 * 2) for side in (frame.width, frame.height))
    return frame.reformat(width=width, height=height, format="yuv420p")
