"""Take README's picture anew: a demo hub, its dashboard in Chromium, after some minutes of history.

Usage: python scripts/screenshot.py [--minutes N]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from hil.hub import HubProcess
from tests.e2e.browser import FLAGS, chromium

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SIZE = {"width": 1280, "height": 800}


def main() -> None:
    """Start a demo, wait, and take the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5, help="how long the demo runs first (default: 5)")
    minutes = parser.parse_args().minutes
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        HubProcess(Path(data) / "data", "--demo") as hub,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(viewport=SIZE, color_scheme="dark")
        page.goto(hub.claim_url)
        print(f"the demo runs for {minutes:g} min first")
        time.sleep(minutes * 60)
        page.reload()
        page.wait_for_selector('footer.status[data-state="live"]')
        page.wait_for_timeout(4000)
        page.screenshot(path=IMAGES / "overview.png")
        browser.close()
    print(f"wrote {IMAGES / 'overview.png'}")


if __name__ == "__main__":
    main()
