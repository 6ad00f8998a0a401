"""What is known of one metric of an MQTT device, which announces no metrics of its own accord. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.links.payload import BadMessage, Field, kind_of

if TYPE_CHECKING:
    from hub.model import Kind

# So many messages in a row must agree before a metric takes another kind or unit than it had.
AGREEING_TO_CHANGE = 3


class Channel:
    """Its form (kind, None while only null came, and unit) and the last time that the hub gave a sample."""

    def __init__(self, kind: Kind | None, unit: str) -> None:
        self.kind = kind
        self.unit = unit
        self.last_ms = 0
        self._rival: tuple[Kind | None, str] | None = None
        self._agreeing = 0

    def admit(self, field: Field) -> bool:
        """Fit the form to `field` where that is right; True where it changed. Raises BadMessage.

        A gap in what is known is filled at once. A contradiction is refused, until enough in a row agree on
        it: one odd message must not turn a number into text, nor a rewired device be shut out.
        """
        form = (kind_of(field.value) or self.kind, self.unit if field.unit is None else field.unit)
        if form == (self.kind, self.unit):
            self._rival, self._agreeing = None, 0
            return False
        fills = self.kind in (None, form[0]) and self.unit in ("", form[1])
        self._agreeing = self._agreeing + 1 if form == self._rival else 1
        self._rival = form
        if not fills and self._agreeing < AGREEING_TO_CHANGE:
            raise BadMessage(
                "form changed",
                f"{field.metric} was {self.kind or 'unknown'} in {self.unit or 'no unit'}, "
                f"now {form[0] or 'unknown'} in {form[1] or 'no unit'}",
            )
        self.kind, self.unit = form
        self._rival, self._agreeing = None, 0
        return True
