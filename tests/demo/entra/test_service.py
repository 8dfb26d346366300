from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientAssertionCredential, ClientSecretCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Certificate:
    """A self-signed certificate with its key."""

    def __init__(self, *, days: int = 30) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "auditor")])
        end = datetime.now(UTC) + timedelta(days=days)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(7)
            .not_valid_before(end - timedelta(days=60))
            .not_valid_after(end)
            .sign(self.key, hashes.SHA256())
        )
        self.public = self.certificate.public_bytes(serialization.Encoding.PEM)
        self.private = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def thumbprint(self, algorithm: hashes.HashAlgorithm) -> str:
        return jwt.utils.base64url_encode(self.certificate.fingerprint(algorithm)).decode()

    @property
    def public_key(self) -> str:
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode()  # fmt: skip


@pytest.fixture(scope="module")
def certificate():
    return Certificate()


def form(client, **changes):
    """A right request for a Graph token, with changes; None leaves a field out."""
    tenant = client.emulator.tenant
    fields = {
        "grant_type": "client_credentials",
        "client_id": tenant.app.client_id,
        "client_secret": tenant.app.secret,
        "scope": f"{client.emulator.graph_url}/.default",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def ask(client, organisation=None, **changes):
    url = f"{client.emulator.authority}/{organisation or client.emulator.tenant.tenant_id}/oauth2/v2.0/token"
    return client.http.post(url, data=form(client, **changes), headers={"client-request-id": "my-id"})


def claims_of(response):
    return jwt.decode(response.json()["access_token"], options={"verify_signature": False})


def secret_credential(client, **changes):
    tenant = client.emulator.tenant
    return ClientSecretCredential(
        changes.get("tenant_id", tenant.tenant_id),
        tenant.app.client_id,
        changes.get("secret", tenant.app.secret),
        authority=client.emulator.authority,
        disable_instance_discovery=True,
        connection_verify=str(client.emulator.ca_bundle),
    )


def refused(response, status, error, code):
    """The body has Entra's form and names the code; nothing that was sent as a proof comes back."""
    body = response.json()
    assert (response.status_code, body["error"], body["error_codes"]) == (status, error, [code]), body
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert body["correlation_id"] == "my-id"
    assert body["timestamp"] == "2026-11-23 16:00:00Z"
    assert f"Trace ID: {body['trace_id']} Correlation ID: my-id Timestamp:" in body["error_description"]
    sent = response.request.content.decode()
    for proof in ("client_secret=", "client_assertion="):
        if proof in sent:
            assert sent.split(proof)[1].split("&")[0] not in response.text


def test_a_token_carries_the_granted_permissions_of_its_resource(client):
    tenant = client.emulator.tenant
    answer = ask(client)
    assert answer.status_code == 200
    claims = claims_of(answer)
    assert set(claims["roles"]) == tenant.app.graph_roles
    assert {name: claims[name] for name in ("aud", "appid", "azp", "oid", "tid", "idtyp", "appidacr", "ver")} == {
        "aud": client.emulator.graph_url,
        "appid": tenant.app.client_id,
        "azp": tenant.app.client_id,
        "oid": tenant.app.object_id,
        "tid": tenant.tenant_id,
        "idtyp": "app",
        "appidacr": "1",
        "ver": "1.0",
    }
    assert abs(claims["iat"] - time.time()) < 60, "lifetimes use the real clock"
    assert claims["exp"] - claims["iat"] == answer.json()["expires_in"]
    exchange = claims_of(ask(client, scope=f"{client.emulator.exchange_url}/.default"))
    assert (exchange["roles"], exchange["aud"]) == (["Exchange.ManageAsApp"], client.emulator.exchange_url)


def test_without_any_granted_permission_there_is_no_roles_claim(serve, tenant):
    tenant.app.graph_roles = set()
    assert "roles" not in claims_of(ask(serve(tenant)))


def test_the_published_key_verifies_the_token(client):
    keys = client.http.get(f"{client.emulator.authority}/{client.emulator.tenant.tenant_id}/discovery/v2.0/keys").json()
    token = ask(client).json()["access_token"]
    key = jwt.PyJWK(keys["keys"][0])
    assert jwt.get_unverified_header(token)["kid"] == key.key_id
    jwt.decode(token, key, audience=client.emulator.graph_url)


def test_the_tenant_answers_to_its_domains_too(client):
    for name in ("contoso.onmicrosoft.com", "CONTOSO.example"):
        assert ask(client, name).status_code == 200


def test_discovery_names_the_endpoints(client):
    url = f"{client.emulator.authority}/contoso.example/v2.0/.well-known/openid-configuration"
    found = client.http.get(url).json()
    base = f"{client.emulator.authority}/{client.emulator.tenant.tenant_id}"
    assert (found["issuer"], found["token_endpoint"]) == (f"{base}/v2.0", f"{base}/oauth2/v2.0/token")


def test_instance_discovery_points_home(client):
    found = client.http.get(f"{client.emulator.authority}/common/discovery/instance").json()
    assert found["tenant_discovery_endpoint"].startswith(client.emulator.authority)


def test_azure_identity_signs_in_with_the_secret(client):
    with secret_credential(client) as credential:
        token = credential.get_token(f"{client.emulator.graph_url}/.default")
    assert token.expires_on > time.time()


def test_azure_identity_reports_the_aadsts_code(client):
    with (
        secret_credential(client, secret="wrong-secret-value") as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215") as caught,
    ):
        credential.get_token(f"{client.emulator.graph_url}/.default")
    assert "wrong-secret-value" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "status", "error", "code"),
    [
        ({"client_secret": "not the secret"}, 401, "invalid_client", 7000215),
        ({"client_id": "44444444-4444-4444-8444-444444444444"}, 400, "unauthorized_client", 700016),
        ({"scope": "https://graph.microsoft.com/.default"}, 400, "invalid_resource", 500011),
        ({"scope": "User.Read.All"}, 400, "invalid_scope", 1002012),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"grant_type": None}, 400, "invalid_request", 900144),
        ({"client_id": None}, 400, "invalid_request", 900144),
        ({"scope": None}, 400, "invalid_request", 900144),
        ({"client_secret": None}, 401, "invalid_client", 7000218),
        ({"client_secret": None, "client_assertion": "no.jwt.here", "client_assertion_type": ASSERTION_TYPE},
         401, "invalid_client", 700027),
        ({"client_secret": None, "client_assertion": "a.b.c"}, 400, "invalid_request", 900144),
    ],
)  # fmt: skip
def test_wrong_requests_are_refused_in_entras_words(client, changes, status, error, code):
    refused(ask(client, **changes), status, error, code)


@pytest.mark.parametrize(
    ("organisation", "code"),
    [("55555555-5555-4555-8555-555555555555", 90002), ("fabrikam.example", 90002), ("not a tenant", 900023)],
)
def test_another_tenant_is_refused_at_both_endpoints(client, organisation, code):
    refused(ask(client, organisation), 400, "invalid_request", code)
    url = f"{client.emulator.authority}/{organisation}/v2.0/.well-known/openid-configuration"
    assert client.http.get(url).json()["error_codes"] == [code]


def test_an_expired_secret_is_told_from_a_wrong_one(serve, tenant):
    tenant.app.secret_expired = True
    client = serve(tenant)
    refused(ask(client), 401, "invalid_client", 7000222)
    refused(ask(client, client_secret="x"), 401, "invalid_client", 7000215)


def test_a_disabled_app_is_refused(serve, tenant):
    tenant.app.disabled = True
    refused(ask(serve(tenant)), 401, "unauthorized_client", 7000112)


def test_a_tenant_of_another_cloud_is_refused(serve, tenant):
    tenant.other_cloud = True
    refused(ask(serve(tenant)), 400, "invalid_request", 900382)


def test_one_certificate_assertion_of_azure_identity_opens_both_services(serve, tenant, certificate):
    tenant.app.certificates = [certificate.public]
    client = serve(tenant)
    with CertificateCredential(
        tenant.tenant_id,
        tenant.app.client_id,
        certificate_data=certificate.private + certificate.public,
        authority=client.emulator.authority,
        disable_instance_discovery=True,
        connection_verify=str(client.emulator.ca_bundle),
    ) as credential:
        tokens = [
            credential.get_token(f"{resource}/.default").token
            for resource in (client.emulator.graph_url, client.emulator.exchange_url)
        ]
    claims = [jwt.decode(token, options={"verify_signature": False}) for token in tokens]
    assert [claim["appidacr"] for claim in claims] == ["2", "2"]


def assertion(client, certificate, *, header=None, algorithm="PS256", key=None, **changes):
    tenant = client.emulator.tenant
    now = int(time.time())
    payload = {
        "aud": f"{client.emulator.authority}/{tenant.tenant_id}/oauth2/v2.0/token",
        "iss": tenant.app.client_id,
        "sub": tenant.app.client_id,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "exp": now + 300,
        **changes,
    }
    return jwt.encode(
        {name: value for name, value in payload.items() if value is not None},
        key or certificate.key,
        algorithm=algorithm,
        headers={"x5t#S256": certificate.thumbprint(hashes.SHA256())} if header is None else header,
    )


def present(client, token, **changes):
    return ask(client, client_secret=None, client_assertion=token, client_assertion_type=ASSERTION_TYPE, **changes)


@pytest.fixture
def certified(serve, tenant, certificate):
    tenant.app.certificates = [Certificate().public, certificate.public]
    return serve(tenant)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
@pytest.mark.parametrize("name", ["x5t", "x5t#S256"])
def test_assertions_in_both_forms_are_accepted(certified, certificate, algorithm, name):
    kind = hashes.SHA1() if name == "x5t" else hashes.SHA256()
    token = assertion(certified, certificate, algorithm=algorithm, header={name: certificate.thumbprint(kind)})
    assert present(certified, token).status_code == 200


def test_a_replayed_assertion_is_refused_for_the_same_resource_only(certified, certificate):
    token = assertion(certified, certificate)
    assert present(certified, token).status_code == 200
    assert present(certified, token, scope=f"{certified.emulator.exchange_url}/.default").status_code == 200
    refused(present(certified, token), 401, "invalid_client", 700027)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "https://login.microsoftonline.com/common/oauth2/v2.0/token"}, 700027),
        ({"sub": "someone else"}, 700027),
        ({"iss": "someone else"}, 700027),
        ({"jti": None}, 700027),
        ({"exp": 1}, 700024),
        ({"exp": None}, 700024),
        ({"nbf": 4102444800}, 700024),
        ({"header": {}}, 700027),
        ({"header": {"x5t": "AAAA"}}, 700027),
        ({"algorithm": "RS512"}, 700027),
        ({"key": rsa.generate_private_key(65537, 2048)}, 700027),
    ],
)
def test_bad_assertions_are_refused(certified, certificate, changes, code):
    response = present(certified, assertion(certified, certificate, **changes))
    refused(response, 401, "invalid_client", code)


def test_an_expired_certificate_is_refused(serve, tenant):
    old = Certificate(days=-1)
    tenant.app.certificates = [old.public]
    client = serve(tenant)
    refused(present(client, assertion(client, old)), 401, "invalid_client", 700027)


def test_a_federated_token_needs_a_matching_credential(serve, tenant, certificate):
    client = serve(tenant)

    def token():
        return assertion(client, certificate, header={}, algorithm="RS256", iss="https://issuer.example", sub="repo:x",
                         aud="api://AzureADTokenExchange")  # fmt: skip

    refused(present(client, token()), 401, "invalid_client", 700213)
    tenant.app.federated = [
        {"issuer": "https://issuer.example", "subject": "repo:x", "audience": "api://AzureADTokenExchange",
         "public_key": certificate.public_key}
    ]  # fmt: skip
    with ClientAssertionCredential(
        tenant.tenant_id,
        tenant.app.client_id,
        token,
        authority=client.emulator.authority,
        disable_instance_discovery=True,
        connection_verify=str(client.emulator.ca_bundle),
    ) as credential:
        assert credential.get_token(f"{client.emulator.graph_url}/.default").token
    tenant.app.federated[0]["audience"] = "api://other"
    refused(present(client, token()), 401, "invalid_client", 700213)
    tenant.app.federated[0] |= {"audience": "api://AzureADTokenExchange", "public_key": Certificate().public_key}
    refused(present(client, token()), 401, "invalid_client", 700027)


def test_error_bodies_are_json_that_msal_reads(client):
    body = json.loads(ask(client, client_secret="x").content)
    assert set(body) == {
        "error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri",
    }  # fmt: skip
