"""A certificate authority for one hub, and the certificates that it signs; values in, PEM out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Address, IPv6Address

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 90
RENEW_DAYS = 30
"""A certificate with fewer days left is made anew."""

_DAY = dt.timedelta(days=1)
_BUILT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
"""A clock before this is wrong (a Pi without a battery starts in 1970): no validity begins earlier."""

LOCAL_DOMAINS = ("local", "localhost", "lan", "home.arpa", "internal", "ts.net")
LOCAL_NETWORKS = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
    *("::1/128", "fc00::/7", "fe80::/10"),
)


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


def make_authority(hub: str, names: Iterable[str], now_ms: int) -> Pair:
    """Return a new authority that may vouch for `names`, local domains and private addresses, and no others.

    Whoever trusts it need not fear that a stolen key forges a bank's page (RFC 5280, 4.2.1.10).
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Outpost on {hub}"[:64])])
    start = _start(now_ms)
    dns, addresses = _sorted(names)
    permitted: list[x509.GeneralName] = [x509.DNSName(name) for name in dict.fromkeys((*LOCAL_DOMAINS, *dns))]
    networks = dict.fromkeys(
        [ip_network(text) for text in LOCAL_NETWORKS] + [ip_network(address) for address in addresses]
    )
    permitted += [x509.IPAddress(network) for network in networks]
    builder = (
        _builder(subject, subject, key.public_key(), start, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
    )
    return Pair(_pem(builder.sign(key, hashes.SHA256())), _key_pem(key))


def sign(authority: Pair, names: Iterable[str], now_ms: int) -> Pair:
    """Return a server's certificate for those of `names` for which `authority` may vouch, with its chain.

    Raises ValueError when the authority is damaged or may vouch for none of them.
    """
    issuer = x509.load_pem_x509_certificate(authority.certificate)
    issuer_key = serialization.load_pem_private_key(authority.key, None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise ValueError("the authority's key is of another kind")  # noqa: TRY004 - a damaged file
    dns, addresses = _sorted(name for name in names if may_vouch(issuer, name))
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in dns]
    alternatives += [x509.IPAddress(address) for address in addresses]
    if not alternatives:
        raise ValueError("the authority may vouch for none of the hub's names")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (*dns, *map(str, addresses))[0][:64])])
    builder = (
        _builder(subject, issuer.subject, key.public_key(), _start(now_ms), CERTIFICATE_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    return Pair(_pem(builder.sign(issuer_key, hashes.SHA256())) + authority.certificate, _key_pem(key))


def may_vouch(authority: x509.Certificate, name: str) -> bool:
    """Return whether the authority's constraints permit `name` (a host name or an address)."""
    permitted = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
    address = _address(name)
    for tree in permitted or ():
        if isinstance(tree, x509.DNSName) and address is None:
            if name == tree.value or name.endswith("." + tree.value):
                return True
        elif (
            isinstance(tree, x509.IPAddress)
            and address is not None
            and address in ip_network(str(tree.value))
        ):
            return True
    return False


def names_of(certificate: x509.Certificate) -> set[str]:
    """Return the host names and addresses that a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    dns = found.get_values_for_type(x509.DNSName)
    return {*dns, *(str(address) for address in found.get_values_for_type(x509.IPAddress))}


def is_due(
    certificate: x509.Certificate, authority: x509.Certificate, names: Iterable[str], now_ms: int
) -> bool:
    """Return whether a certificate is to be made anew: soon out of date, or without a name of the hub."""
    now = _start(now_ms)
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_DAYS * _DAY:
        return True
    if certificate.issuer != authority.subject:
        return True
    return not {name for name in names if may_vouch(authority, name)} <= names_of(certificate)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate as browsers show it: pairs of hex digits and colons."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _start(now_ms: int) -> dt.datetime:
    return max(dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC).replace(microsecond=0), _BUILT)


def _sorted(names: Iterable[str]) -> tuple[list[str], list[IPv4Address | IPv6Address]]:
    dns: dict[str, None] = {}
    addresses: dict[IPv4Address | IPv6Address, None] = {}
    for name in names:
        address = _address(name)
        if address is not None:
            addresses[address] = None
        elif name.isascii():
            dns[name] = None
    return sorted(dns), sorted(addresses, key=lambda address: (address.version, int(address)))


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: dt.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - _DAY)
        .not_valid_after(start + days * _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
