"""Where one comes in: the login, the page of a dead link, the door of a wall display. In every look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.dashboard_page import AXE
from tests.e2e.page_walk import Walk, walk_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.e2e.conftest import Rig

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def stranger(rig: Rig, browser: Browser) -> Iterator[Walk]:
    with walk_in(rig, browser, None, "block") as walk:
        yield walk


def at(walk: Walk, path: str, heading: str) -> None:
    walk.page.set_viewport_size({"width": 1440, "height": 900})
    walk.page.goto(path)
    expect(walk.page.get_by_role("heading", name=heading)).to_be_visible()
    walk.page.evaluate(AXE.read_text())


def test_a_link_that_is_dead_says_why_and_leads_to_the_login(stranger: Walk) -> None:
    at(stranger, "/claim?code=not-this-one", "This link does not work")
    expect(stranger.page.locator("code")).to_have_text("outpost link")
    assert stranger.look("doors", "claim") == []
    stranger.page.get_by_role("link", name="Log in").click()
    expect(stranger.page.get_by_role("button", name="Log in")).to_be_visible()
    assert stranger.errors() == []


def test_the_login_is_sound_and_so_is_its_refusal(stranger: Walk) -> None:
    at(stranger, "/", "You are signed out")
    assert stranger.look("doors", "login") == []
    stranger.page.get_by_label("Name", exact=True).fill("nobody")
    stranger.page.get_by_label("Password").fill("something long enough")
    stranger.page.keyboard.press("Enter")
    expect(stranger.page.locator("form output")).to_contain_text("wrong name or password")
    assert stranger.look("doors", "login-refused") == []
    assert stranger.errors() == []


def test_the_door_of_a_wall_display_is_sound_and_so_is_its_refusal(stranger: Walk) -> None:
    at(stranger, "/wall", "This display is not let in")
    assert stranger.look("doors", "wall") == []
    stranger.page.set_viewport_size({"width": 390, "height": 844})
    expect(stranger.page.get_by_role("button", name="Let in")).to_be_in_viewport(ratio=1)
    stranger.page.get_by_label("Token").fill("no such token")
    stranger.page.keyboard.press("Enter")
    expect(stranger.page.locator("form output")).to_contain_text("does not know this token")
    assert stranger.look("doors", "wall-refused") == []
    assert stranger.errors() == []
