"""The few plain pages that the hub writes itself, where there is no dashboard to show."""

from __future__ import annotations

from html import escape

from aiohttp import web

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} - Outpost</title>
<h1>{title}</h1>
<p>{text}</p>
</html>
"""


def page(status: int, title: str, text: str) -> web.Response:
    """Answer with a page of one heading and one paragraph, both plain text."""
    return web.Response(
        status=status,
        text=_PAGE.format(title=escape(title), text=escape(text)),
        content_type="text/html",
        headers={"Cache-Control": "no-store"},
    )
