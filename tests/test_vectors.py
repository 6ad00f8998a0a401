"""The golden vectors of docs/protocol.md, on CPython and on the MicroPython VM."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from firmware import outbox
from hub.wire import board_session, frame, message
from tests.vectors import vector_runner as runner
from tests.vm import needs_vm, run_on_vm

FOLDER = Path(__file__).parent / "vectors"


def load(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return data


def test_frames_on_cpython() -> None:
    assert runner.check_frames(frame, load("frames.json")) > 10


def test_messages_on_cpython() -> None:
    assert runner.check_messages(message, load("messages.json")) > 30


def test_session_on_cpython() -> None:
    data = load("session.json")
    assert runner.check_session(frame, message, board_session, outbox, data) > 40


ON_VM = """
import gc, json
import vector_runner as runner
from wire import board_session, frame, message
import outbox

def load(name):
    with open("/" + name) as file:
        return json.load(file)

{call}
print("held", held)
"""


@needs_vm
@pytest.mark.slow
@pytest.mark.parametrize(
    "call",
    [
        'held = runner.check_frames(frame, load("frames.json"))',
        'held = runner.check_messages(message, load("messages.json"))',
        'held = runner.check_session(frame, message, board_session, outbox, load("session.json"))',
    ],
)
def test_vectors_on_micropython(call: str) -> None:
    assert run_on_vm(ON_VM.format(call=call), *sorted(FOLDER.iterdir())).startswith("held ")
