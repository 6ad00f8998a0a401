"""`outpost configure` that is left alone with Ctrl-C while a board tries a configuration."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from hub.cli import configure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


async def test_ctrl_c_tells_that_the_board_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hub is a fake: one whose board does not come back."""
    followed = asyncio.Event()

    @asynccontextmanager
    async def hub(_: Path) -> AsyncIterator[None]:
        yield

    async def ask(*_: object) -> dict[str, Any]:
        return {"changed": True}

    async def device(*_: object) -> dict[str, Any]:
        if "taken" in capsys.readouterr().out:
            followed.set()
        return {"online": False, "boot_id": "b", "notice": ""}

    monkeypatch.setattr(configure, "hub", hub)
    monkeypatch.setattr(configure, "_ask", ask)
    monkeypatch.setattr(configure, "_device", device)
    monkeypatch.setattr(configure, "LOOK_S", 0.01)
    applying = asyncio.create_task(configure._apply(tmp_path, "pico", {}))
    await followed.wait()
    applying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await applying
    assert "goes on by itself; `outpost configure pico` shows what holds" in capsys.readouterr().err
