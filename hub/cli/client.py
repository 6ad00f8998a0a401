"""The command line's way to a running hub: where it is, the token, and errors for people."""

from __future__ import annotations

import os
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import aiohttp
import msgspec

from hub import __version__
from hub.access import LOCAL_ACCESS, LocalAccess
from hub.model import OutpostError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path


Session: TypeAlias = aiohttp.ClientSession
"""A client session on a hub, as `hub` opens it: no other module of the command line knows HTTP."""


class Failed(OutpostError):
    """What was asked for did not work; exit code 1."""


class NoHub(Failed):
    """No hub answers where one was looked for."""


def access(data: Path) -> LocalAccess:
    """Return URL and token: from the environment, else from the running hub's data folder.

    Raises Failed; NoHub where there is none.
    """
    url, token = os.environ.get("OUTPOST_URL"), os.environ.get("OUTPOST_TOKEN")
    if url and token:
        return LocalAccess(url=hub_url(url, "OUTPOST_URL"), token=_token(token))
    if url or token:
        raise Failed("OUTPOST_URL and OUTPOST_TOKEN go together; one of them is not set")
    path = data / LOCAL_ACCESS
    try:
        return msgspec.json.decode(path.read_bytes(), type=LocalAccess)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoHub(
            f"no hub runs on the data folder {data}; start one with `outpost run`, name its folder with "
            "--data, or set OUTPOST_URL and OUTPOST_TOKEN"
        ) from error
    except PermissionError as error:
        raise Failed(
            f"{path}: cannot be read: {error.strerror}; run this as the hub's user, or by sudo"
        ) from error
    except OSError as error:
        raise Failed(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise Failed(f"{path}: cannot be read: {error}") from error


def hub_url(text: str, where: str) -> str:
    """Return a hub's address without a slash at its end. Raises Failed, naming `where` it was given."""
    try:
        parts = urlsplit(text)
        good = parts.port != 0 and parts.hostname is not None
    except ValueError:
        good = False
    if not good or parts.scheme not in ("http", "https") or parts.path.rstrip("/") or not text.isprintable():
        raise Failed(f"{where}: {text[:200]!r} is no address of a hub, as in https://greenhouse.local:8443")
    return f"{parts.scheme}://{parts.netloc}"


def _token(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise Failed("OUTPOST_TOKEN is no token: it has a line's end, or other characters than a token's")
    return text


@asynccontextmanager
async def hub(data: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a client session on the hub. Raises NoHub where it does not answer, Failed."""
    found = access(data)
    trusted = _trusting(found.certificate) if found.certificate else True
    try:
        async with aiohttp.ClientSession(
            base_url=found.url,
            connector=aiohttp.TCPConnector(ssl=trusted),
            headers={"Authorization": f"Bearer {found.token}", "User-Agent": f"outpost-cli/{__version__}"},
        ) as session:
            yield session
    except aiohttp.ClientConnectorCertificateError as error:
        raise Failed(
            f"the hub at {found.url} has a certificate that this machine does not trust: "
            f"{error.certificate_error}; save its authority's (`outpost tls ca`) and set SSL_CERT_FILE"
        ) from error
    except aiohttp.ClientConnectorSSLError as error:
        raise NoHub(
            f"what answers at {found.url} speaks no TLS ({_reason(error.os_error)}); "
            "the address of a hub without it begins with http://"
        ) from error
    except aiohttp.ClientConnectorError as error:
        raise NoHub(f"the hub at {found.url} does not answer: {_reason(error.os_error)}") from error
    except aiohttp.ServerDisconnectedError as error:
        secure = (
            "" if found.url.startswith("https:") else "; of one with TLS the address begins with https://"
        )
        raise Failed(f"the hub at {found.url} ended the connection without an answer{secure}") from error
    except aiohttp.ClientError as error:
        raise Failed(f"the hub at {found.url}: {error}") from error


def _reason(error: OSError) -> str:
    """Return what the system says, without the address once more."""
    # A name that does not resolve has a number of getaddrinfo's, below 0; TLS has its own.
    if isinstance(error, ssl.SSLError) or not error.errno or error.errno < 0:
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _trusting(certificate: str) -> ssl.SSLContext:
    from hub.tls.serving import client_context  # noqa: PLC0415 - cryptography takes a while to load

    return client_context(certificate)


async def answer(response: aiohttp.ClientResponse) -> Any:
    """Return the JSON of a response. Raises Failed with the problem's own words (RFC 9457)."""
    body = await response.read()
    try:
        content = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise Failed(f"the hub answered {response.status} with no JSON") from error
    if response.status >= 400:
        detail = content.get("detail") or content.get("title") if isinstance(content, dict) else content
        if response.status == 401 and "OUTPOST_TOKEN" in os.environ:
            detail = "it does not know this OUTPOST_TOKEN; `outpost token create` on its machine makes one"
        raise Failed(f"{detail} (HTTP {response.status})")
    return content


@asynccontextmanager
async def stream(
    session: aiohttp.ClientSession, query: Sequence[tuple[str, str]]
) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
    """Open the live stream; yield its events as (name, text of its data). Raises Failed."""
    async with session.get("/api/v1/stream", params=query, timeout=None) as response:
        if response.status != 200:
            await answer(response)
        yield _events(response)


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, str]]:
    event = ""
    async for raw in response.content:
        line = raw.decode().rstrip("\r\n")
        if line.startswith("event:"):
            event = line[6:].strip()
        elif line.startswith("data:"):
            yield event, line[5:].strip()
