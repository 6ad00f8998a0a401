"""Many tabs of one browser: HTTP/1.1 has six connections to a host, and every tab is live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.dashboard_page import BOARD, live

if TYPE_CHECKING:
    from typing import Any

    from tests.e2e.conftest import Rig

pytestmark = pytest.mark.e2e

TABS = 20


def moves(page: Page) -> None:
    """Wait until the board's fastest metric changes on the page."""
    row = page.locator(f'[data-device="{BOARD}"] [data-metric="vibration"] .value')
    expect(row).to_be_visible()
    expect(row).not_to_have_text(row.inner_text())


def test_twenty_tabs_are_live_over_one_stream_also_when_the_first_is_closed(
    rig: Rig, browser: Browser, storage: Any
) -> None:
    def streams() -> int:
        return int(rig.api.get("hub")["health"]["streams"])

    rig.wait(lambda: streams() == 0)
    context = browser.new_context(storage_state=storage, base_url=rig.hub.url)
    context.set_default_timeout(60_000)
    pages = [context.new_page() for _ in range(TABS)]
    for page in pages:
        page.goto("/")
    for page in pages:
        live(page)
        moves(page)
    assert streams() == 1
    pages[0].close()
    for page in pages[1:]:
        live(page)
        moves(page)
    assert streams() == 1
    context.close()
