"""Lending serial ports over HTTP: who may, what is checked, what the hub does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.model import Role
from tests.web_hub import WebHub, web_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Lender:
    """A fake of the serial ports: it keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []
        self.resumed: list[str] = []

    async def release(self, port: str, seconds: float) -> bool:
        self.asked.append((port, seconds))
        return port == "/dev/ttyACM0"

    def resume(self, port: str) -> None:
        self.resumed.append(port)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[WebHub]:
    async with web_hub(tmp_path) as running:
        yield running


@pytest.fixture
def lender(hub: WebHub) -> Lender:
    hub.parts.serial = lender = Lender()
    return lender


async def test_a_port_is_lent_for_so_long(hub: WebHub, lender: Lender) -> None:
    answered = await hub.call(
        "POST", "serial/release", role=Role.ADMIN, json={"port": "/dev/ttyACM0", "seconds": 30}
    )
    assert answered.json() == {"port": "/dev/ttyACM0", "held": True, "seconds": 30.0}
    assert lender.asked == [("/dev/ttyACM0", 30.0)]


async def test_a_port_that_the_hub_does_not_have_is_said_to_be_so(hub: WebHub, lender: Lender) -> None:
    answered = await hub.call("POST", "serial/release", role=Role.ADMIN, json={"port": "/dev/other"})
    assert answered.json()["held"] is False


async def test_a_lent_port_is_taken_back(hub: WebHub, lender: Lender) -> None:
    answered = await hub.call("POST", "serial/resume", role=Role.ADMIN, json={"port": "/dev/ttyACM0"})
    assert (answered.status, lender.resumed) == (200, ["/dev/ttyACM0"])


@pytest.mark.parametrize(
    "content", [{}, {"port": ""}, {"port": "/dev/a", "seconds": 601}, {"port": "/dev/a", "seconds": 0}]
)
async def test_a_loan_that_makes_no_sense_is_refused(
    hub: WebHub, lender: Lender, content: dict[str, object]
) -> None:
    answered = await hub.call("POST", "serial/release", role=Role.ADMIN, json=content)
    assert (answered.status, lender.asked) == (400, [])
    assert answered.problem()["parameter"] in {"port", "seconds"}


async def test_a_hub_without_ports_says_so(hub: WebHub) -> None:
    answered = await hub.call("POST", "serial/release", role=Role.ADMIN, json={"port": "/dev/a"})
    assert answered.status == 503
    assert "serial" in answered.problem()["detail"]


async def test_an_operator_may_not(hub: WebHub, lender: Lender) -> None:
    answered = await hub.call("POST", "serial/release", role=Role.OPERATOR, json={"port": "/dev/a"})
    assert (answered.status, lender.asked) == (403, [])
