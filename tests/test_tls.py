"""The authority of a hub's own: whom it vouches for, when certificates are renewed, how keys are kept."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
import time
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from click.testing import CliRunner
from cryptography import x509

from hub.cli import client
from hub.cli.client import Failed
from hub.cli.main import main
from hub.config import Config, ConfigError, HubConfig, TlsConfig, check_exposure, parse
from hub.tls import authority
from hub.tls.folder import TlsError, TlsFolder
from hub.tls.serving import Tls, client_context
from hub.web.serving.doors import Doors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
NAMES = {"localhost", "127.0.0.1", "greenhouse.local"}


def certificate(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def served(folder: TlsFolder) -> x509.Certificate:
    found = folder.known().certificate
    assert found is not None
    return found


@pytest.fixture
def folder(tmp_path: Path) -> TlsFolder:
    made = TlsFolder(tmp_path)
    made.make("greenhouse", NAMES, NOW_MS)
    return made


def test_the_certificate_is_for_all_the_hubs_names(folder: TlsFolder) -> None:
    assert authority.names_of(served(folder)) == NAMES


def verified(ca: Path, certificate: Path, name: str) -> bool:
    """Ask OpenSSL, as of the time for which the certificate was made."""
    command = ["openssl", "verify", "-attime", str(NOW_MS // 1000), "-x509_strict", "-purpose", "sslserver"]
    command += ["-CAfile", str(ca), "-verify_hostname", name, str(certificate)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "good"), [("greenhouse.local", True), ("localhost", True), ("b.example", False)]
)
def test_openssl_verifies_the_certificate_for_its_names_alone(
    folder: TlsFolder, name: str, good: bool
) -> None:
    assert verified(folder.ca, folder.certificate, name) is good


def test_what_an_authority_signs_beyond_its_constraints_is_refused_by_openssl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = authority.make_authority("hub", set(), NOW_MS)
    monkeypatch.setattr(authority, "may_vouch", lambda *_: True)  # as whoever stole the key would
    (tmp_path / "forged").write_bytes(authority.sign(own, {"bank.example"}, NOW_MS).certificate)
    (tmp_path / "ca").write_bytes(own.certificate)
    assert not verified(tmp_path / "ca", tmp_path / "forged", "bank.example")


def test_an_authority_does_not_sign_beyond_its_constraints() -> None:
    own = authority.make_authority("hub", set(), NOW_MS)
    with pytest.raises(ValueError, match="vouch for none"):
        authority.sign(own, {"bank.example"}, NOW_MS)


@pytest.mark.parametrize("name", ["greenhouse.local", "pi.lan", "192.168.1.7", "10.1.2.3", "fd00::1", "::1"])
def test_an_authority_may_vouch_for_local_names_and_private_addresses(name: str) -> None:
    issuer = certificate(authority.make_authority("hub", set(), NOW_MS).certificate)
    assert authority.may_vouch(issuer, name)


@pytest.mark.parametrize("name", ["bank.example", "notlocal", "8.8.8.8", "2001:db8::1", "evillocalhost"])
def test_an_authority_may_not_vouch_for_others(name: str) -> None:
    issuer = certificate(authority.make_authority("hub", set(), NOW_MS).certificate)
    assert not authority.may_vouch(issuer, name)


def test_keys_are_for_the_hubs_user_alone(folder: TlsFolder) -> None:
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.key.stat().st_mode & 0o777 == 0o600
    assert (folder.path / "ca.key").stat().st_mode & 0o777 == 0o600


def test_a_fresh_certificate_is_left_as_it_is(folder: TlsFolder) -> None:
    assert not folder.renew(NAMES, NOW_MS + 59 * DAY_MS)


def test_a_certificate_with_less_than_thirty_days_is_made_anew(folder: TlsFolder) -> None:
    before = served(folder)
    assert folder.renew(NAMES, NOW_MS + 61 * DAY_MS)
    assert served(folder).not_valid_after_utc > before.not_valid_after_utc


def test_a_new_address_makes_a_new_certificate(folder: TlsFolder) -> None:
    assert folder.renew({*NAMES, "192.168.1.9"}, NOW_MS)
    assert "192.168.1.9" in authority.names_of(served(folder))


def test_a_name_that_the_authority_may_not_vouch_for_does_not_renew_for_ever(folder: TlsFolder) -> None:
    assert not folder.renew({*NAMES, "hub.example.org"}, NOW_MS)


def test_a_clock_in_1970_makes_a_certificate_that_is_valid_when_the_clock_is_right(tmp_path: Path) -> None:
    folder = TlsFolder(tmp_path)
    folder.make("hub", NAMES, 0)
    assert folder.renew(NAMES, NOW_MS)
    assert folder.known().authority.not_valid_after_utc.timestamp() * 1000 > NOW_MS


def test_a_damaged_certificate_is_told_with_its_remedy(folder: TlsFolder) -> None:
    folder.ca.write_text("no certificate")
    with pytest.raises(TlsError, match=r"ca\.crt: is no certificate.*outpost tls init --new"):
        folder.renew(NAMES, NOW_MS)


def test_without_an_authority_the_command_to_make_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(TlsError, match="there is no authority yet; make it with `outpost tls init`"):
        TlsFolder(tmp_path).known()
    with pytest.raises(TlsError, match="there is no authority yet; make it with `outpost tls init`"):
        TlsFolder(tmp_path).renew(NAMES, NOW_MS)


@contextlib.asynccontextmanager
async def doors(data: Path, now: list[int], **tls: str) -> AsyncIterator[tuple[str, Tls]]:
    config = Config(hub=HubConfig(listen="127.0.0.1:0"), tls=TlsConfig(mode=tls.pop("mode", "local"), **tls))
    own = Tls(config.tls, data, hub="hub", names=lambda: set(NAMES), now_ms=lambda: now[0])

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", hello)
    opened = Doors(config, app, own)
    try:
        yield await opened.start(), own
    finally:
        await opened.stop()


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def test_a_client_that_trusts_the_authority_is_served(tmp_path: Path) -> None:
    async with doors(tmp_path, [wall_ms()]) as (url, _):
        trusted = ssl.create_default_context(cafile=str(tmp_path / "tls" / "ca.crt"))
        async with aiohttp.ClientSession() as session, session.get(url, ssl=trusted) as answer:
            assert url.startswith("https://")
            assert await answer.text() == "hello"


async def test_the_command_line_by_plain_http_is_told_of_https(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with doors(tmp_path, [wall_ms()]) as (url, _):
        monkeypatch.setenv("OUTPOST_URL", url.replace("https://", "http://"))
        monkeypatch.setenv("OUTPOST_TOKEN", "x")
        with pytest.raises(Failed, match="of one with TLS the address begins with https://"):
            async with client.hub(tmp_path) as session, session.get("/"):
                pass


async def test_a_client_that_does_not_trust_it_is_not(tmp_path: Path) -> None:
    async with doors(tmp_path, [wall_ms()]) as (url, _), aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(url)


async def test_a_renewed_certificate_is_served_to_the_next_connection(tmp_path: Path) -> None:
    now = [wall_ms()]
    async with doors(tmp_path, now) as (url, own):
        port = int(url.rpartition(":")[2])

        async def shown() -> str:
            pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
            return authority.fingerprint(certificate(pem.encode()))

        before = await shown()
        now[0] += 70 * DAY_MS
        assert own.check()
        assert await shown() != before
        assert not own.check()


async def test_the_plain_port_leads_to_the_same_path_on_https(tmp_path: Path) -> None:
    plain = f"127.0.0.1:{free_port()}"
    async with (
        doors(tmp_path, [wall_ms()], redirect=plain) as (url, _),
        aiohttp.ClientSession() as session,
        session.get(f"http://{plain}/camera?x=1", allow_redirects=False) as answer,
    ):
        assert (answer.status, answer.headers["Location"]) == (308, f"{url}/camera?x=1")


async def test_the_plain_port_leads_nobody_to_another_host(tmp_path: Path) -> None:
    plain = f"127.0.0.1:{free_port()}"
    async with doors(tmp_path, [wall_ms()], redirect=plain), aiohttp.ClientSession() as session:
        headers = {"Host": "evil.example"}
        async with session.get(f"http://{plain}/", headers=headers, allow_redirects=False) as answer:
            assert answer.status == 421
            assert "Location" not in answer.headers


async def test_the_plain_port_hands_out_the_authority(tmp_path: Path) -> None:
    plain = f"127.0.0.1:{free_port()}"
    async with (
        doors(tmp_path, [wall_ms()], redirect=plain),
        aiohttp.ClientSession() as session,
        session.get(f"http://{plain}/ca.crt") as answer,
    ):
        assert await answer.read() == (tmp_path / "tls" / "ca.crt").read_bytes()


async def test_files_of_another_authority_are_served_and_reached_from_this_machine(tmp_path: Path) -> None:
    other = TlsFolder(tmp_path / "other")
    other.make("elsewhere", {"hub.lan"}, wall_ms())
    files = {"mode": "files", "certificate": str(other.certificate), "key": str(other.key)}
    async with doors(tmp_path, [wall_ms()], **files) as (url, own):
        pinned = client_context(str(own.certificate))
        async with aiohttp.ClientSession() as session, session.get(url, ssl=pinned) as answer:
            assert answer.status == 200


def test_files_that_are_not_there_keep_the_hub_from_starting_with_the_reason(tmp_path: Path) -> None:
    config = TlsConfig(mode="files", certificate=str(tmp_path / "a.crt"), key=str(tmp_path / "a.key"))
    with pytest.raises(TlsError, match=r"a\.crt: No such file"):
        Tls(config, tmp_path, hub="hub", names=set, now_ms=wall_ms)


@pytest.mark.parametrize("listen", [":8080", "0.0.0.0:80", "192.168.1.5:8080", "[::]:8080"])
def test_plain_http_for_other_machines_is_refused(listen: str) -> None:
    with pytest.raises(ConfigError, match=r"outpost\.toml: `hub\.listen`.*--plain-http"):
        check_exposure(Config(hub=HubConfig(listen=listen)), "outpost.toml")


@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "localhost:0", "[::1]:80", "127.3.4.5:80"])
def test_plain_http_for_this_machine_is_served(listen: str) -> None:
    check_exposure(Config(hub=HubConfig(listen=listen)), "outpost.toml")


@pytest.mark.parametrize("lines", ["[hub]\nplain_http = true", '[tls]\nmode = "local"'])
def test_other_machines_are_let_in_by_tls_or_by_name(lines: str) -> None:
    config = parse(lines, "outpost.toml")
    check_exposure(Config(hub=HubConfig(listen=":80", plain_http=config.hub.plain_http), tls=config.tls), "x")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[tls]\nmode = "on"', "tls.mode"),
        ('[tls]\nmode = "files"\nkey = "k"', "tls.certificate"),
        ('[tls]\nmode = "files"\ncertificate = "c"', "tls.key"),
        ('[tls]\nmode = "local"\nkey = "k"', "tls.key"),
        ('[tls]\nredirect = ":80"', "tls.redirect"),
        ('[tls]\nmode = "local"\nredirect = "80"', "tls.redirect"),
    ],
)
def test_a_setting_of_tls_that_cannot_be_is_named(text: str, key: str) -> None:
    with pytest.raises(ConfigError, match=f"`{key}`"):
        parse(text, "outpost.toml")


def test_the_command_makes_shows_and_prints_the_authority(tmp_path: Path) -> None:
    run, data = CliRunner(), ["--data", str(tmp_path)]
    made = run.invoke(main, ["tls", "init", *data])
    assert made.exit_code == 0, made.output
    shown = run.invoke(main, ["tls", "show", *data])
    known = TlsFolder(tmp_path).known()
    assert authority.fingerprint(known.authority) in shown.output
    printed = run.invoke(main, ["tls", "ca", *data])
    assert printed.output.encode() == (tmp_path / "tls" / "ca.crt").read_bytes()


def test_an_authority_is_not_replaced_unasked(tmp_path: Path) -> None:
    run, data = CliRunner(), ["--data", str(tmp_path)]
    run.invoke(main, ["tls", "init", *data])
    before = (tmp_path / "tls" / "ca.crt").read_bytes()
    assert run.invoke(main, ["tls", "init", *data]).exit_code == 1
    assert (tmp_path / "tls" / "ca.crt").read_bytes() == before


def test_renewing_keeps_the_authority(tmp_path: Path) -> None:
    run, data = CliRunner(), ["--data", str(tmp_path)]
    run.invoke(main, ["tls", "init", *data])
    folder = TlsFolder(tmp_path)
    before = (folder.ca.read_bytes(), folder.certificate.read_bytes())
    assert run.invoke(main, ["tls", "renew", *data]).exit_code == 0
    assert folder.ca.read_bytes() == before[0]
    assert folder.certificate.read_bytes() != before[1]
