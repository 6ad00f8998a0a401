"""What a board or a user may name cannot become a script: sixty payloads, every page, in Chromium."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Dialog, expect

from hil.hub import HubProcess
from tests.e2e.api import Api
from tests.pty_board import PtyBoard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

UID = "e66141d0e2e00bad"
TAGS = ("img src=x", "svg", "body", "video src=x", "audio src=x", "iframe", "input autofocus", "details open")
HANDLERS = ("onerror", "onload", "onfocus", "ontoggle")
PAYLOADS = (
    *(f"<{tag} {handler}=ran=1>" for tag in TAGS for handler in HANDLERS),
    *(
        f"{before}<script>ran=1</script>"
        for before in ("", '">', "'>", "</title>", "</textarea>", "</style>", "-->", "]]>", "\\", "%3C")
    ),
    *("javascript:ran=1", "JaVaScRiPt:ran=1", "data:text/html,<script>ran=1</script>", "vbscript:ran=1"),
    *('" onmouseover=ran=1 x="', "' onfocus=ran=1 autofocus x='", "` onerror=ran=1 `"),
    *("{{constructor.constructor('ran=1')()}}", "${ran=1}", "<%= ran=1 %>", "#{ran=1}", "[[ran=1]]"),
    *(
        "<math href=javascript:ran=1>click",
        "<a href=javascript:ran=1>click</a>",
        "<base href=javascript:ran=1//>",
    ),
    *(
        "<object data=javascript:ran=1>",
        "<embed src=javascript:ran=1>",
        "<meta http-equiv=refresh content=0;url=//x>",
    ),
)
PAGES = ("/", f"/devices/{UID}", "/cameras/front", "/commands", "/alerts", "/health", "/settings", "/wall")
BIRTH: dict[str, Any] = {
    "name": PAYLOADS[0],
    "model": PAYLOADS[1],
    "firmware": PAYLOADS[2],
    "groups": [
        {
            "interval_ms": 100,
            "metrics": [
                {"name": "says", "kind": "text", "title": PAYLOADS[5]},
                {"name": "unit", "unit": "<b onclick=r=1>"},
                {"name": "mode", "kind": "enum", "options": list(PAYLOADS[:16]), "title": "mode"},
            ],
        },
        {"metrics": [{"name": f"t{n}", "kind": "text", "title": text} for n, text in enumerate(PAYLOADS)]},
    ],
    "commands": [
        {
            "name": f"c{n}",
            "title": text,
            "params": {
                "type": "object",
                "properties": {
                    "p": {
                        "type": "string",
                        "title": text,
                        "description": text,
                        "enum": [text],
                        "default": text,
                    }
                },
            },
        }
        for n, text in enumerate(PAYLOADS[:16])
    ],
}


@contextmanager
def board(link: Path) -> Iterator[None]:
    """Plug a board whose every name and value is a payload; it answers commands in kind."""
    over = threading.Event()

    async def run() -> None:
        hostile = PtyBoard(link, uid=UID, birth=BIRTH, answer=lambda *_: (False, PAYLOADS[40]))
        hostile.plug()
        for text in PAYLOADS:
            hostile.write(text.encode() + b"\n")
        for number in itertools.count():
            hostile.outbox.put(number * 100, [PAYLOADS[number % len(PAYLOADS)], 1, number % 16])
            await asyncio.sleep(0.1)
            if over.is_set():
                break
        await hostile.unplug()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_there_are_sixty_payloads_and_each_is_another() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 60


def test_no_name_that_a_board_or_user_sets_runs_as_a_script(tmp_path: Path, browser: Browser) -> None:
    link = tmp_path / "tty"
    config = (
        f"[hub]\nname = '{PAYLOADS[3]}'\n[serial]\nports = ['{link}']\n"
        "[mqtt]\nenabled = false\n"
        f"[[camera]]\nid = 'front'\nname = '{PAYLOADS[4]}'\nwidth = 320\nheight = 240\nfps = 5\n"
    )
    with HubProcess(tmp_path / "data", config=config) as hub, board(link):
        api = Api(hub)
        context = browser.new_context(user_agent=PAYLOADS[0])
        page = context.new_page()
        page.goto(hub.claim_url)
        # It waits with its names on the overview before it is let in.
        waiting = page.locator(".enrolment", has_text=PAYLOADS[0])
        expect(waiting).to_contain_text(PAYLOADS[2])
        assert page.evaluate("() => window.ran ?? window.r ?? null") is None
        waiting.get_by_role("button", name="Accept").click()
        deadline_s = time.monotonic() + 20
        while not api.online(UID):
            assert time.monotonic() < deadline_s, hub.tail()
            time.sleep(0.05)
        api.command(UID, "c0", p=PAYLOADS[0])
        api.post("users", {"name": PAYLOADS[0], "role": "viewer", "password": "a long enough secret"})
        for text in PAYLOADS:
            # The longest stand as names elsewhere.
            if len(text) <= 64:
                api.post("tokens", {"name": text, "role": "viewer"})
        try:
            dialogs: list[str] = []

            def asked(dialog: Dialog) -> None:
                dialogs.append(dialog.message)
                dialog.dismiss()

            page.on("dialog", asked)
            for path in PAGES:
                page.goto(hub.url + path)
                expect(page.get_by_role("main")).to_be_visible()
                page.wait_for_timeout(300)
                if path.startswith("/devices"):
                    # That it is shown as text proves that the page had it.
                    expect(page.get_by_text(PAYLOADS[32]).first).to_be_visible()
                if path == "/settings":
                    expect(page.get_by_role("listitem").get_by_text(PAYLOADS[0]).first).to_be_visible()
                assert page.evaluate("() => window.ran ?? window.r ?? null") is None, path
                assert page.url == hub.url + path
            assert dialogs == []
        finally:
            context.close()
