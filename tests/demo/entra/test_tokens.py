from __future__ import annotations

import jwt
import pytest

from auditor.demo.entra.tokens import Authority, TokenError

AUDIENCE = "https://localhost:2"


@pytest.fixture(scope="module")
def authority():
    return Authority("tenant", clock=lambda: 1_000_000.0)


def bearer(authority, **claims):
    return "Bearer " + authority.issue(AUDIENCE, "app", "object", {"User.Read.All"}, claims=claims)


def test_a_token_opens_its_audience(authority):
    token = authority.check(bearer(authority), AUDIENCE)
    assert (token.app_id, token.object_id, token.roles) == ("app", "object", frozenset({"User.Read.All"}))


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"aud": "https://graph.microsoft.com"}, "Invalid audience"),
        ({"exp": 999_999}, "the token is expired"),
        ({"nbf": 1_001_000}, "the token is expired"),
        ({"tid": "other"}, "Invalid issuer"),
        ({"iss": "https://sts.windows.net/other/"}, "Invalid issuer"),
    ],
)
def test_wrong_claims_are_refused(authority, claims, text):
    with pytest.raises(TokenError, match=text):
        authority.check(bearer(authority, **claims), AUDIENCE)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic dXNlcjpwYXNz"])
def test_no_token_is_refused(authority, header):
    with pytest.raises(TokenError, match="empty"):
        authority.check(header, AUDIENCE)


def test_a_tampered_or_foreign_or_unsigned_token_is_refused(authority):
    token = authority.issue(AUDIENCE, "app", "object", {"User.Read.All"})
    head, payload, signature = token.split(".")
    other = authority.issue(AUDIENCE, "app", "object", {"Directory.Read.All"}).split(".")[1]
    assert payload != other
    with pytest.raises(TokenError, match="signature"):
        authority.check(f"Bearer {head}.{other}.{signature}", AUDIENCE)
    with pytest.raises(TokenError, match="signature"):
        authority.check("Bearer " + Authority("tenant").issue(AUDIENCE, "app", "object", ()), AUDIENCE)
    unsigned = jwt.encode({"aud": AUDIENCE, "tid": "tenant"}, "", algorithm="none")
    for bad in (unsigned, "no-jwt", "a.b.c"):
        with pytest.raises(TokenError, match="not well formed"):
            authority.check(f"Bearer {bad}", AUDIENCE)
