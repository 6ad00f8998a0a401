"""Which drivers a board has, and what their entries may say. Loaded when asked for (commands.py), and alone.

Beside more there is no room left to compile the longest drivers on a board with 192 KB.
"""

import os

import drivers
from jobs import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NO_DRIVERS = ("__init__.py", "options.py", "sensor.py", "internal.py")


def known(name: "str | None") -> "Any":
    """Return the names of all drivers, or the JSON Schema of one. Raises Refused."""
    if name is None:
        files = [file for file in os.listdir("/drivers") if file.endswith(".py") and file not in _NO_DRIVERS]
        return {"drivers": sorted([file[:-3] for file in files])}
    try:
        return {"driver": name, "schema": drivers.schema(name)}
    except ValueError as error:
        raise Refused(str(error))  # noqa: B904 - MicroPython has no `from`
