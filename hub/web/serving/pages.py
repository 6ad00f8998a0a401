"""The few plain pages that the hub writes itself, where there is no dashboard to show."""

from __future__ import annotations

import re
from html import escape

from aiohttp import web

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} - Outpost</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/plain.css">
</head>
<body>
<main>
<img src="/icon.svg" alt="">
<h1>{title}</h1>
{paragraphs}
</main>
</body>
</html>
"""
"""Style and icon are the dashboard's files: where it is not built, the page is plain, and says the same."""


def page(status: int, title: str, *paragraphs: str, link: tuple[str, str] | None = None) -> web.Response:
    """Answer with a page: a heading, paragraphs (plain text but for `code`), a link (words, path)."""
    parts = [f"<p>{_marked(text)}</p>" for text in paragraphs]
    if link is not None:
        words, path = link
        parts.append(f'<p><a href="{escape(path)}">{escape(words)}</a></p>')
    return web.Response(
        status=status,
        text=_PAGE.format(title=escape(title), paragraphs="\n".join(parts)),
        content_type="text/html",
        headers={"Cache-Control": "no-store"},
    )


def _marked(text: str) -> str:
    """Return `text` as HTML; what stands between back quotes is code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
