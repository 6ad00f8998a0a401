"""The dashboard over the hub's own HTTPS, in Chromium.

The page does not check the certificate: Chromium takes authorities from the user's NSS database alone. That
it verifies is shown with OpenSSL, and by a client that trusts the authority, in tests/test_tls.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect

from hil.hub import HubProcess

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e


def test_over_https_the_page_is_live_and_its_cookie_secure(tmp_path: Path, browser: Browser) -> None:
    with HubProcess(tmp_path / "data", "--tls", config="[mqtt]\nenabled = false\n") as hub:
        context = browser.new_context(ignore_https_errors=True)
        try:
            page = context.new_page()
            errors: list[str] = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(hub.claim_url)
            expect(page.get_by_text("Live", exact=True).first).to_be_visible()
            page.get_by_role("link", name=re.compile("Commands")).first.click()
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            assert page.url.startswith("https://")
            assert [cookie["secure"] for cookie in context.cookies()] == [True]
            assert errors == []
        finally:
            context.close()
