"""Nchan (nginx) with one worker, and its publisher: a POST for each event over one connection."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import psutil

from bench.fan_event import event, many_files, publish_on_command

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")

CONFIG = """
load_module {module};
daemon off; worker_processes 1; worker_rlimit_nofile 65536; pid {folder}/pid; error_log {folder}/error warn;
{user}
events {{ worker_connections 20000; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  nchan_shared_memory_size 64m;
  keepalive_requests 100000000;
  server {{
    listen 127.0.0.1:{port};
    location = /sub {{
      nchan_subscriber eventsource; nchan_channel_id bench; nchan_subscriber_first_message newest;
    }}
    location = /pub {{
      nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 100; nchan_message_timeout 10s;
    }}
  }}
}}
"""


def missing() -> str | None:
    """Return what to install, None where all is there."""
    if shutil.which("nginx") is None or not MODULE.exists():
        return "Nchan is not here: apt-get install nginx-light libnginx-mod-nchan"
    return None


def serve(folder: Path) -> None:
    """Run nginx until stdin ends; publish what it asks for."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "nginx.conf"
    user = "user root;" if Path("/proc/self").owner() == "root" else ""
    config.write_text(CONFIG.format(module=MODULE, folder=folder, port=port, user=user))
    with subprocess.Popen(["nginx", "-c", str(config), "-e", str(folder / "error")]) as nginx:
        try:
            asyncio.run(_publish(port, nginx.pid))
        finally:
            nginx.terminate()


async def _publish(port: int, master: int) -> None:
    reader, writer = await _connect(port)
    answers = asyncio.create_task(_discard(reader))
    said = {
        "url": f"http://127.0.0.1:{port}",
        "requests": ["GET /sub HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"],
        "pid": await _worker(master),
    }
    print(msgspec.json.encode(said).decode(), flush=True)
    count = 0

    def publish() -> None:
        nonlocal count
        count += 1
        # Nchan makes id and event lines itself; the data are the same.
        data = event(count).split(b"data: ", 1)[1].strip()
        head = (
            "POST /pub HTTP/1.1\r\nHost: localhost\r\nX-EventSource-Event: samples\r\n"
            f"Content-Length: {len(data)}\r\n\r\n"
        )
        writer.write(head.encode() + data)

    await publish_on_command(publish)
    answers.cancel()


async def _worker(master: int) -> int:
    """Return nginx's one worker, which its master starts after it has bound the port."""
    deadline = time.monotonic() + 10
    while True:
        found = psutil.Process(master).children()
        if found or time.monotonic() > deadline:
            return found[0].pid
        await asyncio.sleep(0.05)


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    deadline = time.monotonic() + 10
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
        else:
            return reader, writer


async def _discard(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 16):
        pass


if __name__ == "__main__":
    many_files()
    with tempfile.TemporaryDirectory(prefix="outpost-bench-") as name:
        serve(Path(name))
    sys.exit(0)
