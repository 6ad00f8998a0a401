"""The handover from a thread to the loop keeps order and is bounded."""

from __future__ import annotations

import asyncio
import threading

from hub.links.handover import Handover


def put_all(handover: Handover[int], count: int) -> None:
    for n in range(count):
        handover.put(n)


async def test_the_handover_keeps_order_and_makes_a_fast_thread_wait() -> None:
    taken: list[int] = []
    handover = Handover[int](asyncio.get_running_loop(), taken.extend)
    thread = threading.Thread(target=put_all, args=(handover, 30_000))
    thread.start()
    # The loop is held here: the thread must stop by itself at the bound.
    thread.join(0.3)
    assert thread.is_alive()
    assert taken == []
    async with asyncio.timeout(30):
        while len(taken) < 30_000:
            await asyncio.sleep(0)
    thread.join()
    assert taken == list(range(30_000))


async def test_a_closed_handover_lets_a_waiting_thread_go() -> None:
    handover = Handover[int](asyncio.get_running_loop(), lambda _items: None)
    thread = threading.Thread(target=put_all, args=(handover, 10_001))
    thread.start()
    thread.join(0.2)
    handover.close()
    thread.join(10)
    assert not thread.is_alive()
