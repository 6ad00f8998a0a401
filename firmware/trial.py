"""A change on trial: new files that hold only once the board has proved that it lives with them.

The one mechanism for new settings and for new firmware, and for what `outpost flash` exchanges:

1. Write each new file beside its place, as `PATH.new`, and check it there.
2. `Trial().open(kind, files, …)`: the former ones become `PATH.old`, the new ones take their places.
3. Restart. `main.py` calls `begin` before anything else runs: it counts the boot on flash.
4. `confirm` once a hub opened the session and the board has stayed up for a while: the change holds, and
   `PATH.old` stays there. After BOOTS boots without it the former files are put back, and `notice` says why.

Power may be cut between any two steps. What is to be done stands in STATE before the first file moves, a
step that was done is seen by the files that there are, and `begin` does the rest. STATE is replaced as a
whole, by a rename. One change at a time. This file imports nothing of ours.

A board that crashes with nothing on trial counts, too: after BOOTS crashes in a row it starts without its
sensors (`crashes`), so that a hub still reaches it. Counting ends there: a crash loop writes no flash.
"""

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

STATE = "/trial.json"
NEW = ".new"
OLD = ".old"
FAILED = ".bad"
BOOTS = 3
_MOST_WHY = 120


class Trial:
    """What is on trial, as it stands on the flash. `root` is put before each path (for tests)."""

    def __init__(self, root: str = "") -> None:
        self._root = root
        self._state: dict[str, Any] = self._read()

    @property
    def kind(self) -> str:
        """What is on trial: `settings`, `firmware`, or nothing."""
        kind: str = self._state.get("kind", "")
        return kind

    @property
    def begun(self) -> bool:
        """Whether the board has restarted into the change; before, there is nothing to prove it by."""
        begun: bool = self._state.get("phase") == "trial"
        return begun

    @property
    def label(self) -> str:
        """What the opener of the change called it."""
        label: str = self._state.get("label", "")
        return label

    @property
    def deadline_s(self) -> int:
        """After so many seconds without a hub the board restarts, which counts as a boot; 0: it waits."""
        seconds: int = self._state.get("deadline_s", 0)
        return seconds

    @property
    def notice(self) -> "dict[str, str] | None":
        """What was put back last, `{"kind", "why", "label"}`; gone with the next change."""
        notice: dict[str, str] | None = self._state.get("notice")
        return notice

    @property
    def crashes(self) -> int:
        """Count the crashes in a row with nothing on trial, at most BOOTS."""
        crashes: int = self._state.get("crashes", 0)
        return crashes

    @property
    def why(self) -> str:
        """Why it crashed last, as far as is known."""
        why: str = self._state.get("why", "")
        return why

    # --- the change ---------------------------------------------------------------------------------------

    def open(
        self,
        kind: str,
        files: "Sequence[str]",
        gone: "Sequence[str]" = (),
        deadline_s: int = 0,
        keep_failed: bool = False,
        label: str = "",
    ) -> None:
        """Put `PATH.new` of all `files` in their places, and take `gone` away; then restart the board.

        With `keep_failed` what is put back later leaves the failed file as `PATH.bad`; `label` tells the
        caller later which change it was. Raises ValueError while another change is on trial, OSError where
        the flash fails; `settle` then ends the work.
        """
        if self.kind:
            raise ValueError(f"a change of the {self.kind} is on trial")
        added = [path for path in files if not self._is(path)]
        for path in list(files) + list(gone):  # MicroPython cannot unpack into a list
            self._remove(path + OLD)  # of a change long ago: it is not what to come back to
            self._remove(path + FAILED)
        self._state = {
            "kind": kind,
            "phase": "forth",
            "files": list(files),
            "gone": list(gone),
            "added": added,
            "boots": 0,
            "deadline_s": deadline_s,
            "keep_failed": keep_failed,
            "label": label,
        }
        self._write()
        self._forth()

    def exchange(self, files: "Sequence[str]") -> None:
        """Put `PATH.new` of all `files` in their places, for good: nothing is kept, nothing on trial."""
        self._state = {"phase": "through", "files": list(files)}
        self._write()
        self.settle()

    def confirm(self) -> None:
        """Let the change hold."""
        self._state = {}
        self._write()

    def back(self, why: str) -> None:
        """Put the former files back, now; then restart the board."""
        self._state["phase"] = "back"
        self._state["why"] = _clean(why)
        self._write()
        self._back()

    # --- each start ---------------------------------------------------------------------------------------

    def begin(self) -> bool:
        """Count this boot, end what a cut left undone, put back what failed.

        Return whether files moved: then restart at once, since what has been loaded may be of the others.
        """
        if self.settle():
            return True
        if not self.kind:
            return False
        if self._state["boots"] >= BOOTS:
            self.back(self.why or "it did not stay up")
            return True
        self._state["phase"] = "trial"
        self._state["boots"] += 1
        self._write()
        return False

    def settle(self) -> bool:
        """End what a cut left undone; return whether files moved."""
        phase = self._state.get("phase")
        if phase == "forth":
            return self._forth()
        if phase == "back":
            self._back()
            return True
        if phase == "through":
            moved = self._forth()
            self._state = {}
            self._write()
            return moved
        return False

    def failed(self, why: str) -> None:
        """Note a crash: of a change on trial its reason, of what holds also the count."""
        if not self.kind:
            if self.crashes >= BOOTS:
                return
            self._state["crashes"] = self.crashes + 1
        self._state["why"] = _clean(why)
        self._write()

    def well(self) -> None:
        """Forget the crashes: the board stays up, or somebody took care of it."""
        if self.crashes:
            del self._state["crashes"]
            self._state.pop("why", None)
            self._write()

    # --- files --------------------------------------------------------------------------------------------

    def _forth(self) -> bool:
        """Move on from wherever it stands: a `.new` that is there has not taken its place yet."""
        state, moved = self._state, False
        keep = "kind" in state
        for path in state["files"]:
            if self._is(path + NEW):
                if keep and self._is(path):
                    self._rename(path, path + OLD)
                self._rename(path + NEW, path)
                moved = True
        for path in state.get("gone", ()):
            if self._is(path):
                self._rename(path, path + OLD)
                moved = True
        _sync()
        return moved

    def _back(self) -> None:
        """Move back from wherever it stands: an `.old` that is there has not got its place back yet."""
        state = self._state
        keep = state["keep_failed"]
        for path in state["files"]:
            self._remove(path + NEW)  # of a change that never went through
            old = path not in state["added"]
            if old and not self._is(path + OLD):
                continue
            if keep and self._is(path):
                self._rename(path, path + FAILED)
            if old:
                self._rename(path + OLD, path)
            else:
                self._remove(path)
        for path in state["gone"]:
            if self._is(path + OLD):
                self._rename(path + OLD, path)
        _sync()
        notice = {"kind": state["kind"], "why": state["why"], "label": state["label"]}
        self._state = {"notice": notice}
        self._write()

    def _read(self) -> "dict[str, Any]":
        try:
            with open(self._root + STATE) as file:
                state = json.load(file)
        except (OSError, ValueError):
            return {}
        if not isinstance(state, dict) or (state.get("phase") and not isinstance(state.get("files"), list)):
            return {}
        return state

    def _write(self) -> None:
        if not self._state:
            self._remove(STATE)
            return
        path = self._root + STATE
        with open(path + NEW, "w") as file:
            json.dump(self._state, file)
        os.rename(path + NEW, path)
        _sync()

    def _is(self, path: str) -> bool:
        try:
            os.stat(self._root + path)
        except OSError:
            return False
        return True

    def _rename(self, path: str, to: str) -> None:
        os.rename(self._root + path, self._root + to)

    def _remove(self, path: str) -> None:
        try:  # noqa: SIM105 - MicroPython has no contextlib
            os.remove(self._root + path)
        except OSError:
            pass  # it was not there


def _clean(text: str) -> str:
    """Return what a birth may carry of a text."""
    return "".join([c if " " <= c <= "~" else "?" for c in text[:_MOST_WHY]])


def _sync() -> None:
    if hasattr(os, "sync"):
        os.sync()
