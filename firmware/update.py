"""The firmware's update over the link: fetched file by file beside the old ones, checked, then put on trial.

The command `update` names a manifest by its SHA-256; its data are the manifest (part 0) and the files in the
manifest's order (part 1 …). The manifest is text:

    outpost-firmware 1 VERSION PLATFORM,… OLDEST-MICROPYTHON
    SHA256 BYTES /PATH
    …

Only files that differ are fetched, as `PATH.new`; one that is there already, as after a cut, is not fetched
again. When all are there and whole, trial.py puts them in place and the board restarts. The same command
asked again then says how it ended, so that a restart, a cut or a lost cable between does not matter.
"""

import asyncio
import gc
import hashlib

import manifest
import staging
from jobs import Cancelled, Refused
from manifest import FILES, KEPT, MANIFEST, File
from trial import NEW, OLD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from jobs import Job
    from trial import Trial

# What starts before anything is counted: exchanged in one step each, after all else has proved itself.
GUARDS = ("/main.py", "/trial.py")
DEADLINE_S = 60


class Update:
    """Takes updates, one at a time. `restart` restarts the board once what was said is out."""

    def __init__(self, trial: "Trial", restart: "Callable[[], None]") -> None:
        self._trial = trial
        self._restart = restart
        self._busy = False
        self._least = 0  # percent: a command asked again after its restart begins there

    async def run(self, params: "dict[str, Any]", job: "Job") -> "Any":
        """Bring the firmware to what the manifest says; return its version. Raises Refused, in words."""
        if self._busy:
            raise Refused("an update is under way")
        self._busy = True
        try:
            self._least = 0
            await self._on_trial(job)
            return await self._update(params, job)
        except OSError as error:
            raise Refused(f"the flash failed ({error}); {KEPT}")  # noqa: B904 - MicroPython has no `from`
        finally:
            self._busy = False

    # --- the command asked again after the restart ---

    async def _on_trial(self, job: "Job") -> None:
        """Wait until the change on trial holds. Raises Refused where it is another's, or was put back."""
        trial = self._trial
        if trial.kind and trial.label != job.id:
            raise Refused(f"a change of the {trial.kind} is on trial; try again in a minute")
        while trial.kind:
            self._least = 97
            self._tell(job, 97, "the new firmware runs; it must prove itself")
            await asyncio.sleep_ms(500)
        notice = trial.notice
        if notice is not None and notice.get("label") == job.id:
            for path in GUARDS:
                staging.remove(path + NEW)
            staging.remove(MANIFEST)
            raise Refused("the new firmware failed and the former is back: " + notice["why"])

    # --- the files ---

    async def _update(self, params: "dict[str, Any]", job: "Job") -> "Any":
        named = manifest.named(params)
        files: list[File] = []
        self._tell(job, 0, "reading the manifest")
        try:
            await self._fetch(named, MANIFEST, job)
            version = await self._compare(files, params.get("force", False), job)
            if files:
                self._make_room(files)
                await self._fetch_all(files, job)
                await self._exchange(version, files, job)
        except Cancelled:
            for file in files:
                staging.remove(file.path + NEW)
            staging.remove(MANIFEST)
            raise
        staging.remove(MANIFEST)
        return {"version": version}

    async def _compare(self, files: "list[File]", force: bool, job: "Job") -> str:
        """Add the files that differ; return the version. Raises Refused for another board's manifest."""
        with open(MANIFEST) as lines:  # noqa: ASYNC230 - a board has no other way
            version = manifest.check(lines.readline(), force)
            for number, line in enumerate(lines):
                part = number + 1
                if part > FILES:
                    raise Refused(f"a firmware of over {FILES} files; {KEPT}")
                file = manifest.file(part, line)
                self._tell(job, part % 10, "comparing " + file.path[1:])
                if await staging.digest(file.path) != file.sha256:
                    files.append(file)
                if job.cancelled:
                    raise Cancelled(KEPT)
        return version

    def _make_room(self, files: "list[File]") -> None:
        """Raise Refused where the flash is too small, even without the versions before."""
        if staging.fits(files):
            return
        for file in files:
            staging.remove(file.path + OLD)
        if not staging.fits(files):
            need = sum([file.size for file in files]) // 1000
            raise Refused(f"the flash is too full: about {need} kB are needed beside what is there; {KEPT}")

    async def _fetch_all(self, files: "list[File]", job: "Job") -> None:
        whole = sum([file.size for file in files]) or 1
        done = 0
        for file in files:
            staging.make_folder(file.path)
            staged = file.path + NEW
            if await staging.digest(staged) != file.sha256:
                await self._fetch(file, staged, job, done, whole)
            done += file.size
        self._tell(job, 95, "checking all files")
        for file in files:
            if await staging.digest(file.path + NEW) != file.sha256:
                staging.remove(file.path + NEW)
                raise Refused(f"{file.path} is not on the flash as it was sent; {KEPT}")

    async def _fetch(self, file: File, to: str, job: "Job", done: int = 0, whole: int = 0) -> None:
        """Fetch a part into a file. Raises Refused where it is not what it should be, Cancelled."""
        digest = hashlib.sha256()
        size = 0
        with open(to, "wb") as out:  # noqa: ASYNC230 - a board has no other way
            while size < file.size:
                if whole:
                    self._tell(job, 10 + 85 * (done + size) // whole, "fetching " + file.path[1:])
                data = await job.fetch(file.part, size)
                if not data:
                    break
                digest.update(data)
                out.write(data)
                size += len(data)
        if job.cancelled:
            staging.remove(to)
            raise Cancelled(KEPT)
        if size != file.size or digest.digest() != file.sha256:
            staging.remove(to)
            raise Refused(f"{file.path} did not arrive as the manifest says; {KEPT}")

    async def _exchange(self, version: str, files: "list[File]", job: "Job") -> None:
        """Put all but the guards on trial, by a restart; when these hold, the guards in their places."""
        guards = [file.path for file in files if file.path in GUARDS]
        others = [file.path for file in files if file.path not in GUARDS]
        for path in guards:
            _compiles(path)
        self._tell(job, 96, "restarting into version " + version)
        if await job.pause(300):
            raise Cancelled(KEPT)
        if others:
            self._trial.open("firmware", others, deadline_s=DEADLINE_S, label=job.id)
            self._restart()
            while True:  # the answer comes from what runs next
                await asyncio.sleep_ms(1000)
        self._trial.exchange(guards)

    def _tell(self, job: "Job", percent: int, text: str) -> None:
        job.progress(max(self._least, percent), text)


def _compiles(path: str) -> None:
    """Raise Refused where a staged guard is no Python: nothing would come after it."""
    gc.collect()
    try:
        with open(path + NEW) as file:
            compile(file.read(), path, "exec")
    except SyntaxError as error:
        raise Refused(f"{path}: {error}; {KEPT}")  # noqa: B904 - MicroPython has no `from`
    except MemoryError:
        pass  # its hash is right; that is proof enough
