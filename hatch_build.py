"""What the wheel needs beyond its packages: the firmware inside `hub`, and a dashboard that was built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class OutpostBuildHook(BuildHookInterface[Any]):
    """Adds the firmware and the virtual board's asyncio lock; refuses to build without the dashboard."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before each build; `version` is `editable` for a checkout, which uses its own folders."""
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        if not (root / "hub/web/static/index.html").is_file():
            raise FileNotFoundError(
                "hub/web/static/index.html: the dashboard is not built; `make wheel` builds it first"
            )
        if not (root / "firmware/main.py").is_file():
            raise FileNotFoundError("firmware/main.py is missing; build from a whole checkout or sdist")
        build_data["force_include"]["firmware"] = "hub/firmware"
        build_data["force_include"]["requirements/board.txt"] = "hil/vm/board.txt"
