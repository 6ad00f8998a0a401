"""The pytest plugin for boards: `pytest -p hil.plugin --port /dev/ttyACM0`; a virtual board by default.

Fixtures: `rig` (what the options or the rig file say), `bench` (the place's hands), `hub` (its URL and token)
and `board`, online before each test.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hil import bench as benches
from hil import rig as rigs
from hil.board import ONLINE_TIMEOUT_S, Board, find
from hil.client import connect
from hil.hub import HubProcess
from hub.access import LocalAccess
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from hil.bench import Bench


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("hil", "hardware in the loop (Outpost)")
    group.addoption("--port", metavar="PATH", help="test the board on this serial port")
    group.addoption("--rig", metavar="FILE", type=Path, help="test a place of this rig file (TOML)")
    group.addoption("--place", metavar="NAME", help="which place of the rig file")
    group.addoption("--hub-url", metavar="URL", help="use a running hub (default: one of the suite's own)")
    group.addoption("--hub-token-file", metavar="FILE", help="a token of role operator for it")
    group.addoption(
        "--online-timeout",
        metavar="S",
        type=float,
        default=ONLINE_TIMEOUT_S,
        help="how long a board may take to come online (default: %(default)s)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Check the options before any test, and have pytest-asyncio run tests that are coroutines."""
    if not config.pluginmanager.has_plugin("asyncio"):
        raise pytest.UsageError("hil.plugin needs pytest-asyncio: pip install 'outpost-hub[hil]'")
    if config.getoption("asyncio_mode") is None:
        config.option.asyncio_mode = "auto"
        # Of a setting that a project of its own seldom has; the default is what these fixtures need.
        warnings.filterwarnings("ignore", message=".*asyncio_default_fixture_loop_scope")
    try:
        _rig(config)
    except OutpostError as error:
        raise pytest.UsageError(str(error)) from error


def _rig(config: pytest.Config) -> rigs.Rig:
    port, file = config.getoption("--port"), config.getoption("--rig")
    url, token_file = config.getoption("--hub-url"), config.getoption("--hub-token-file")
    if port and file:
        raise rigs.RigError("--port and --rig exclude each other: a rig file names its ports")
    if bool(url) != bool(token_file):
        raise rigs.RigError("--hub-url and --hub-token-file go together")
    rig = rigs.load(file) if file else rigs.port_rig(port) if port else rigs.virtual_rig()
    if url:
        token_path = str(Path(token_file).absolute())
        rig = rigs.Rig(place=rig.place, hub=rigs.HubAddress(url=url.rstrip("/"), token_file=token_path))
    place = rig.named(config.getoption("--place"))
    if rig.hub is not None and place.resource.virtual:
        raise rigs.RigError(f"place {place.name!r} is virtual: only the suite's own hub reaches it")
    return rig


@pytest.fixture(scope="session")
def rig(pytestconfig: pytest.Config) -> rigs.Rig:
    """Return the rig that the options name."""
    return _rig(pytestconfig)


@pytest.fixture(scope="session")
def place(pytestconfig: pytest.Config, rig: rigs.Rig) -> rigs.Place:
    """Return the place under test."""
    return rig.named(pytestconfig.getoption("--place"))


@pytest.fixture(scope="session")
def bench(place: rigs.Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Bring up the place's board."""
    made = benches.make(place.resource, tmp_path_factory.mktemp("bench"), place.name)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def hub(
    pytestconfig: pytest.Config, rig: rigs.Rig, bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalAccess]:
    """Return where the hub is: the rig's, or one of the suite's own that has this one port."""
    if rig.hub is not None:
        file = pytestconfig.getoption("--rig")
        yield LocalAccess(url=rig.hub.url, token=rig.hub.token(file.parent if file else Path()))
        return
    config = f"[serial]\nports = ['{bench.port}']\nenrolment = 'off'\n[mqtt]\nenabled = false\n"
    with HubProcess(tmp_path_factory.mktemp("hub") / "data", config=config) as process:
        yield process.access


@pytest.fixture
async def board(
    pytestconfig: pytest.Config, hub: LocalAccess, place: rigs.Place, bench: Bench
) -> AsyncIterator[Board]:
    """Return the board, online."""
    timeout_s: float = pytestconfig.getoption("--online-timeout")
    async with connect(hub.url, hub.token) as client:
        made = Board(await find(client, place.device, timeout_s), client, bench)
        await made.online(timeout_s)
        yield made
