"""Enrolment: unknown boards wait, accepted ones are given a key and prove it, others are turned away."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING

import msgspec

from hub.bus import Bus, Event
from hub.enrolment import views
from hub.enrolment.impostors import REST_MS, Impostors
from hub.enrolment.views import BoardStanding, EnrolmentView
from hub.enrolment.waiting import LinePace, WaitingRoom
from hub.links.aside import AT_ONCE
from hub.links.gate import Entry, Standing
from hub.links.link import is_device_id
from hub.model import Gone, KeyState, OutpostError
from hub.store.folder import StoreError
from hub.store.identity.enrolments import Enrolled, Enrolments
from hub.store.identity.rights import SecurityEvent, SecurityKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.enrolment.waiting import Waiting
    from hub.health import Health
    from hub.links.aside import Again, Aside
    from hub.links.gate import Guest
    from hub.links.link import Sink
    from hub.model import Born

log = logging.getLogger(__name__)

KEY_BYTES = 32
PASS_S = 0.05
HUB = "hub"
MOST_ACCEPTED = 2_000


class NotEnrolled(OutpostError):
    """There is no such board: none waits, and none was decided upon."""


class AlreadyAccepted(OutpostError):
    """A board that is accepted cannot be rejected; it can be forgotten."""


class Enrolment:
    """The gate of all links to boards. Loop thread only.

    `mode` is `[serial] enrolment`: `ask` has unknown boards wait, `auto` accepts them as they come, `off`
    asks nobody for anything. `put_security` records a line of the security log.
    """

    def __init__(
        self,
        *,
        mode: str,
        enrolments: Enrolments,
        bus: Bus,
        health: Health,
        put_security: Callable[[SecurityEvent], None],
        now_ms: Callable[[], int],
    ) -> None:
        self._mode = mode
        self._enrolments = enrolments
        self._bus = bus
        self._refused = health.boards_refused
        self._put_security = put_security
        self._now_ms = now_ms
        self._decided: dict[str, Enrolled] = {one.device: one for one in enrolments.all()}
        self._waiting = WaitingRoom()
        health.boards_waiting.set_function(lambda: len(self._waiting.boards))
        self._leaving: dict[str, Waiting] = {}
        self._impostors = Impostors()
        self._guests: dict[str, Guest] = {}
        self._proven: set[str] = set()
        self._pace = LinePace()

    # --- what people ask for ------------------------------------------------------------------------------

    def items(self) -> list[EnrolmentView]:
        """Return how all boards stand: first what waits and what is refused, then what was decided."""
        found = [views.of_waiting(waiting) for waiting in self._waiting.boards.values()]
        found += [self._view_of_impostor(device) for device in self._impostors.devices()]
        found += [views.of_enrolled(one) for _, one in sorted(self._decided.items())]
        return found

    def accept(self, device: str, by: str) -> EnrolmentView:
        """Let a board in, and give it a new key as soon as it can keep one. Raises StoreError, NotEnrolled.

        One that is here and has proved its key keeps that until it has the new one. One that never came is
        let in when it comes.
        """
        if not is_device_id(device):
            raise NotEnrolled(f"{device[:80]!r} is no id of a board: 1 to 64 of a-z 0-9 _ - .")
        if device not in self._decided and len(self._decided) >= MOST_ACCEPTED:
            raise NotEnrolled(f"{MOST_ACCEPTED} boards are enrolled; forget some first")
        waiting = self._waiting.boards.get(device)
        before = self._decided.get(device)
        key = before.key if before is not None and device in self._proven else None
        enrolled = Enrolled(
            device=device,
            accepted=True,
            key=key,
            next_key=secrets.token_bytes(KEY_BYTES),
            time=self._now_ms(),
            by=by,
        )
        place = f" on {waiting.place}" if waiting is not None else ""
        self._enrolments.put(enrolled, SecurityKind.BOARD_ACCEPTED, device + place, enrolled.time)
        self._decided[device] = enrolled
        self._impostors.dismiss(device)
        log.info("board %s%s is accepted by %s", device, place, by)
        guest = self._guests.get(device)
        if waiting is not None:
            del self._waiting.boards[device]
            guest = waiting.guest
        if guest is not None:
            self._guests[device] = guest
            guest.let_in(Standing(Entry.OPEN, key, enrolled.next_key))
        elif waiting is not None:
            waiting.sink(msgspec.structs.replace(waiting.born, key=KeyState.NONE))
            self._leaving[device] = waiting
            self._pass_on(device, AT_ONCE)
        return self._announce(views.of_enrolled(self._decided[device]))

    def reject(self, device: str, by: str) -> EnrolmentView:
        """Turn a board away that waits; what it said goes. Of what is refused, the notice goes.

        Raises NotEnrolled, AlreadyAccepted, StoreError.
        """
        waiting = self._waiting.boards.get(device)
        before = self._decided.get(device)
        if waiting is None and before is not None and before.accepted:
            if not self._impostors.dismiss(device):
                raise AlreadyAccepted(f"{device} is accepted; to have it wait again, forget it")
            return self._announce(views.of_enrolled(before))
        if waiting is None:
            raise NotEnrolled(f"no board {device!r} waits to be accepted")
        rejected = Enrolled(device=device, accepted=False, time=self._now_ms(), by=by)
        where = f"{device} on {waiting.place}"
        self._enrolments.put(rejected, SecurityKind.BOARD_REJECTED, where, rejected.time)
        self._decided[device] = rejected
        del self._waiting.boards[device]
        waiting.aside.drop()
        if waiting.guest is not None:
            waiting.guest.turn_out("it was rejected")
        return self._announce(views.of_enrolled(rejected))

    def forget(self, device: str, by: str) -> EnrolmentView:
        """Know nothing of a board any more: it waits when it comes again. Raises NotEnrolled, StoreError."""
        known = device in self._decided
        if not known and device not in self._waiting.boards:
            raise NotEnrolled(f"no board {device!r} is enrolled")
        self._enrolments.forget(device, self._now_ms(), by)
        self._decided.pop(device, None)
        self._impostors.dismiss(device)
        waiting = self._waiting.boards.pop(device, None)
        if waiting is not None:
            waiting.aside.drop()
        guest = self._guests.get(device) if waiting is None else waiting.guest
        if guest is not None:
            guest.turn_out(f"it was forgotten by {by}")
        return self._announce(EnrolmentView(device=device, state=BoardStanding.UNKNOWN))

    def trust(self, device: str) -> None:
        """Accept a board that the hub itself brings up, unless it was decided upon. Raises StoreError."""
        if device not in self._decided:
            self.accept(device, HUB)

    # --- the gate, for links ------------------------------------------------------------------------------

    def bar(self, device: str, place: str) -> str | None:
        """Return why a board that says hello is turned away, or None."""
        if self._mode == "off":
            return None
        decided = self._decided.get(device)
        if decided is None:
            if self._mode == "ask" and not self._waiting.room_for(device, place):
                return f"{len(self._waiting.boards)} boards wait to be accepted; accept or reject some"
            return None
        if not decided.accepted:
            return f"it was rejected; `outpost devices accept {device}` takes it all the same"
        why = self._impostors.resting(device, place, self._now_ms())
        if why is None:
            return None
        return f"{why}; if it is the board, `outpost devices accept {device}` gives it a new key"

    def crowded(self, device: str, place: str, why: str) -> None:
        """Learn that a board says hello whose id is taken by another, which is online."""
        if device not in self._proven or self._mode == "off":
            return
        if self._impostors.crowds(device, place, self._now_ms()):
            self._refuse(device, place, f"{why}, and that one has proved its key", rest_ms=0)

    def knock(self, device: str, guest: Guest) -> Standing:
        """Return how a board stands whose session has opened."""
        if self._mode == "off":
            return Standing(Entry.OPEN, asked=False)
        if device in self._leaving:  # what it said before goes before what it says now
            self._pass_on(device, self._leaving[device].aside.kept)
        decided = self._decided.get(device) or self._welcomed(device)
        if decided is None or not decided.accepted:
            return Standing(Entry.WAIT)
        self._guests[device] = guest
        entry = Entry.OPEN if decided.key is None else Entry.PROVE
        return Standing(entry, decided.key, decided.next_key)

    def wait(self, born: Born, guest: Guest, sink: Sink, again: Again) -> Aside:
        """Have a board wait; return what keeps what it says until then."""
        waiting, new = self._waiting.enter(born, guest, sink, again, self._now_ms())
        if new:
            log.warning(
                "board %s (%s) on %s is unknown and waits: accept it in the dashboard, or by "
                "`outpost devices accept %s`",
                *(born.birth.device, born.birth.name, guest.name, born.birth.device),
            )
            self._tell(SecurityKind.BOARD_PENDING, f"{born.birth.device} on {guest.name}")
        self._announce(views.of_waiting(waiting))
        return waiting.aside

    def proved(self, device: str, guest: Guest, key: bytes) -> None:
        """Learn which key a board has proved."""
        self._proven.add(device)
        self._impostors.proved(device, guest.name)
        decided = self._decided.get(device)
        if decided is not None and decided.next_key == key:
            kept = msgspec.structs.replace(decided, key=key, next_key=None)
            self._decided[device] = kept
            try:
                where = f"{device} on {guest.name}"
                self._enrolments.put(kept, SecurityKind.BOARD_KEYED, where, self._now_ms())
            except StoreError as error:  # the board proves it again at its next session
                log.error("that %s has its key could not be kept: %s", device, error)
            self._announce(views.of_enrolled(kept))

    def failed(self, device: str, guest: Guest, why: str) -> None:
        """Learn that a board did not prove its key, and is refused."""
        self._refused.inc()
        self._refuse(device, guest.name, why, rest_ms=REST_MS)

    def left(self, device: str, guest: Guest) -> None:
        """Learn that a session ended."""
        if self._guests.get(device) is guest:
            del self._guests[device]
            self._proven.discard(device)
            self._impostors.left(device)
        if self._waiting.left(device, guest, self._now_ms()):
            self._announce(views.of_waiting(self._waiting.boards[device]))

    # --- behind it ----------------------------------------------------------------------------------------

    def _pass_on(self, device: str, most: int) -> None:
        """Pass on more of what a board said that was accepted while it was away."""
        waiting = self._leaving.get(device)
        if waiting is None:
            return
        if waiting.aside.pass_on(waiting.sink, most):
            del self._leaving[device]
            waiting.sink(Gone(device, "it was accepted while it was away"))
        else:
            asyncio.get_running_loop().call_later(PASS_S, self._pass_on, device, AT_ONCE)

    def _welcomed(self, device: str) -> Enrolled | None:
        """Accept an unknown board where all are."""
        if self._mode != "auto":
            return None
        try:
            self.accept(device, HUB)
        except (StoreError, NotEnrolled) as error:
            log.error("board %s cannot be accepted now: %s", device, error)
        return self._decided.get(device)

    def _refuse(self, device: str, place: str, why: str, *, rest_ms: int) -> None:
        if self._impostors.refuse(device, place, why, self._now_ms(), rest_ms=rest_ms):
            log.error("a board on %s says that it is %s, and is refused: %s", place, device, why)
            self._tell(SecurityKind.BOARD_REFUSED, f"{device} on {place}: {why}")
            self._announce(self._view_of_impostor(device))

    def _view_of_impostor(self, device: str) -> EnrolmentView:
        here = self._impostors.here(device, self._now_ms())
        return views.of_impostor(device, self._impostors[device], self._decided.get(device), online=here)

    def _tell(self, kind: SecurityKind, detail: str) -> None:
        now_ms = self._now_ms()
        if self._pace.may(now_ms):
            self._put_security(SecurityEvent(time=now_ms, kind=kind, actor=HUB, detail=detail))

    def _announce(self, view: EnrolmentView) -> EnrolmentView:
        self._bus.publish(Event(kind="enrolment", device=view.device, data=view))
        return view
