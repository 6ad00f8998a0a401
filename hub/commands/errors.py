"""Why the hub does not take a command, or does not take one back."""

from __future__ import annotations

from hub.model import OutpostError


class CommandRefused(OutpostError):
    """The hub did not accept a command: nothing was queued."""


class UnknownCommand(CommandRefused):
    """The device offers no command of that name."""


class BadParams(CommandRefused):
    """The parameters do not fit the command's schema; the message names the field."""


class QueueFull(CommandRefused):
    """The device has too many commands waiting."""


class TooFast(CommandRefused):
    """The caller sends more commands than it may; `wait_ms` says when the next is taken."""

    def __init__(self, caller: str, wait_ms: int) -> None:
        super().__init__(f"{caller} sends commands too fast: wait {wait_ms} ms")
        self.wait_ms = wait_ms


class NoSuchCommand(OutpostError):
    """No command of that id is under way."""

    def __init__(self, identity: str) -> None:
        super().__init__(f"no command {identity[:40]!r} is under way")


class AlreadySent(OutpostError):
    """A command cannot be cancelled any more: the device has it."""
