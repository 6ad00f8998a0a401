"""What a name that is not known here was perhaps meant to be."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 3


def meant(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean a or b?` for the known names that are like `name`, the nearest first; else ''.

    >>> meant("pico-gren", ["pico-green", "shed"])
    '; did you mean pico-green?'
    """
    written = {one.casefold(): one for one in known}
    near = [written[one] for one in difflib.get_close_matches(name.casefold(), written, n=_MOST)]
    return f"; did you mean {' or '.join(near)}?" if near else ""
