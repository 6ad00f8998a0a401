"""What people do on the dashboard: look for, arrange, zoom, ask twice before what cannot be undone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import UIDS, Watched
from tests.e2e.dashboard_page import BOARD, check_look, live

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Rig

pytestmark = pytest.mark.e2e

CUT = """[...document.querySelectorAll('.metric .name')]
    .filter((at) => at.scrollWidth > at.clientWidth).map((at) => at.textContent)"""


def panels(page: Page) -> Locator:
    return page.locator(".panel.device")


@pytest.mark.parametrize("width", [1280, 1440])
def test_no_metrics_name_is_cut_off(watched: Watched, width: int) -> None:
    page = watched.page
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/")
    live(page)
    expect(page.get_by_text("Load average (1 min)")).to_be_visible()
    assert page.evaluate(CUT) == []


def test_a_reboot_is_asked_about_and_can_be_cancelled(rig: Rig, watched: Watched) -> None:
    page = watched.page
    page.goto(f"/devices/{BOARD}")
    live(page)
    before = len(rig.api.get("commands")["items"])
    form = page.locator('form[data-command="reboot"]')
    form.get_by_role("button").click()
    cancel = form.get_by_role("button", name="Cancel")
    expect(cancel).to_be_focused()
    page.keyboard.press("Escape")
    expect(cancel).to_have_count(0)
    expect(form.get_by_role("button")).to_be_focused()
    expect(form.locator("output")).to_have_attribute("data-kind", "idle")
    assert len(rig.api.get("commands")["items"]) == before
    assert watched.errors == []


def test_a_slash_begins_a_search_and_escape_ends_it(watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    live(page)
    expect(panels(page).first).to_be_visible()
    whole = panels(page).count()
    page.keyboard.press("/")
    page.keyboard.type("board sequence")
    expect(page.locator(".metric")).to_have_count(len(UIDS))
    expect(panels(page)).to_have_count(len(UIDS))
    page.keyboard.press("Escape")
    expect(panels(page)).to_have_count(whole)


def test_keys_lead_to_pages_and_a_question_mark_shows_them(watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    live(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    check_look(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page.get_by_role("heading", name="Health", exact=True)).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", name="Overview")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("g?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Escape")
    page.reload()
    live(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    assert watched.errors == []


def test_an_arrangement_by_keyboard_outlasts_a_reload(watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    live(page)
    expect(panels(page).nth(1)).to_be_visible()
    second = panels(page).nth(1).get_attribute("data-device")
    assert second is not None
    link = panels(page).nth(1).get_by_role("link")
    link.focus()
    page.keyboard.press("Alt+ArrowLeft")
    expect(panels(page).first).to_have_attribute("data-device", second)
    expect(panels(page).first.get_by_role("link")).to_be_focused()
    page.get_by_role("button", name="Compact").click()
    page.reload()
    live(page)
    expect(panels(page).first).to_have_attribute("data-device", second)
    expect(page.get_by_role("button", name="Compact")).to_have_attribute("aria-pressed", "true")


def test_a_panel_is_dragged_to_another_place(watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    live(page)
    moving = page.locator(f'[data-device="{UIDS[1]}"] > header')
    target = panels(page).first
    assert target.get_attribute("data-device") != UIDS[1]
    moving.drag_to(target)
    expect(panels(page).first).to_have_attribute("data-device", UIDS[1])


def chart(page: Page) -> Locator:
    return page.locator('.panel.chart[data-metric="temperature"]')


def test_dragging_across_a_chart_zooms_all_of_them_and_a_double_click_leads_back(watched: Watched) -> None:
    page = watched.page
    page.goto(f"/devices/{BOARD}")
    live(page)
    plot = chart(page).locator(".u-over")
    box = plot.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.4, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, middle, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="Back to live")).to_be_visible()
    expect(page.locator('input[name="range"]:checked')).to_have_count(0)
    plot.dblclick()
    expect(page.get_by_role("button", name="Back to live")).to_have_count(0)
    assert watched.errors == []


def test_a_chart_is_read_and_steered_by_keyboard(watched: Watched) -> None:
    page = watched.page
    page.goto(f"/devices/{BOARD}")
    live(page)
    slider = chart(page).get_by_role("slider")
    expect(chart(page).locator("canvas")).to_be_visible()
    expect(chart(page).locator(".veil")).to_have_count(0)
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(chart(page).locator(".readout.past")).to_be_visible()
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r": \S+ °C"))
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.get_by_role("button", name="Back to live")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Back to live")).to_have_count(0)
    assert watched.errors == []


def test_any_from_and_to_can_be_asked_for_and_nonsense_is_named(watched: Watched) -> None:
    page = watched.page
    page.goto(f"/devices/{BOARD}")
    live(page)
    page.get_by_role("button", name="From, to").click()
    page.get_by_label("From", exact=True).fill("2020-01-01T00:00:00")
    page.get_by_label("To", exact=True).fill("2019-01-01T00:00:00")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".from-to").get_by_role("alert")).to_be_visible()
    page.get_by_label("To", exact=True).fill("2023-01-01T00:00:00")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("button", name="Back to live")).to_be_visible()
    expect(chart(page).get_by_text("No samples in this range")).to_be_visible()
    assert watched.errors == []


def test_what_a_chart_shows_is_saved_as_csv_and_as_a_picture(watched: Watched) -> None:
    page = watched.page
    page.goto(f"/devices/{BOARD}")
    live(page)
    expect(chart(page).locator("canvas")).to_be_visible()
    chart(page).hover()
    with page.expect_download() as csv:
        chart(page).get_by_role("link", name="CSV").click()
    lines = csv.value.path().read_text().splitlines()
    assert lines[0].startswith("time,value,quality")
    assert csv.value.suggested_filename == f"{BOARD}-temperature.csv"
    with page.expect_download() as png:
        chart(page).get_by_role("button", name="PNG").click()
    assert png.value.path().read_bytes().startswith(b"\x89PNG")
    assert watched.errors == []


def test_a_theme_that_was_chosen_outlasts_a_reload_and_the_system(watched: Watched) -> None:
    page = watched.page
    page.emulate_media(color_scheme="light")
    page.goto("/settings")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_text("Dark", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.get_by_label("Dark", exact=True)).to_be_checked()
    assert page.evaluate(ground) != light
    assert watched.errors == []


def test_on_the_wall_there_are_values_and_no_navigation(watched: Watched) -> None:
    page = watched.page
    page.goto("/wall")
    live(page)
    expect(panels(page).first).to_be_visible()
    expect(page.get_by_role("navigation")).to_have_count(0)
    expect(page.get_by_role("searchbox")).to_have_count(0)
    assert watched.errors == []


def test_the_dashboard_can_be_installed(rig: Rig, watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    session = page.context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"] == f"{rig.hub.url}/manifest.webmanifest"
    for icon in ("icon.svg", "icon-192.png", "icon-512.png"):
        answer = page.request.get(f"/{icon}")
        assert answer.ok
        assert answer.headers["content-type"].startswith("image/")


def test_a_devices_page_tells_its_last_commands_with_who_asked_and_what_came_of_it(watched: Watched) -> None:
    page = watched.page
    page.goto(f"/devices/{BOARD}")
    live(page)
    form = page.locator('form[data-command="led"]')
    form.get_by_text("blink", exact=True).click()
    form.get_by_role("button", name="Send").click()
    expect(form.locator("[data-state]")).to_have_attribute("data-state", "succeeded")
    last = page.get_by_role("region", name="Last commands").locator("tbody tr").first
    for column, told in {
        "Command": "led",
        "Parameters": "blink",
        "State": "Succeeded",
        "By": "admin",
    }.items():
        expect(last.locator(f'[data-label="{column}"]')).to_contain_text(told)
    expect(page.get_by_role("link", name="All commands")).to_have_attribute("href", "/commands")
    for width, scheme in ((1440, "dark"), (390, "light")):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 900})
        check_look(page)
    assert watched.errors == []
