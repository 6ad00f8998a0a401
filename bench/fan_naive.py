"""What one writes in an afternoon: aiohttp, a queue for each client. No rights, filters or replay."""

from __future__ import annotations

import asyncio

import msgspec
import uvloop
from aiohttp import web

from bench.fan_event import event, many_files, publish_on_command


async def serve() -> None:
    """Serve until stdin ends; publish what it asks for."""
    queues: set[asyncio.Queue[bytes]] = set()
    count = 0

    async def stream(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        queues.add(queue)
        try:
            while True:
                await answer.write(await queue.get())
        except ConnectionError:
            return answer
        finally:
            queues.discard(queue)

    def publish() -> None:
        nonlocal count
        count += 1
        content = event(count)
        for queue in queues:
            queue.put_nowait(content)

    app = web.Application()
    app.router.add_get("/", stream)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    print(
        msgspec.json.encode(
            {"url": url, "requests": ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"], "pid": 0}
        ).decode(),
        flush=True,
    )
    await publish_on_command(publish)
    await runner.cleanup()


if __name__ == "__main__":
    many_files()
    uvloop.run(serve())
