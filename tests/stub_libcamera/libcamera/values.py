"""libcamera's small values, as much as picamera2 looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class ControlType(Enum):
    """Of a control's value."""

    Integer = 0
    Rectangle = 1
    Size = 2


@dataclass(frozen=True, eq=False)
class ControlId:
    """A control or a property, by its name."""

    name: str
    type: ControlType = ControlType.Integer


@dataclass(frozen=True)
class ControlInfo:
    """What a control may be set to."""

    min: Any
    max: Any
    default: Any


@dataclass(frozen=True)
class Size:
    """In pixels."""

    width: int = 0
    height: int = 0

    def to_tuple(self) -> tuple[int, int]:
        return self.width, self.height


@dataclass(frozen=True)
class Rectangle:
    """In pixels."""

    x: int = 0
    y: int = 0
    width: int = 0
    height: int = 0

    def to_tuple(self) -> tuple[int, int, int, int]:
        return self.x, self.y, self.width, self.height


class PixelFormat(str):
    """By its name."""

    __slots__ = ()


class SensorConfiguration:
    """What the sensor is asked for."""

    bit_depth = 0
    output_size = Size()


class Transform:
    """Mirrored or turned."""

    def __init__(self, hflip: int = 0, vflip: int = 0, transpose: int = 0) -> None:
        self.hflip, self.vflip, self.transpose = hflip, vflip, transpose

    def __str__(self) -> str:
        return f"{self.hflip}{self.vflip}{self.transpose}"

    def __hash__(self) -> int:
        return hash((self.hflip, self.vflip, self.transpose))


class Orientation(Enum):
    """How the picture is turned."""

    Rotate0 = 0
    Rotate0Mirror = 1
    Rotate180 = 2
    Rotate180Mirror = 3
    Rotate90 = 4
    Rotate90Mirror = 5
    Rotate270 = 6
    Rotate270Mirror = 7


class ColorSpace:
    """By its name; picamera2 compares the parts."""

    class YcbcrEncoding(Enum):
        """The matrix."""

        Null = 0

    class Range(Enum):
        """Of the values."""

        Full = 0

    def __init__(self, other: Any) -> None:
        name = other if isinstance(other, str) else other.primaries
        self.primaries = self.transferFunction = self.ycbcrEncoding = self.range = name

    def __str__(self) -> str:
        return str(self.primaries)

    def __hash__(self) -> int:
        return hash(self.primaries)

    @classmethod
    def Sycc(cls) -> ColorSpace:  # noqa: N802 - libcamera's name
        return cls("sycc")

    @classmethod
    def Smpte170m(cls) -> ColorSpace:  # noqa: N802 - libcamera's name
        return cls("smpte170m")

    @classmethod
    def Rec709(cls) -> ColorSpace:  # noqa: N802 - libcamera's name
        return cls("rec709")

    @classmethod
    def Raw(cls) -> ColorSpace:  # noqa: N802 - libcamera's name
        return cls("raw")
