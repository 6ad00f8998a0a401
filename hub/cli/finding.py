"""One thing that was looked at, as `doctor` and `status` print it."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """What was looked at, and what was found. `remedy` is empty where all is well."""

    what: str
    found: str
    remedy: str = ""
    fatal: bool = False

    def __str__(self) -> str:
        """Return one line, and a second one where there is something to do."""
        mark = "ok" if not self.remedy else "FAIL" if self.fatal else "note"
        line = f"{mark:>4}  {self.what}: {self.found}"
        return f"{line}\n      → {self.remedy}" if self.remedy else line
