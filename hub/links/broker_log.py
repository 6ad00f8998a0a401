"""What the log says of a broker: each trouble once until it changes, comings and goings at a bounded pace."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hub.log_pace import LogPace

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.reasoncodes import ReasonCode

log = logging.getLogger(__name__)

# MQTT 5, table 2.6.
_OTHER_PROTOCOL = 0x84
_LOGIN = frozenset((0x86, 0x87))  # bad user name or password, not authorized


class BrokerLog:
    """The words about the broker `name`. `asked_for` is False where nobody configured one. One thread's."""

    def __init__(self, name: str, *, asked_for: bool, now_ms: Callable[[], int]) -> None:
        self._name = name
        self._asked_for = asked_for
        self._now_ms = now_ms
        self._pace = LogPace()
        self._complaint = ""

    def connected(self) -> None:
        """Say that the hub is let in."""
        self._complaint = ""
        end = self._pace.due("", self._now_ms())
        if end is not None:
            log.info("mqtt: connected to %s%s", self._name, end)

    def lost(self, code: ReasonCode) -> None:
        """Say that a connection ended that nobody meant to end."""
        end = self._pace.due("", self._now_ms())
        if end is not None:
            log.warning("mqtt: lost %s (%s); connecting again%s", self._name, code, end)

    def refused(self, code: ReasonCode) -> None:
        """Say that the hub is not let in, and what to do about it."""
        what = ""
        if code.value in _LOGIN:
            what = "; see `mqtt.username` and `mqtt.password_file`"
        elif code.value == _OTHER_PROTOCOL:
            what = "; it must speak MQTT 5, as Mosquitto does since 1.6"
        self.complain(f"refuses the hub: {code}{what}")

    def unanswered(self, code: ReasonCode) -> None:
        """Say that something takes connections, and does not answer as a broker does."""
        self.complain(
            f"takes the connection and gives no MQTT answer ({code}); "
            "is it a broker, and are `mqtt.host` and `mqtt.port` right?"
        )

    def missed(self) -> None:
        """Say that nobody takes the connection."""
        if self._asked_for:
            self.complain("does not answer; trying again until it does")
        elif not self._complaint:
            # Nobody asked for this one by name: it is no fault that it is not there.
            self._complaint = "none"
            log.info("mqtt: no broker answers at %s; one that starts there is used", self._name)

    def complain(self, text: str) -> None:
        """Log a complaint once, until another or a connection comes."""
        if text != self._complaint:
            self._complaint = text
            log.warning("mqtt: broker %s %s", self._name, text)
