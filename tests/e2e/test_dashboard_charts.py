"""Charts in a real Chromium: compared, with their quality, under one crosshair, moved by hand, and saved."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import UIDS, Watched
from tests.e2e.dashboard_page import BOARD, live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page

    from tests.e2e.conftest import Rig

pytestmark = pytest.mark.e2e

STEERED = "Back to live"


def chart(page: Page, metric: str = "temperature") -> Locator:
    return page.locator(f'.panel.chart[data-metric="{metric}"]')


def opened(watched: Watched) -> Page:
    page = watched.page
    page.goto(f"/devices/{BOARD}")
    live(page)
    expect(chart(page).locator("canvas")).to_be_visible()
    expect(chart(page).locator(".veil")).to_have_count(0)
    return page


def compare(page: Page, choice: str) -> Locator:
    select = chart(page).get_by_role("combobox")
    select.focus()
    select.select_option(choice)
    return chart(page).get_by_role("list", name="Legend")


def test_the_charts_of_a_page_ask_for_their_history_in_one_call(watched: Watched) -> None:
    page = watched.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/samples?" in request.url else None)
    opened(watched)
    values = [url for url in asked if "agg=" not in url and "points=" in url]
    first = re.findall(r"metric=", values[0])
    assert len(first) > 3, values
    assert watched.errors == []


def test_another_devices_metric_is_compared_on_the_same_chart_and_outlasts_a_reload(watched: Watched) -> None:
    page = opened(watched)
    legend = compare(page, f"metric:{UIDS[1]}/temperature")
    expect(legend).to_contain_text("Board 2")
    expect(legend).to_contain_text("°C")
    page.reload()
    live(page)
    expect(legend).to_contain_text("Board 2")
    chart(page).get_by_role("button", name="Nothing").click()
    expect(chart(page).locator('[data-line="second"]')).to_have_count(0)
    assert watched.errors == []


def test_a_metric_of_another_unit_gets_an_axis_of_its_own(watched: Watched) -> None:
    page = opened(watched)
    axes = chart(page).locator(".u-axis")
    expect(axes).to_have_count(2)
    compare(page, f"metric:{BOARD}/sequence")
    expect(axes).to_have_count(3)
    assert watched.errors == []


def test_the_same_metric_earlier_is_asked_for_an_hour_back(watched: Watched) -> None:
    page = opened(watched)
    with page.expect_request(re.compile(r"/samples\?metric=[^&]*temperature&from=")) as asked:
        legend = compare(page, "earlier:3600000")
    expect(legend).to_contain_text("1 h earlier")
    found = re.search(r"from=(\d+)&to=(\d+)", asked.value.url)
    assert found is not None
    ago_ms = page.evaluate("Date.now()") - int(found[2])
    assert 3_000_000 < ago_ms < 3_700_000
    assert watched.errors == []


def test_what_is_not_good_is_named_in_the_legend_and_to_a_screen_reader(watched: Watched) -> None:
    page = watched.page
    now = page.evaluate("Date.now()")
    rows = [[now - at * 500, "uncertain", *["bad"] * 20] for at in range(600)]
    page.route("**/samples?*agg=quality*", lambda route: route.fulfill(json={"columns": [], "rows": rows}))
    opened(watched)
    marked = page.locator('.legend [data-line="uncertain"]')
    expect(marked.first).to_be_visible()
    expect(page.locator('.legend [data-line="bad"]').first).to_be_visible()
    panel = page.locator(".panel.chart").filter(has=marked).first
    panel.get_by_role("slider").focus()
    page.keyboard.press("End")
    page.keyboard.press("PageUp")
    expect(panel.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile("uncertain"))
    assert watched.errors == []


def test_a_span_too_long_for_marks_of_quality_says_so(watched: Watched) -> None:
    page = opened(watched)
    said = page.get_by_text("Quality is marked for up to 7 days.")
    page.locator(".choices").get_by_text("7 d", exact=True).click()
    expect(said).to_have_count(0)
    page.locator(".choices").get_by_text("30 d", exact=True).click()
    expect(said).to_be_visible()
    assert watched.errors == []


def test_the_crosshair_stands_on_all_charts_and_space_reads_them_out(watched: Watched) -> None:
    page = opened(watched)
    chart(page).get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    expect(chart(page).locator(".readout.past")).to_be_visible()
    expect(chart(page, "sequence").locator(".readout.past")).to_be_visible()
    page.keyboard.press("Space")
    said = page.locator("[data-crosshair]")
    expect(said).to_contain_text("Temperature")
    expect(said).to_contain_text("sequence", ignore_case=True)
    page.keyboard.press("Escape")
    expect(page.locator(".readout.past")).to_have_count(0)
    assert watched.errors == []


def test_control_and_the_wheel_zoom_about_the_pointer(watched: Watched) -> None:
    page = opened(watched)
    chart(page).locator(".u-over").hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    expect(page.get_by_role("button", name=STEERED)).to_be_visible()
    expect(page.locator('input[name="range"]:checked')).to_have_count(0)
    assert watched.errors == []


def test_shift_and_the_mouse_move_the_plot_and_past_now_it_is_live_again(watched: Watched) -> None:
    page = opened(watched)
    box = chart(page).locator(".u-over").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2

    def drag(by: float) -> None:
        page.keyboard.down("Shift")
        page.mouse.move(box["x"] + box["width"] * (0.5 - by / 2), middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * (0.5 + by / 2), middle, steps=4)
        page.mouse.up()
        page.keyboard.up("Shift")

    drag(0.5)
    expect(page.get_by_role("button", name=STEERED)).to_be_visible()
    drag(-0.8)
    expect(page.get_by_role("button", name=STEERED)).to_have_count(0)
    assert watched.errors == []


@pytest.fixture
def phone(rig: Rig, browser: Browser, storage: object) -> Iterator[Watched]:
    context = browser.new_context(
        storage_state=storage,  # type: ignore[arg-type]  # as the fixture of the cookies gives it
        base_url=rig.hub.url,
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
    )
    context.set_default_timeout(20_000)
    yield Watched(context.new_page())
    context.close()


def touch(page: Page, *steps: list[tuple[float, float]]) -> None:
    """Put fingers down at the first step's places, move them through the others, and lift them."""
    session = page.context.new_cdp_session(page)
    for number, fingers in enumerate(steps):
        kind = "touchMove" if number else "touchStart"
        points = [{"x": x, "y": y, "id": place} for place, (x, y) in enumerate(fingers)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def test_a_finger_moves_a_chart_and_two_zoom_it(phone: Watched) -> None:
    page = opened(phone)
    over = chart(page).locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    left, y, width = box["x"], box["y"] + box["height"] / 2, box["width"]
    touch(page, *([(left + width * part, y)] for part in (0.3, 0.4, 0.5, 0.6)))
    expect(page.get_by_role("button", name=STEERED)).to_be_visible()
    assert page.evaluate("visualViewport.scale") == 1
    page.get_by_role("button", name=STEERED).click()
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    touch(
        page,
        *(
            [(left + width * (0.5 - part), y), (left + width * (0.5 + part), y)]
            for part in (0.1, 0.2, 0.3, 0.4)
        ),
    )
    expect(page.get_by_role("button", name=STEERED)).to_be_visible()
    expect(page.locator('input[name="range"]:checked')).to_have_count(0)
    assert page.evaluate("visualViewport.scale") == 1
    assert phone.errors == []


def test_beside_its_own_past_a_chart_is_saved_with_both_times(watched: Watched) -> None:
    page = opened(watched)
    compare(page, "earlier:3600000")
    chart(page).hover()
    with page.expect_download() as csv:
        chart(page).get_by_role("link", name="CSV").click()
    lines = csv.value.path().read_text().splitlines()
    assert lines[0] == "time,min,max,mean,earlier_time,earlier_min,earlier_max,earlier_mean"
    assert len(lines) > 2


def test_what_is_compared_is_saved_side_by_side(watched: Watched) -> None:
    page = opened(watched)
    compare(page, f"metric:{UIDS[1]}/temperature")
    chart(page).hover()
    with page.expect_download() as csv:
        chart(page).get_by_role("link", name="CSV").click()
    head = csv.value.path().read_text().splitlines()[0]
    assert f"{BOARD}/temperature" in head
    assert f"{UIDS[1]}/temperature" in head


DRAWN_FROM = """(canvas) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, Math.floor(height * 0.8));
    let first = width;
    for (let at = 0; at < data.length; at += 4) {
        const [red, green, blue, alpha] = data.subarray(at, at + 4);
        // Of what is drawn a trace alone has a colour; the rest is grey.
        if (alpha > 128 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60)
            first = Math.min(first, (at / 4) % width);
    }
    return first / width;
}"""
"""Where a trace begins on a canvas, from 0 to 1; 1 where there is none."""


def test_what_has_no_neighbour_within_a_long_span_is_seen_all_the_same(rig: Rig, watched: Watched) -> None:
    page = opened(watched)
    page.locator(".choices").get_by_text("1 y", exact=True).click()
    canvas = chart(page).locator("canvas")
    rig.wait(lambda: 0.9 < canvas.evaluate(DRAWN_FROM) < 1)
