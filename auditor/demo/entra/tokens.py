"""Access tokens of the emulated tenant: issued by the token endpoint, checked by Graph and Exchange.

Claims as in https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference. Lifetimes use the real
clock, because the client's libraries do; everything else of the tenant lives in its fixed time.
"""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

Clock = Callable[[], float]
AppIdAcr = Literal["1", "2"]
"""how the app proved itself: 1 by a secret, 2 by a certificate or an assertion"""

LIFETIME = 3599


class TokenError(Exception):
    """A token that a resource must refuse; the message is what Graph says of it."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A checked token: `roles` are the application permissions that it carries for its audience."""

    app_id: str
    object_id: str
    roles: frozenset[str]


@dataclass
class Authority:
    """The emulated tenant's signing key. `tenant_id` is the only tenant whose tokens its resources take."""

    tenant_id: str
    clock: Clock = time.time
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def issuer(self) -> str:
        return f"https://sts.windows.net/{self.tenant_id}/"

    @property
    def key_id(self) -> str:
        modulus = self.key.public_key().public_numbers().n
        return hashlib.sha256(str(modulus).encode()).hexdigest()[:27]

    def jwks(self) -> dict[str, Any]:
        """The public key, as the tenant's `discovery/v2.0/keys` shows it."""
        numbers = self.key.public_key().public_numbers()
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "use": "sig",
                    "kid": self.key_id,
                    "n": _base64_int(numbers.n),
                    "e": _base64_int(numbers.e),
                }
            ]
        }

    def issue(
        self,
        audience: str,
        app_id: str,
        object_id: str,
        roles: Iterable[str],
        *,
        app_id_acr: AppIdAcr = "1",
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """A signed token for `audience`; `claims` replaces or adds claims (tests make bad tokens so)."""
        now = int(self.clock())
        payload: dict[str, Any] = {
            "aud": audience,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            "appid": app_id,
            "appidacr": app_id_acr,
            "azp": app_id,
            "azpacr": app_id_acr,
            "idp": self.issuer,
            "idtyp": "app",
            "oid": object_id,
            "sub": object_id,
            "tid": self.tenant_id,
            "uti": base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="),
            "ver": "1.0",
        }
        granted = sorted(roles)
        if granted:  # an app without a granted permission has no `roles` claim at all
            payload["roles"] = granted
        payload.update(claims or {})
        return jwt.encode(payload, self.key, algorithm="RS256", headers={"kid": self.key_id})

    def check(self, authorization: str | None, audience: str) -> AccessToken:
        """The token of an Authorization header. Raises TokenError with Graph's text where it must be refused."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise TokenError("Access token is empty.")
        try:
            claims = jwt.decode(
                token.strip(),
                self.key.public_key(),
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
            )
        except jwt.InvalidSignatureError as error:
            raise TokenError("Access token validation failure. Invalid signature.") from error
        except jwt.InvalidTokenError as error:
            raise TokenError("IDX14100: JWT is not well formed, there are no dots (.) or parts are missing.") from error
        self._check_claims(claims, audience)
        return AccessToken(claims.get("appid", ""), claims.get("oid", ""), frozenset(claims.get("roles", ())))

    def _check_claims(self, claims: Mapping[str, Any], audience: str) -> None:
        now = self.clock()
        if not claims.get("nbf", 0) <= now + 300 or claims.get("exp", 0) <= now:
            raise TokenError("Lifetime validation failed, the token is expired.")
        if claims.get("aud") != audience:
            raise TokenError("Access token validation failure. Invalid audience.")
        if claims.get("tid") != self.tenant_id or claims.get("iss") != self.issuer:
            raise TokenError("Access token validation failure. Invalid issuer.")


def _base64_int(value: int) -> str:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
