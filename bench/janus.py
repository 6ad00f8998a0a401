"""Janus (Debian's package `janus`) with one RTP stream, beside which the hub's video is measured."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_FOLDERS = ("/usr/lib/x86_64-linux-gnu/janus", "/usr/lib/aarch64-linux-gnu/janus", "/usr/lib/janus")


def is_installed() -> bool:
    """Tell whether Janus can be run here."""
    return shutil.which("janus") is not None and any(Path(folder).is_dir() for folder in _FOLDERS)


class Janus:
    """A Janus process and the process that feeds it the file's packets; a context manager."""

    def __init__(self, folder: Path, source: Path, *, http_port: int, rtp_port: int) -> None:
        self.address = f"http://127.0.0.1:{http_port}/janus"
        self._folder = folder
        self._source = source
        self._ports = http_port, rtp_port
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def pid(self) -> int:
        """Of Janus alone."""
        return self._processes[0].pid

    def __enter__(self) -> Janus:
        self._configure()
        self._processes.append(
            subprocess.Popen(
                ["janus", "-F", str(self._folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        )
        deadline = time.monotonic() + 20
        while not self._answers():
            if time.monotonic() > deadline:
                self.__exit__(None, None, None)
                raise TimeoutError("Janus did not start")
            time.sleep(0.1)
        feed = [sys.executable, "-m", "bench.rtp_feed", str(self._source), str(self._ports[1])]
        self._processes.append(subprocess.Popen(feed))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/info", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _configure(self) -> None:
        http_port, rtp_port = self._ports
        home = next(Path(folder) for folder in _FOLDERS if Path(folder).is_dir())
        others = {
            kind: ",".join(path.name for path in (home / kind).glob("*.so*") if wanted not in path.name)
            for kind, wanted in (("plugins", "streaming"), ("transports", "libjanus_http"))
        }
        texts = {
            "janus.jcfg": f"""general: {{
  configs_folder = "{self._folder}"
  plugins_folder = "{home}/plugins"
  transports_folder = "{home}/transports"
  debug_level = 2
}}
plugins: {{ disable = "{others["plugins"]}" }}
transports: {{ disable = "{others["transports"]}" }}
""",
            "janus.transport.http.jcfg": f"""general: {{
  json = "compact"
  base_path = "/janus"
  http = true
  port = {http_port}
  ip = "127.0.0.1"
}}
""",
            "janus.plugin.streaming.jcfg": f"""bench: {{
  type = "rtp"
  id = 1
  media = ({{ type = "video", mid = "v", port = {rtp_port}, pt = 96, codec = "h264",
    fmtp = "profile-level-id=42e01f;packetization-mode=1" }})
}}
""",
        }
        for name, text in texts.items():
            (self._folder / name).write_text(text)
