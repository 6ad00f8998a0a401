"""`/.well-known/security.txt` (RFC 9116): where to report what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiohttp import web

from hub.web.parts import parts_of
from hub.web.route import Answer, Reaches, Route

PATH = "/.well-known/security.txt"
REPORT = "https://github.com/outpost-hub/outpost/security/advisories/new"
POLICY = "https://github.com/outpost-hub/outpost/blob/main/SECURITY.md"
VALID_DAYS = 180


async def security_txt(request: web.Request) -> web.StreamResponse:
    """Answer with the file; a hub in a field serves it for years, so its end moves on with the days."""
    today = datetime.fromtimestamp(parts_of(request).now_ms() / 1000, UTC).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    expires = (today + timedelta(days=VALID_DAYS)).isoformat().replace("+00:00", "Z")
    text = f"Contact: {REPORT}\nExpires: {expires}\nPreferred-Languages: en\nPolicy: {POLICY}\n"
    return web.Response(text=text, content_type="text/plain", charset="utf-8")


ROUTES = (
    Route(
        method="GET",
        path=PATH,
        handler=security_txt,
        role=None,
        reaches=Reaches.NONE,
        head=True,
        summary="Where to report a vulnerability (RFC 9116)",
        answers={200: Answer(text="The file", media="text/plain")},
    ),
)
