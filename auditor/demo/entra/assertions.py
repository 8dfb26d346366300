"""Client assertions: a JWT signed with an uploaded certificate, or issued by a trusted outside identity provider.

https://learn.microsoft.com/entra/identity-platform/certificate-credentials
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from auditor.demo.entra import errors
from auditor.demo.entra.tokens import Clock

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ["RS256", "PS256"]
SKEW = 300


@dataclass
class AssertionCheck:
    """Checks assertions and remembers their `jti`.

    One assertion serves several resources (MSAL keeps one for nine minutes and asks for Graph and Exchange with it),
    so a replay is the same `jti` for the same scope."""

    clock: Clock
    _seen: dict[tuple[str, str], float] = field(default_factory=dict)

    def certificate(
        self, assertion: str, client_id: str, certificates: Iterable[bytes], audiences: Collection[str], scope: str
    ) -> None:
        """Raises SignInRefused unless an uploaded certificate signed the assertion for this app, here and now."""
        header = _header(assertion)
        certificate = _find(header, certificates)
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise errors.bad_assertion("does not hold an RSA key.")
        claims = _verified(assertion, key)
        if claims.get("iss") != client_id or claims.get("sub") != client_id:
            raise errors.bad_assertion("is fine, but `iss` and `sub` must both be the client id.")
        if str(claims.get("aud")) not in audiences:
            raise errors.bad_assertion("is fine, but `aud` is not this tenant's token endpoint.")
        self._in_time(claims)
        now = self.clock()
        if not certificate.not_valid_before_utc.timestamp() <= now <= certificate.not_valid_after_utc.timestamp():
            raise errors.bad_assertion("is expired or not yet valid.")
        self._once(claims, scope)

    def federated(self, assertion: str, claims: Mapping[str, Any], trusted: Iterable[Mapping[str, str]]) -> None:
        """Raises SignInRefused unless a federated identity credential of the app trusts the assertion."""
        issuer, subject = str(claims.get("iss", "")), str(claims.get("sub", ""))
        for credential in trusted:
            if (credential["issuer"], credential["subject"]) == (issuer, subject):
                key = load_pem_public_key(credential["public_key"].encode())
                if not isinstance(key, RSAPublicKey):
                    raise errors.bad_assertion("does not hold an RSA key.")
                _verified(assertion, key)
                self._in_time(claims)
                if claims.get("aud") != credential["audience"]:
                    raise errors.no_federated_identity(issuer, subject)
                return
        raise errors.no_federated_identity(issuer, subject)

    def _in_time(self, claims: Mapping[str, Any]) -> None:
        now = self.clock()
        expires, begins = claims.get("exp"), claims.get("nbf", 0)
        if not isinstance(expires, (int, float)) or not isinstance(begins, (int, float)):
            raise errors.assertion_out_of_time()
        if expires <= now - SKEW or begins > now + SKEW:
            raise errors.assertion_out_of_time()

    def _once(self, claims: Mapping[str, Any], scope: str) -> None:
        now = self.clock()
        self._seen = {known: expires for known, expires in self._seen.items() if expires > now - SKEW}
        identity = (str(claims.get("jti", "")), scope)
        if not identity[0]:
            raise errors.bad_assertion("is fine, but the assertion has no `jti`.")
        if identity in self._seen:
            raise errors.bad_assertion("is fine, but the assertion was used before (`jti` replayed).")
        self._seen[identity] = float(claims["exp"])


def unverified_claims(assertion: str) -> Mapping[str, Any]:
    """The claims of an assertion that nobody checked yet; raises SignInRefused where it is no JWT."""
    try:
        claims: Mapping[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise errors.bad_assertion("cannot be told: the assertion is no signed JWT.") from error
    return claims


def _header(assertion: str) -> Mapping[str, Any]:
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError as error:
        raise errors.bad_assertion("cannot be told: the assertion is no signed JWT.") from error
    if header.get("alg") not in ALGORITHMS:
        raise errors.bad_assertion("cannot be used: the assertion must be signed with RS256 or PS256.")
    return header


def _find(header: Mapping[str, Any], certificates: Iterable[bytes]) -> x509.Certificate:
    for pem in certificates:
        certificate = x509.load_pem_x509_certificate(pem)
        prints = {
            "x5t": certificate.fingerprint(SHA1()),  # noqa: S303 - the header's definition, not a choice
            "x5t#S256": certificate.fingerprint(SHA256()),
        }
        given = {name: header[name] for name in prints if header.get(name)}
        if given and all(_base64(prints[name]) == str(value).rstrip("=") for name, value in given.items()):
            return certificate
    raise errors.bad_assertion("is not known: its key was not found by the thumbprint in the assertion.")


def _verified(assertion: str, key: RSAPublicKey) -> Mapping[str, Any]:
    try:
        claims: Mapping[str, Any] = jwt.decode(
            assertion,
            key,
            algorithms=ALGORITHMS,
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
        )
    except jwt.InvalidTokenError as error:
        raise errors.bad_assertion("is known, but the assertion failed signature validation.") from error
    return claims


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
