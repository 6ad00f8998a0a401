"""What can go wrong in the camera room; every message is for people."""

from __future__ import annotations

from hub.model import OutpostError


class CameraError(OutpostError):
    """The camera gives no picture now; the message says why."""


class SourceError(CameraError):
    """A source cannot be opened, or ended."""


class EncoderFailed(CameraError):
    """A codec does not open or refuses a picture; the source itself is well."""


class SeamBroken(CameraError):
    """This version of a library lacks a part that direct sending needs; the message names it."""


class BadOffer(OutpostError):
    """An SDP offer or trickle fragment that cannot be answered; the client has to change it."""


class TooManyViewers(OutpostError):
    """The camera serves as many clients as it may; worth another try later."""


class UnknownViewer(OutpostError):
    """No viewer has this id, or it has gone."""
