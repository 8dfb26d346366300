"""TLS of a probe: always verified where a secret may follow; and what there is to tell of version and certificate."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

Facts = tuple[tuple[str, str], ...]

NAMES_SHOWN = 12

HOSTNAME_MISMATCH = 62
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH; 64 is the same for an IP address"""
IP_MISMATCH = 64
OUT_OF_DATE = (9, 10)
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED"""


def verified(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later; the certificate must be trusted and be for the name that was asked for."""
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def unverified() -> ssl.SSLContext:
    """Only to look at a certificate that was refused; nothing is said over such a connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def facts(connection: ssl.SSLSocket, now: datetime) -> Facts:
    """Version, cipher and certificate of an established connection; `now` tells how long the certificate holds."""
    cipher = connection.cipher()
    found = [("version", connection.version() or ""), ("cipher", cipher[0] if cipher else "")]
    der = connection.getpeercert(binary_form=True)
    return (*found, *(_certificate(der, now) if der else ()))


def _certificate(der: bytes, now: datetime) -> Facts:
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = _names(certificate)
        subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
        expires = certificate.not_valid_after_utc
    except ValueError:
        return (("certificate", "cannot be read"),)
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return (
        ("subject", subject),
        ("names", ", ".join(names[:NAMES_SHOWN]) + more),
        ("issuer", issuer),
        ("expires", expires.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
        ("days left", str((expires - now).days)),
    )


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    except x509.ExtensionNotFound:
        return []
    names = extension.value
    assert isinstance(names, x509.SubjectAlternativeName)
    dns = names.get_values_for_type(x509.DNSName)
    return [*dns, *(str(address) for address in names.get_values_for_type(x509.IPAddress))]


def wrong_name(error: ssl.SSLError) -> bool:
    """The certificate is trusted, and is for another name."""
    return isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in (HOSTNAME_MISMATCH, IP_MISMATCH)


def out_of_date(error: ssl.SSLError) -> bool:
    """The certificate is not valid at this time, or this machine's clock is wrong."""
    return isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in OUT_OF_DATE


def cause(error: ssl.SSLError) -> str:
    """Why a handshake failed, in words for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is refused: {error.verify_message.rstrip('.')}"
    reason = (error.reason or "").replace("_", " ").lower()
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
        return "the server does not begin with TLS"
    if error.reason in ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"):
        return "the server speaks no TLS 1.2 or later"
    return reason or "the handshake was broken off"
