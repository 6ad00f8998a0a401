"""Whatever fits the OpenAPI document, or nearly does, the hub answers it: Schemathesis asks a running one."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from hil.hub import HubProcess
from tests.soak import times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import SerializationContext

Operation: TypeAlias = "schemathesis.APIOperation[Any, Any, Any, Any]"

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

ENDLESS = ("/api/v1/stream", "/api/v1/control", "/api/v1/cameras/{camera}/stream.mjpeg")
"""What answers for ever has tests of its own."""
EXAMPLES = times(3, 60)


@schemathesis.serializer("application/toml", "application/sdp", "application/trickle-ice-sdpfrag")
def as_text(_: SerializationContext, value: object) -> bytes:
    """Send what a text format's schema gives as it is."""
    return str(value).encode(errors="surrogatepass")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    config = (
        "[mqtt]\nenabled = false\n[serial]\nports = []\n"
        '[[camera]]\nid = "front"\nwidth = 320\nheight = 240\nfps = 5\n'
    )
    with HubProcess(tmp_path_factory.mktemp("fuzzed") / "data", config=config) as running:
        yield running


@pytest.fixture
def operations(hub: HubProcess) -> list[Operation]:
    document = schemathesis.openapi.from_url(f"{hub.url}/api/v1/openapi.json", headers=bearer(hub))
    every = [found.ok() for found in document.get_all_operations() if isinstance(found, Ok)]
    return [operation for operation in every if operation.path not in ENDLESS]


def bearer(hub: HubProcess) -> dict[str, str]:
    return {"Authorization": f"Bearer {hub.token}"}


def asked(hub: HubProcess, operation: Operation, mode: GenerationMode) -> list[str]:
    """Ask an operation in many ways; return the ways that met a fault of the hub's."""
    faults: list[str] = []

    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        answer = case.call(base_url=hub.url, headers=bearer(hub), timeout=20, allow_redirects=False)
        if answer.status_code >= 500:
            faults.append(f"{case.as_curl_command()}: {answer.status_code} {answer.text[:200]}")

    # An operation without parameters has no request that breaks its rules.
    with contextlib.suppress(Unsatisfiable):
        ask()
    return faults


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_request_meets_a_fault_of_the_hubs(
    hub: HubProcess, operations: list[Operation], mode: GenerationMode
) -> None:
    faults = [fault for operation in operations for fault in asked(hub, operation, mode)]
    assert faults == []
    assert [line for line in hub.lines if "Traceback" in line] == []
    assert hub.running
