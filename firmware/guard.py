"""What keeps a board reachable: confirms changes on trial, feeds the watchdog, leaves out what crashes."""

import os

import port
from micropython import const
from watchdog import Watchdog, bitten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from settings import Settings
    from trial import Trial

CONFIRM_MS = const(20000)
"""A change holds once a hub has a session, and the board has been up for so long."""
_WELL_MS = const(60000)


class Guard:
    """Looks after one boot of the node, which calls `look` some times a second."""

    def __init__(self, config: "Settings") -> None:
        self._trial: Trial | None = None
        self._opened = False
        self._dog = Watchdog()
        try:
            os.stat("/trial.json")
        except OSError:
            crashes = 0  # as nearly always: then trial.py is not even loaded
        else:
            crashes = self.trial.crashes
        self.without_sensors = crashes >= 3
        if self.without_sensors:
            config.sensors = []

    @property
    def trial(self) -> "Trial":
        """What is on trial; 3.5 KB from the first use on."""
        if self._trial is None:
            import trial  # noqa: PLC0415 - see above

            self._trial = trial.Trial()
        return self._trial

    @property
    def on_trial(self) -> bool:
        """Whether a change waits for its confirmation."""
        return self._trial is not None and self._trial.kind != ""

    def start(self, watched: bool) -> None:
        """Begin the boot; where `watched`, or on trial, with the watchdog."""
        if bitten():
            self.trial.failed("it hung, and its watchdog restarted it")
        if watched or self.on_trial:
            self._dog.start()

    def feed(self) -> None:
        """Say that the board works, where work takes long."""
        self._dog.feed()

    def look(self, now_ms: int, is_open: bool) -> bool:
        """Take note of the time and of whether a hub has a session; return whether a change was confirmed."""
        self._dog.feed()
        self._opened = self._opened or is_open
        trial = self._trial
        if trial is None:
            return False
        if trial.begun:
            if is_open and now_ms >= CONFIRM_MS:
                trial.confirm()
                return True
            if trial.deadline_s and not self._opened and now_ms > trial.deadline_s * 1000:
                trial.failed("no hub had a session with it in time")
                port.restart()
        elif trial.crashes and now_ms >= _WELL_MS and not self.without_sensors:
            try:
                trial.well()
            except OSError as error:  # counted no more in this boot, in any case
                print("trial.json: the flash failed:", error)
        return False

    def notice(self) -> str:
        """Return what an operator should know, in at most 160 characters; or nothing."""
        trial = self._trial
        if trial is None:
            return ""
        if trial.kind:
            return "new " + trial.kind + " on trial"
        if self.without_sensors:
            return "it crashed three times and runs without its sensors; the last: " + trial.why[:90]
        notice = trial.notice
        if notice is not None:
            return "the former " + notice["kind"] + " is back: " + notice["why"]
        return ""

    def unfit(self, why: str) -> None:
        """Tell that the settings cannot be used as they are: on trial, the former ones come back at once."""
        if self._trial is not None and self._trial.kind == "settings":
            self._trial.back(why)
            port.restart()

    def restarts(self) -> None:
        """Prepare a restart that was asked for: what crashed gets another chance."""
        if self.without_sensors:
            self.trial.well()

    def stop(self) -> None:
        """Leave the board to the REPL, or to main.py."""
        self._dog.stop()
