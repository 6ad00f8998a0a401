"""The dashboard in headless Chromium with 200 metrics at 10 Hz: its load, and what it costs to follow.

CPU is what all of the browser's processes took (renderer, compositing without a GPU, network), by
Chromium's own account. A long task holds the page's main thread for over 50 ms (W3C Long Tasks): on a
machine that others use too that says as much of them, so the CPU that the longest took stands beside it.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from playwright.sync_api import sync_playwright

from bench.dashboard_hub import DEVICES, HZ, METRICS
from bench.figure import Figure, percentile
from hub.web.parts import STATIC
from tests.e2e.browser import FLAGS, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

LOADS = 5
SETTLE_S = 8
FOLLOW_S = 20
FRAMES_S = 5
MARK = "outpost-bench"
SCREEN: ViewportSize = {"width": 1920, "height": 2160}
"""So high that all rows of all devices are in sight."""

WATCH = """
window.tasks = [];
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) tasks.push([task.startTime, task.duration]);
}).observe({type: 'longtask', buffered: true});
window.filled = new Promise((done) => {
  const look = () => {
    const value = document.querySelector('.readout .value')?.textContent ?? '';
    if (/\\d/.test(value)) requestAnimationFrame(() => done(performance.now()));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
});
window.frames_of = (seconds) => new Promise((done) => {
  const gaps = [], began = performance.now();
  let before = began;
  const next = (now) => {
    gaps.push(now - before);
    before = now;
    if (now - began < 1000 * seconds) requestAnimationFrame(next); else done(gaps.slice(1));
  };
  requestAnimationFrame(next);
});
"""
ASKED = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('.js')).map(e => e.name)"
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"


def measure() -> list[Figure]:
    """Return milliseconds, percents of one core and kilobytes."""
    with hub() as (url, claim), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        context = browser.new_context(viewport=SCREEN)
        context.add_init_script(WATCH)
        first = context.new_page()
        first.goto(claim)
        first.close()
        figures = _loads(browser, context, url)
        figures += _followed(browser, context, url, "overview", "/")
        figures += _followed(browser, context, url, "device page", "/devices/bench-00")
        browser.close()
    return figures


@contextmanager
def hub() -> Iterator[tuple[str, str]]:
    """Run the bench's hub at pace; yield its address and the link that logs in."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.dashboard_hub"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        said: dict[str, str] = msgspec.json.decode(child.stdout.readline())
        child.stdin.write(f"{HZ}\n")
        child.stdin.flush()
        yield said["url"], said["claim"]
    finally:
        child.stdin.close()
        child.wait(20)


def _loads(browser: Browser, context: BrowserContext, url: str) -> list[Figure]:
    painted, filled, worst = [], [], []
    for _ in range(LOADS):
        page = _opened(context, url, "/")
        painted.append(float(page.evaluate(PAINTED)))
        filled.append(float(page.evaluate("filled")))
        worst.append(max((length for _, length in page.evaluate("tasks")), default=0.0))
        scripts = page.evaluate(ASKED)
        page.close()
    page = context.new_page()
    with _traced(browser, page) as tasks:
        page.goto(url)
        page.wait_for_timeout(SETTLE_S * 1000)
    page.close()
    size = sum(len(gzip.compress((STATIC / "assets" / Path(name).name).read_bytes(), 9)) for name in scripts)
    return [
        Figure(what="first load, first paint, median", value=percentile(painted, 0.5), unit="ms"),
        Figure(
            what="first load, first values, median", value=percentile(filled, 0.5), unit="ms", target=1000
        ),
        Figure(what="first load, longest task of each, median", value=percentile(worst, 0.5), unit="ms"),
        Figure(what="first load, longest task, worst", value=max(worst), unit="ms", target=50),
        Figure(what="first load, CPU of the longest task", value=max(tasks), unit="ms"),
        Figure(what="first load, JavaScript gzipped", value=size / 1000, unit="kB", target=120),
    ]


@contextmanager
def _traced(browser: Browser, page: Page) -> Iterator[list[float]]:
    """Trace what happens inside; the list then holds the CPU (ms) of each task of the page's main thread."""
    browser.start_tracing(page=page, categories=["toplevel", "blink.user_timing"])
    tasks: list[float] = []
    yield tasks
    # The browser has pages of its own beside this one, each in a process: this one tells which is its thread.
    page.evaluate(f"performance.mark('{MARK}')")
    events = msgspec.json.decode(browser.stop_tracing())["traceEvents"]
    mains = {(event["pid"], event["tid"]) for event in events if event["name"] == MARK}
    assert mains, "the trace does not say which thread is the page's"
    tasks += [
        event.get("tdur", 0) / 1000
        for event in events
        if event["name"].endswith("RunTask") and (event["pid"], event["tid"]) in mains
    ]


def _opened(context: BrowserContext, url: str, path: str) -> Page:
    """Return a page that has filled and come to rest."""
    page = context.new_page()
    page.goto(url + path)
    page.evaluate("filled")
    page.wait_for_timeout(SETTLE_S * 1000)
    return page


def _followed(browser: Browser, context: BrowserContext, url: str, name: str, path: str) -> list[Figure]:
    page = _opened(context, url, path)
    shown = int(page.evaluate("document.querySelectorAll('[data-metric]').length"))
    expected = DEVICES * METRICS if path == "/" else METRICS
    assert shown == expected, f"{shown} metrics are on screen, not {expected}"
    page.evaluate("tasks.length = 0")
    before = _cpu_s(browser)
    page.wait_for_timeout(FOLLOW_S * 1000)
    after = _cpu_s(browser)
    took = {kind: after[kind] - spent for kind, spent in before.items()}
    # Apart: to count frames is to ask for each, also for those in which nothing moves.
    gaps = [float(gap) for gap in page.evaluate(f"frames_of({FRAMES_S})")]
    worst = max((length for _, length in page.evaluate("tasks")), default=0.0)
    with _traced(browser, page) as cpu:
        page.wait_for_timeout(FRAMES_S * 1000)
    page.close()
    what = f"{name}, {expected} metrics at {HZ} Hz"
    return [
        Figure(what=f"{what}, CPU", value=100 * sum(took.values()) / FOLLOW_S, unit="%", target=30),
        Figure(what=f"{what}, of it renderer", value=100 * took.get("renderer", 0.0) / FOLLOW_S, unit="%"),
        Figure(what=f"{what}, longest task", value=worst, unit="ms", target=50),
        Figure(what=f"{what}, CPU of the longest", value=max(cpu), unit="ms"),
        Figure(what=f"{what}, frame to frame, p99", value=percentile(gaps, 0.99), unit="ms"),
        Figure(
            what=f"{what}, frames that took two",
            value=float(sum(gap > 25 for gap in gaps)),
            unit="",
            target=0,
        ),
    ]


def _cpu_s(browser: Browser) -> dict[str, float]:
    """Return seconds of CPU since the start, by kind of process."""
    session: Any = browser.new_browser_cdp_session()
    found: dict[str, float] = {}
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        found[process["type"]] = found.get(process["type"], 0.0) + process["cpuTime"]
    session.detach()
    return found
