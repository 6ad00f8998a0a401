"""The plain port beside HTTPS: it leads there, and hands out the authority's certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from hub.web.gate.hosts import split_host

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.web.gate.hosts import Hosts

CA_PATH = "/ca.crt"


def make_redirect(hosts: Hosts, port: int, authority: Callable[[], bytes | None]) -> web.Application:
    """Return the application: 308 to the same path on HTTPS `port` (RFC 9110, 15.4.9).

    A Host that is not the hub's gets 421: a redirect that a stranger can steer is a phisher's tool.
    """

    async def lead(request: web.Request) -> web.StreamResponse:
        if not hosts.allows(request.host):
            return web.Response(status=421, text="This is not the host that you asked for.\n")
        certificate = authority()
        if request.path == CA_PATH and certificate is not None:
            headers = {"Content-Disposition": 'attachment; filename="outpost-ca.crt"'}
            return web.Response(body=certificate, content_type="application/x-x509-ca-cert", headers=headers)
        found = split_host(request.host)
        name = found[0] if found else ""
        shown = f"[{name}]" if ":" in name else name
        there = f"https://{shown}" + (f":{port}" if port != 443 else "")
        # Whoever sent a secret here in the clear has shown it; it is not sent on by the hub.
        return web.Response(
            status=308, headers={"Location": there + request.raw_path, "Cache-Control": "no-store"}
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", lead)
    return app
