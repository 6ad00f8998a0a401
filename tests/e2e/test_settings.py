"""People and programs by hand in the dashboard's Settings: on a real hub, by an admin and by a viewer."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.dashboard_page import (
    BOARD,
    LOOKS,
    REASON,
    SHIFTS,
    answer_broken,
    answer_nothing,
    check_look,
    live,
    log_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page

    from tests.e2e.conftest import Rig, Watched

pytestmark = pytest.mark.e2e

FIRST, SECOND = "a long enough secret", "another one as long"
LISTS = ("users", "tokens", "sessions", "security/events*")


def opened(watched: Watched) -> Page:
    page = watched.page
    page.goto("/settings")
    live(page)
    expect(page.get_by_role("heading", name="Security log")).to_be_visible()
    return page


def panel(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True)


def entry(where: Locator, name: str) -> Locator:
    return where.get_by_role("listitem").filter(has=where.page.get_by_text(name, exact=True))


@contextmanager
def logged_in(rig: Rig, browser: Browser, name: str, password: str) -> Iterator[Page]:
    context = browser.new_context(base_url=rig.hub.url)
    page = context.new_page()
    page.goto("/settings")
    log_in(page, name, password)
    yield page
    context.close()


def test_a_user_is_added_changed_and_removed_and_the_log_tells(watched: Watched) -> None:
    page = opened(watched)
    users, log = panel(page, "Users"), panel(page, "Security log")
    users.get_by_role("button", name="Add user").press("Enter")
    expect(users.get_by_label("Name")).to_be_focused()
    users.get_by_label("Name").fill("nora")
    users.get_by_label("Password").fill("short")
    users.get_by_role("button", name="Add", exact=True).click()
    password = users.get_by_label("Password")
    expect(password).to_have_attribute("aria-invalid", "true")
    expect(password).to_be_focused()
    expect(users.get_by_text("12 to 256 characters")).to_be_visible()
    password.fill(FIRST)
    password.press("Enter")
    expect(users.get_by_role("status")).to_have_text("nora is added.")
    nora = entry(users, "nora")
    expect(nora).to_contain_text("Viewer")
    nora.get_by_role("button", name="Change nora").click()
    nora.get_by_label("Role").select_option("operator")
    nora.get_by_role("button", name="Save").click()
    expect(nora).to_contain_text("Operator")
    expect(log).to_contain_text("nora: operator")
    nora.get_by_role("button", name="Change nora").click()
    nora.get_by_role("button", name="Remove nora").click()
    expect(nora.get_by_role("group").get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(nora.get_by_role("button", name="Remove nora")).to_be_focused()
    nora.get_by_role("button", name="Remove nora").click()
    nora.get_by_role("button", name="Yes, remove").click()
    expect(users.get_by_role("status")).to_have_text("nora is removed.")
    expect(nora).to_have_count(0)
    assert [error for error in watched.errors if "400" not in error] == []


def test_a_token_is_shown_once_works_and_is_revoked(rig: Rig, watched: Watched) -> None:
    page = watched.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(watched)
    tokens = panel(page, "API tokens")
    tokens.get_by_role("button", name="New token").click()
    tokens.get_by_label("Name").fill("probe")
    tokens.get_by_label("Devices and cameras").fill("shed-*, front")
    tokens.get_by_label("Tags").fill("lab")
    tokens.get_by_role("button", name="Create").click()
    secret = tokens.get_by_label("The token of probe")
    plain = secret.input_value()
    tokens.get_by_role("button", name="Copy").click()
    expect(tokens.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == plain
    assert status(rig, plain) == 200
    tokens.get_by_role("button", name="Done").click()
    expect(secret).to_have_count(0)
    page.reload()
    probe = entry(tokens, "probe")
    expect(probe).to_contain_text("last used")
    expect(probe).to_contain_text("for shed-*, front, tag lab only")
    assert plain not in page.content()
    probe.get_by_role("button", name="Revoke probe").click()
    probe.get_by_role("button", name="Yes, revoke").click()
    expect(probe).to_have_count(0)
    assert status(rig, plain) == 401
    assert watched.errors == []


def status(rig: Rig, token: str) -> int:
    request = urllib.request.Request(
        f"{rig.hub.url}/api/v1/session", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_viewer_sees_the_own_alone_and_a_new_password_ends_the_other_session(
    rig: Rig, browser: Browser
) -> None:
    rig.api.post("users", {"name": "ulla", "role": "viewer", "password": FIRST})
    with logged_in(rig, browser, "ulla", FIRST) as there, logged_in(rig, browser, "ulla", FIRST) as here:
        sessions, own = panel(here, "Sessions"), panel(here, "Your password")
        expect(sessions.get_by_role("listitem")).to_have_count(2)
        expect(sessions.get_by_text("this browser")).to_have_count(1)
        for title in ("Users", "API tokens", "Security log"):
            expect(panel(here, title)).to_have_count(0)
        own.get_by_label("Current password").fill("not this one")
        own.get_by_label("New password", exact=True).fill(SECOND)
        own.get_by_label("New password again").fill(SECOND)
        own.get_by_role("button", name="Change password").click()
        expect(own.get_by_label("Current password")).to_be_focused()
        expect(own.get_by_text("this is not the password")).to_be_visible()
        own.get_by_label("Current password").fill(FIRST)
        own.get_by_role("button", name="Change password").click()
        expect(own.get_by_role("status")).to_contain_text("Changed.")
        expect(sessions.get_by_role("listitem")).to_have_count(1)
        expect(there.get_by_role("heading", name="You are signed out")).to_be_visible()
        sessions.get_by_role("button", name="Log out").click()
        sessions.get_by_role("button", name="Yes, log out").click()
        expect(here.get_by_role("heading", name="You are signed out")).to_be_visible()


def test_the_log_is_filtered_and_goes_on_with_older_ones(watched: Watched) -> None:
    page = opened(watched)
    page.evaluate("""async () => {
        const body = JSON.stringify({ name: 'page', role: 'viewer' });
        const headers = { 'content-type': 'application/json' };
        for (let number = 0; number < 51; number += 1) {
            await fetch('/api/v1/tokens', { method: 'POST', headers, body });
            await fetch('/api/v1/tokens/page', { method: 'DELETE' });
        }
    }""")
    log = panel(page, "Security log")
    log.get_by_label("Show").select_option("Token made")
    lines = log.get_by_role("row").filter(has_text="page (viewer)")
    expect(lines).to_have_count(50)
    log.get_by_role("button", name="Older events").click()
    expect(lines).to_have_count(51)
    expect(log.get_by_role("cell", name="Token revoked")).to_have_count(0)


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_the_page_reads_well_with_data_forms_and_questions_open(
    watched: Watched, width: int, theme: str
) -> None:
    page = watched.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="light" if theme == "light" else "dark")
    page.add_init_script(SHIFTS)
    opened(watched)
    page.wait_for_timeout(300)
    assert page.evaluate("window.shifts") < 0.02
    page.get_by_role("button", name="New token").click()
    page.get_by_label("Name").fill(f"look-{width}")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_label(f"The token of look-{width}")).to_be_visible()
    page.get_by_role("button", name="Add user").click()
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name=f"Revoke look-{width}").click()
    check_look(page)
    assert watched.errors == []


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_the_page_says_what_is_empty_and_what_cannot_be_read(
    watched: Watched, width: int, theme: str
) -> None:
    page = watched.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="light" if theme == "light" else "dark")
    for path in LISTS:
        page.route(f"**/api/v1/{path}", answer_nothing)
    opened(watched)
    expect(page.get_by_text("No program has a token yet")).to_be_visible()
    check_look(page)
    page.unroute_all()
    for path in LISTS:
        page.route(f"**/api/v1/{path}", answer_broken)
    page.reload()
    expect(page.get_by_role("alert").get_by_text(REASON)).to_have_count(5)
    check_look(page)
    page.unroute_all()
    panel(page, "Sessions").get_by_role("button", name="Try again").click()
    expect(panel(page, "Sessions").get_by_text("this browser")).to_be_visible()


def test_retention_is_changed_after_what_would_go_was_seen_and_taken_back(rig: Rig, watched: Watched) -> None:
    page = opened(watched)
    keeping = panel(page, "Retention")
    expect(keeping.get_by_label("Samples").last).to_have_value("90d")
    expect(keeping.get_by_role("button", name="Save")).to_have_count(0)
    keeping.get_by_label("Samples").fill("soon")
    keeping.get_by_role("button", name="See what would go").click()
    expect(keeping.get_by_role("alert")).to_contain_text("`retention.raw`")
    keeping.get_by_label("Samples").fill("1y")
    keeping.get_by_role("button", name="Add a rule").click()
    rule = keeping.get_by_role("group", name="Rule 1")
    rule.get_by_label("Metric").fill("vib*")
    rule.get_by_label("Samples").fill("7d")
    keeping.get_by_role("button", name="See what would go").click()
    expect(keeping.get_by_text("Goes when they act")).to_be_visible()
    check_look(page)
    keeping.get_by_role("button", name="Save Retention").click()
    keeping.get_by_role("button", name="Yes, save").click()
    expect(keeping.get_by_role("status").first).to_contain_text("Saved.")
    assert rig.api.get("retention/rules")["rules"]["rule"][0]["metric"] == "vib*"
    page.reload()
    expect(keeping.get_by_label("Samples").last).to_have_value("1y")
    keeping.get_by_role("button", name="Back to the file's").click()
    keeping.get_by_role("button", name="Yes, back").click()
    expect(keeping.get_by_label("Samples")).to_have_count(1)
    expect(keeping.get_by_label("Samples")).to_have_value("90d")
    assert rig.api.get("retention/rules")["configured"]
    assert [error for error in watched.errors if "400" not in error] == []


def test_units_and_zone_that_were_chosen_are_shown_everywhere_and_outlast_a_reload(watched: Watched) -> None:
    page = opened(watched)
    page.get_by_label("Temperature").select_option("°F")
    page.get_by_text("The hub's,").click()
    page.goto(f"/devices/{BOARD}")
    live(page)
    chart = page.locator('.panel.chart[data-metric="temperature"]')
    expect(chart.locator(".readout .unit")).to_have_text("°F")
    chart.locator(".readout").hover()
    expect(chart.locator(".readout")).to_have_attribute("title", re.compile(r"at the hub .*UTC"))
    page.goto("/rules")
    page.get_by_role("button", name="New rule").click()
    # Other devices of this hub may have a temperature in another unit.
    page.get_by_label("Device/metric").fill(f"{BOARD}/temperature")
    expect(page.get_by_label("Threshold (°F)")).to_have_value("86")
    page.reload()
    page.goto("/settings")
    expect(page.get_by_label("Temperature")).to_have_value("°F")
    assert watched.errors == []
