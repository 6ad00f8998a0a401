"""Line protocol at a steady rate into a server, from a process of its own.

line_feed.py URL PATH RATE      posts RATE samples a second, twenty times a second, until its stdin ends; then
                                prints how many a second they were.
"""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from bench.fed_store import START_MS
from bench.http_client import HttpClient

if TYPE_CHECKING:
    from collections.abc import Iterator

_POSTS_PER_S = 20


def run(url: str, path: str, rate: int) -> None:
    """Post until stdin ends."""
    began, posts, series = time.monotonic(), 0, rate // _POSTS_PER_S
    with HttpClient(url) as client:
        while sys.stdin not in select.select([sys.stdin], [], [], _until(began, posts))[0]:
            lines = (
                f"s,device=other-{number} temperature={posts % 50} {START_MS + posts}"
                for number in range(series)
            )
            client.post(path, "\n".join(lines).encode())
            posts += 1
    print(posts * series / (time.monotonic() - began), flush=True)


def _until(began: float, posts: int) -> float:
    return max(0.0, began + posts / _POSTS_PER_S - time.monotonic())


@contextlib.contextmanager
def fed(url: str, path: str, rate: int) -> Iterator[list[float]]:
    """Feed a server until the end of the block; then the list has how many samples a second came."""
    arguments = [sys.executable, "-m", "bench.line_feed", url, path, str(rate)]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    reached: list[float] = []
    try:
        yield reached
    finally:
        said, _ = process.communicate(timeout=30)
        if said:
            reached.append(float(said))


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
