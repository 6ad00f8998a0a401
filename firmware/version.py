"""The firmware's version, as its birth says it and as updates compare it: whole numbers with dots."""

VERSION = "0.2.0"


def parsed(text: str) -> "tuple[int, ...]":
    """Return a version as numbers that compare. Raises ValueError."""
    return tuple([int(part) for part in text.split(".")])
