"""A disk of its own for a bench: an ext4 image on a loop device, whose writes the kernel counts."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTOR_BYTES = 512


class Disk:
    """A folder, and how much was written below it: to the block device, or else by this process."""

    def __init__(self, folder: Path, device: str | None) -> None:
        self.folder = folder
        self._device = device

    @property
    def counted(self) -> bool:
        """Tell that this is a block device of its own."""
        return self._device is not None

    def cut_power(self, image: Path) -> PowerCut:
        """Keep in a file what the block device has got by now, as if the power failed.

        What the kernel holds back is not in it; what a device would lose from a cache of its own is.
        """
        backing = Path(f"/sys/block/{self._device}/loop/backing_file").read_text().strip()
        subprocess.run(["cp", "--sparse=always", backing, str(image)], check=True)
        return PowerCut(image, self.folder)

    @property
    def what(self) -> str:
        """Say what `written` counts."""
        return "bytes to the block device" if self._device else "bytes this process handed to the file system"

    def written(self) -> int:
        """Return the bytes written so far, all that was waiting included."""
        os.sync()
        if self._device is None:
            text = Path("/proc/self/io").read_text()
            return int(text.partition("\nwrite_bytes: ")[2].split()[0])
        return int(Path(f"/sys/block/{self._device}/stat").read_text().split()[6]) * SECTOR_BYTES

    def folder_for(self, name: str) -> Path:
        """Make a folder."""
        path = self.folder / name
        path.mkdir()
        return path


class PowerCut:
    """A disk after a power cut. Its first life must have ended: it lies where that lay."""

    def __init__(self, image: Path, folder: Path) -> None:
        self._image = image
        self._folder = folder

    @contextlib.contextmanager
    def mounted(self) -> Iterator[Path]:
        """Give its folder, where it was: some stores' files name their place."""
        self._folder.mkdir(parents=True)
        try:
            _mount(self._image, self._folder)
            yield self._folder
        finally:
            subprocess.run(["umount", str(self._folder)], check=False)
            self._folder.rmdir()
            self._folder.parent.rmdir()


@contextlib.contextmanager
def disk(size_mb: int) -> Iterator[Disk]:
    """Mount a fresh ext4 image where this process may, else give a plain folder."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        device = _mounted(place, size_mb)
        try:
            yield Disk(place / "mount", device)
        finally:
            if device is not None:
                subprocess.run(["umount", str(place / "mount")], check=True)


def _mounted(place: Path, size_mb: int) -> str | None:
    mount, image = place / "mount", place / "image"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(size_mb << 20)
    done = subprocess.run(["mkfs.ext4", "-q", str(image)], check=False, capture_output=True)
    if done.returncode != 0 or not _mount(image, mount):
        return None
    source = subprocess.run(
        ["findmnt", "-n", "-o", "SOURCE", str(mount)], check=True, capture_output=True, text=True
    )
    return Path(source.stdout.strip()).name


def _mount(image: Path, mount: Path) -> bool:
    done = subprocess.run(["mount", "-o", "loop", str(image), str(mount)], check=False, capture_output=True)
    return done.returncode == 0
