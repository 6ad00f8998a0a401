"""The dashboard without its hub and after it: what it keeps, how it heals."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.dashboard_page import BOARD, browsing, live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page, WebSocketRoute

    from tests.e2e.conftest import Rig, Watched

pytestmark = pytest.mark.e2e

KEPT_IN_BROWSER = """() => new Promise((resolve) => {
    const opening = indexedDB.open('outpost');
    opening.onsuccess = () => {
        const stores = opening.result.transaction(['seen', 'past']);
        const seen = stores.objectStore('seen').getAllKeys();
        const past = stores.objectStore('past').getAllKeys();
        stores.oncomplete = () => { opening.result.close(); resolve([seen.result, past.result]); };
    };
})"""
"""What is kept, by its keys: of the hub and whose it is; of charts metric and width of buckets."""
READ_TRACE = """(canvas) => {
    const probe = document.createElement('i');
    document.body.append(probe);
    const colours = ['--trace', '--faded', '--warn'].map((name) => {
        probe.style.color = `var(${name})`;
        return getComputedStyle(probe).color.match(/[0-9]+/g).map(Number);
    });
    probe.remove();
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
    const apart = (colour, at) =>
        [0, 1, 2].reduce((sum, of) => sum + Math.abs(colour[of] - data[at + of]), 0);
    const drawn = (at) => data[at + 3] > 200 && colours.some((colour) => apart(colour, at) < 60);
    let [first, last, empty, longest] = [-1, -1, 0, 0];
    for (let x = 0; x < width; x += 1) {
        let any = false;
        for (let y = 0; y < height && !any; y += 1) any = drawn((y * width + x) * 4);
        if (!any) { empty += 1; continue; }
        if (first < 0) first = x;
        else longest = Math.max(longest, empty);
        [last, empty] = [x, 0];
    }
    return { hole: longest / width, tail: (width - last) / width };
}"""
"""Of a trace, good, old or doubtful: the longest hole and what is behind its end, as parts of the width."""


def back(page: Page) -> None:
    """Wait until a page hears the hub again: it asks every 8 s at the least."""
    expect(page.locator("footer.status")).to_have_attribute("data-state", "live", timeout=60_000)


def test_without_a_network_the_dashboard_opens_with_what_it_last_saw_and_heals_by_itself(
    rig: Rig, browser: Browser, storage: Any
) -> None:
    with browsing(rig, browser, storage_state=storage) as page:
        page.goto("/")
        live(page)
        page.evaluate("navigator.serviceWorker.ready")
        page.reload()
        live(page)
        page.context.set_offline(True)
        page.goto(f"/devices/{BOARD}")
        expect(page.locator(".kept")).to_contain_text("last saw", timeout=20_000)
        value = page.locator('.panel.chart[data-metric="temperature"] .readout')
        expect(value).to_have_attribute("data-fresh", "stale")
        assert re.fullmatch(r"\d+\.\d\d", value.locator(".value").inner_text())
        page.evaluate("window.same = true")
        page.context.set_offline(False)
        back(page)
        expect(page.locator(".kept")).to_have_count(0)
        expect(value).to_have_attribute("data-fresh", "live")
        assert page.evaluate("window.same"), "it was reloaded"


def test_without_a_network_charts_show_what_was_last_seen_and_how_old_it_is(
    rig: Rig, browser: Browser, storage: Any
) -> None:
    with browsing(rig, browser, storage_state=storage) as page:
        page.goto(f"/devices/{BOARD}")
        live(page)
        page.evaluate("navigator.serviceWorker.ready")
        chart = page.locator('.panel.chart[data-metric="temperature"]')
        canvas = chart.locator("canvas")
        page.locator(".choices").get_by_text("1 min", exact=True).click()
        expect(canvas).to_be_visible()
        rig.wait(lambda: canvas.evaluate(READ_TRACE)["tail"] < AWAY)
        page.goto("/health")  # leaving a page is when it keeps what it saw
        live(page)
        page.context.set_offline(True)
        page.goto(f"/devices/{BOARD}")
        page.locator(".choices").get_by_text("1 min", exact=True).click()
        expect(chart.locator(".seen")).to_contain_text("Last seen at")
        # It stands where it was seen, not where the clock is by now.
        rig.wait(lambda: canvas.evaluate(READ_TRACE)["tail"] < AWAY)
        page.goto("/")
        # What is old is drawn faded.
        spark = page.locator(f'[data-device="{BOARD}"] .sheet [data-ink=trace][data-old=yes][d^=M]')
        expect(spark.first).to_be_attached()
        page.goto(f"/devices/{BOARD}")
        expect(chart.locator(".seen")).to_be_visible()
        page.context.set_offline(False)
        back(page)
        expect(page.locator(".seen")).to_have_count(0)
        expect(page.locator(".veil")).to_have_count(0)


FILL = """(count) => new Promise((resolve) => {
    const opening = indexedDB.open('outpost');
    opening.onsuccess = () => {
        const stores = opening.result.transaction('past', 'readwrite');
        const bytes = 30_000;
        for (let at = 0; at < count; at += 1) {
            const kept = { metric: `pond/${at}`, bucketMs: 1000, spanMs: 1e5, time: at, bytes, doubts: [] };
            stores.objectStore('past').put({ ...kept, buckets: new Float64Array(bytes / 8) });
        }
        stores.oncomplete = () => { opening.result.close(); resolve(); };
    };
})"""
"""Keep so many windows of 30 kB each, the last being the newest."""


def test_of_the_history_that_is_kept_the_oldest_goes_beyond_8_mib(
    rig: Rig, browser: Browser, storage: Any
) -> None:
    with browsing(rig, browser, storage_state=storage, service_workers="block") as page:
        page.goto("/settings")  # a page without a chart
        live(page)
        page.evaluate(FILL, 300)
        page.reload()
        ponds = f"({KEPT_IN_BROWSER})().then(([, past]) => past.map(([metric]) => metric))"
        page.wait_for_function(f"{ponds}.then((found) => !found.includes('pond/10'))")
        left = page.evaluate(f"({ponds})")
        assert len(left) == 8 * 2**20 // 30_000
        assert "pond/299" in left


def test_what_one_user_saw_is_not_there_for_the_next(rig: Rig, browser: Browser, storage: Any) -> None:
    with browsing(rig, browser, storage_state=storage) as page:
        page.goto(f"/devices/{BOARD}")
        live(page)
        page.goto("/health")
        page.wait_for_function(f"({KEPT_IN_BROWSER})().then(([, past]) => past.length > 10)")
        other = '{"name": "somebody else", "role": "viewer"}'
        page.route(
            "**/api/v1/session", lambda route: route.fulfill(content_type="application/json", body=other)
        )
        page.reload()
        page.wait_for_function(f"({KEPT_IN_BROWSER})().then(([, past]) => past.length === 0)")


def test_whoever_is_signed_out_leaves_nothing_in_the_browser(
    rig: Rig, browser: Browser, storage: Any
) -> None:
    with browsing(rig, browser, storage_state=storage, service_workers="block") as page:
        page.goto("/")
        live(page)
        page.wait_for_function(f"({KEPT_IN_BROWSER})().then(([seen]) => seen.length === 2)")
        page.goto(f"/devices/{BOARD}")  # leaving a page is when it keeps its charts
        live(page)
        page.wait_for_function(f"({KEPT_IN_BROWSER})().then(([, past]) => past.length > 10)")
        page.context.clear_cookies()
        page.reload()
        expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
        page.wait_for_function(f"({KEPT_IN_BROWSER})().then((kept) => kept.flat().length === 0)")


def test_the_worker_is_the_only_script_that_the_page_may_name(watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    live(page)
    refused = page.evaluate("""() => {
        const tries = {
            worker: () => new Worker('/assets/other.js'),
            policy: () => trustedTypes.createPolicy('other', { createScriptURL: (url) => url }),
            html: () => { document.body.innerHTML = '<b>x</b>'; },
        };
        return Object.entries(tries).filter(([, run]) => {
            try { run(); return false; } catch { return true; }
        }).map(([name]) => name);
    }""")
    assert refused == ["worker", "policy", "html"]


def test_after_the_hub_was_upgraded_a_display_reloads_and_another_page_says_so(
    rig: Rig, watched: Watched
) -> None:
    page = watched.page
    display = page.context.new_page()
    for at, path in ((page, "/"), (display, "/wall")):
        at.goto(path)
        live(at)
        at.evaluate("window.same = true")
    newer = '<script type="module" src="/assets/index-newer.js"></script>'
    page.context.route(rig.hub.url + "/", lambda route: route.fulfill(content_type="text/html", body=newer))
    rig.hub.kill()
    with display.expect_event("load", timeout=90_000):
        rig.hub.start()
    expect(page.get_by_text("The hub has a newer dashboard")).to_be_visible(timeout=60_000)
    back(display)
    assert page.evaluate("window.same"), "what somebody works on was reloaded"


def test_a_hub_that_restarts_under_an_open_page_leaves_no_hole_in_the_chart(
    rig: Rig, watched: Watched
) -> None:
    page = watched.page
    page.goto(f"/devices/{BOARD}")
    live(page)
    page.locator(".choices").get_by_text("1 min", exact=True).click()
    chart = page.locator('.panel.chart[data-metric="sequence"]')
    canvas = chart.locator("canvas")
    expect(canvas).to_be_visible()
    expect(chart.locator(".veil")).to_have_count(0)
    page.evaluate("window.same = true")
    rig.hub.kill()
    # Away for longer than a chart draws a line across.
    rig.wait(lambda: canvas.evaluate(READ_TRACE)["tail"] > AWAY, timeout_s=60)
    rig.hub.start()
    back(page)
    rig.wait(lambda: healed(canvas.evaluate(READ_TRACE)), timeout_s=60)
    assert page.evaluate("window.same"), "it was reloaded"


AWAY = 10 / 60
"""Of a chart over a minute: ten seconds."""


def healed(trace: dict[str, float]) -> bool:
    """Tell whether a trace reaches to the present without a hole as long as half of what the hub was away."""
    return trace["tail"] < AWAY / 2 and trace["hole"] < AWAY / 2


@contextmanager
def unanswered(page: Page) -> Iterator[tuple[Locator, list[str | bytes], list[WebSocketRoute]]]:
    """Send a command whose answers are held back: its form, what the hub said, and the way to the page."""
    held: list[str | bytes] = []
    routes: list[WebSocketRoute] = []

    def keep(message: str | bytes) -> None:
        held.append(message)

    def hold_back(route: WebSocketRoute) -> None:
        routes.append(route)
        route.connect_to_server().on_message(keep)

    page.route_web_socket(re.compile("/api/v1/control"), hold_back)
    page.goto(f"/devices/{BOARD}")
    live(page)
    form = page.locator('form[data-command="led"]')
    form.get_by_text("on", exact=True).click()
    form.get_by_role("button", name="Send").click()
    expect(form.locator("output")).to_have_attribute("data-kind", "pending")
    yield form, held, routes


def test_a_control_shows_that_it_waits_until_the_device_has_answered(rig: Rig, watched: Watched) -> None:
    page = watched.page
    with unanswered(page) as (form, held, routes):
        expect(form.locator("output")).to_contain_text("Waiting for the device")
        while not any('"succeeded"' in str(message) for message in held):
            page.wait_for_timeout(50)  # it is here that messages come in; the test's own timeout ends it
        expect(form.locator("output")).to_have_attribute("data-kind", "pending")
        for message in held:
            routes[0].send(message)
        expect(form.locator("[data-state]")).to_have_attribute("data-state", "succeeded")
    assert watched.errors == []


MOVING = "document.getAnimations().filter((one) => one.playState === 'running').length"


def test_nothing_turns_for_who_wants_less_motion(watched: Watched) -> None:
    page = watched.page
    page.emulate_media(reduced_motion="no-preference")
    with unanswered(page):
        page.wait_for_function(f"{MOVING} > 0")
        page.emulate_media(reduced_motion="reduce")
        page.wait_for_function(f"{MOVING} === 0")
