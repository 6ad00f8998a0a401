"""A WebRTC stack of another make, werift on Node, watches a camera of a whole hub by WHEP."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hil.hub import HubProcess
from tests.e2e.api import Api
from tests.e2e.one_camera import CONFIG

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def script() -> Path:
    """The client, with its packages installed from the lock."""
    if not (FOLDER / "node_modules" / ".package-lock.json").exists():
        npm = [program("npm"), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm, cwd=FOLDER, check=True, timeout=100)
    return FOLDER / "whep.mjs"


def program(name: str) -> str:
    """Give a program that came with a Python package."""
    return str(Path(sys.executable).with_name(name))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub with a camera and nothing else."""
    with HubProcess(tmp_path_factory.mktemp("hub") / "data", config=CONFIG) as hub:
        yield hub


def watch(hub: HubProcess, script: Path, codec: str) -> dict[str, Any]:
    address = f"{hub.url}/api/v1/cameras/front/whep"
    command = [program("node"), str(script), address, hub.token, codec]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def viewers(hub: HubProcess) -> int:
    return int(Api(hub).get("cameras")["items"][0]["viewers"])


@pytest.mark.e2e
def test_werift_posts_receives_h264_and_deletes(hub: HubProcess, script: Path) -> None:
    found = watch(hub, script, "video/H264")
    assert (found["status"], found["type"]) == (201, "application/sdp")
    assert found["etag"].startswith('"')
    assert found["pictures"] >= 30
    assert found["keyframes"] >= 1
    assert len(found["ssrcs"]) == 1
    assert (found["patched"], found["deleted"], found["again"]) == (204, 200, 404)
    assert viewers(hub) == 0


@pytest.mark.e2e
def test_werift_without_h264_receives_vp8(hub: HubProcess, script: Path) -> None:
    found = watch(hub, script, "video/VP8")
    assert (found["status"], found["deleted"]) == (201, 200)
    assert found["pictures"] >= 30


@pytest.mark.e2e
def test_werift_without_a_common_codec_is_refused_with_the_reason(hub: HubProcess, script: Path) -> None:
    found = watch(hub, script, "video/AV1")
    assert found["status"] == 400
    assert "no codec in common" in found["problem"]["detail"]
    assert viewers(hub) == 0
