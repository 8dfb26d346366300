"""Signing in against the emulated tenant over real TLS: what works, and one clear line for each thing that does not."""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import socket
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import msgspec
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from auditor.catalogue import BY_NAME
from auditor.errors import AuditorError, ConfigError, ServiceError, SignInError
from auditor.graph.gates import Gates
from auditor.graph.reader import Reader
from auditor.graph.requests import request_for
from auditor.graph.session import GraphSession, counting, permissions

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


async def _nothing(page):
    """Keeps nothing."""


def _sign_in(config, clock, **changes):
    """The permissions of a session whose tenant has these settings changed."""

    async def go():
        tenant = msgspec.structs.replace(config.config.tenants[0], **changes)
        async with GraphSession.open(config, tenant, clock=clock) as session:
            return session.permissions

    return asyncio.run(go())


def _fails(kind: type[AuditorError], config, clock, **changes) -> str:
    """The message of the error, after checking that no secret stands anywhere in it or in what it wraps."""
    with pytest.raises(kind) as caught:
        _sign_in(config, clock, **changes)
    told = "".join(traceback.format_exception(caught.value))
    assert "demo-" not in told
    assert "eyJ" not in told
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    return str(caught.value)


def test_the_permissions_are_known_before_the_first_read(config, clock, emulator):
    before = emulator.requests.count("graph")
    assert _sign_in(config, clock) == emulator.tenant.app.graph_roles
    assert emulator.requests.count("graph") == before


def test_no_consent_means_no_permissions(config, clock, emulator):
    emulator.tenant.app.graph_roles = set()
    assert _sign_in(config, clock) == frozenset()


def test_a_roles_claim_of_another_form_gives_nothing():
    assert permissions({"roles": "User.Read.All"}) == frozenset()
    assert permissions({}) == frozenset()


def test_a_secret_from_the_environment(config, clock, emulator, monkeypatch):
    monkeypatch.setenv("AUDITOR_TEST_SECRET", emulator.tenant.app.secret)
    assert _sign_in(config, clock, client_secret_file="", client_secret_env="AUDITOR_TEST_SECRET")


def test_a_wrong_secret(config, clock, tmp_path):
    (tmp_path / "wrong.txt").write_text("demo-wrong-secret")
    text = _fails(SignInError, config, clock, client_secret_file="wrong.txt")
    assert "AADSTS7000215" in text
    assert "client secret is wrong" in text


def test_an_expired_secret(config, clock, emulator):
    emulator.tenant.app.secret_expired = True
    assert "expired" in _fails(SignInError, config, clock)


def test_a_disabled_app(config, clock, emulator):
    emulator.tenant.app.disabled = True
    assert "disabled" in _fails(SignInError, config, clock)


def test_an_unknown_app(config, clock):
    text = _fails(SignInError, config, clock, client_id="11111111-2222-3333-4444-555555555555")
    assert "AADSTS700016" in text


def test_an_unknown_tenant(config, clock):
    text = _fails(SignInError, config, clock, tenant_id="11111111-2222-3333-4444-555555555555")
    assert "no such tenant" in text


def test_a_tenant_id_that_is_none(config, clock):
    assert "tenant_id" in _fails(ConfigError, config, clock, tenant_id="not a tenant!")


def test_the_wrong_cloud(config, clock, emulator):
    emulator.tenant.other_cloud = True
    text = _fails(SignInError, config, clock)
    assert "cloud" in text


def test_a_wrong_resource(config, clock):
    assert "AADSTS500011" in _fails(SignInError, config, clock, graph_url="https://localhost:1")


def test_nobody_listens(config, clock):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = _fails(ServiceError, config, clock, authority=f"https://localhost:{port}")
    assert "refused the connection" in text
    assert len(clock.slept) == 2


def test_a_host_that_does_not_exist(config, clock):
    text = _fails(ServiceError, config, clock, authority="https://no-such-host.invalid")
    assert "does not resolve" in text


def test_a_certificate_that_is_not_trusted(config, clock, tmp_path):
    (tmp_path / "other.pem").write_bytes(trustme.CA().cert_pem.bytes())
    text = _fails(ServiceError, config, clock, ca_bundle="other.pem")
    assert "TLS certificate is not trusted" in text
    assert clock.slept == []  # trying again would not help


def test_graphs_own_certificate_that_is_not_trusted(config, clock, emulator, tmp_path):
    """Sign-in is trusted, Graph is not: told as TLS, too."""
    tenant = config.config.tenants[0]

    async def go():
        async with GraphSession.open(config, tenant, clock=clock) as session:
            strict = GraphSession.open(config, msgspec.structs.replace(tenant, ca_bundle=""), clock=clock,
                                       credential=session._credential)  # fmt: skip
            async with strict:
                reader = Reader(strict, Gates(clock))
                request = request_for(strict.client, BY_NAME["organization"])
                return await reader.collection(request, "directory", _nothing)

    reading = asyncio.run(go())
    assert reading.kind == "network"
    assert "TLS" in reading.text


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"client_id": ""}, "client_id"),
        ({"client_secret_file": ""}, "credential"),
        ({"client_secret_file": "missing.txt"}, "client_secret_file"),
        ({"client_secret_file": "empty.txt"}, "client_secret_file"),
        ({"client_secret_file": "binary.txt"}, "client_secret_file"),
        ({"client_secret_file": "", "client_secret_env": "AUDITOR_NOT_SET"}, "client_secret_env"),
        ({"client_secret_file": "", "certificate_path": "missing.pem"}, "certificate_path"),
        ({"client_secret_file": "", "certificate_path": "empty.txt"}, "certificate_path"),
        ({"client_secret_file": "", "certificate_path": "empty.txt", "certificate_password_env": "AUDITOR_NOT_SET"},
         "certificate_password_env"),
        ({"client_secret_file": "", "federated_token_file": "missing.txt"}, "federated_token_file"),
        ({"ca_bundle": "missing.pem"}, "ca_bundle"),
        ({"ca_bundle": "empty.txt"}, "ca_bundle"),
        ({"graph_url": "https://host/v1.0"}, "graph_url"),
        ({"authority": "https://user@host"}, "authority"),
    ],
)  # fmt: skip
def test_what_the_config_lacks_is_named(config, clock, tmp_path, changes, key):
    (tmp_path / "empty.txt").write_text("  \n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    assert key in _fails(ConfigError, config, clock, **changes)


def _certificate(key) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "auditor")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + datetime.timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )


def _pem(key, password: bytes | None = None) -> tuple[bytes, bytes]:
    """(private key and certificate, certificate alone)"""
    public = _certificate(key).public_bytes(serialization.Encoding.PEM)
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return private + public, public


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def test_a_certificate(config, clock, emulator, tmp_path, rsa_key):
    private, public = _pem(rsa_key)
    (tmp_path / "auditor.pem").write_bytes(private)
    emulator.tenant.app.certificates = [public]
    assert _sign_in(config, clock, client_secret_file="", certificate_path="auditor.pem")


def test_a_certificate_with_a_password(config, clock, emulator, tmp_path, rsa_key, monkeypatch):
    private, public = _pem(rsa_key, b"open sesame")
    (tmp_path / "auditor.pem").write_bytes(private)
    emulator.tenant.app.certificates = [public]
    changes = {"client_secret_file": "", "certificate_path": "auditor.pem"}
    monkeypatch.setenv("AUDITOR_TEST_PASSWORD", "open sesame")
    assert _sign_in(config, clock, certificate_password_env="AUDITOR_TEST_PASSWORD", **changes)
    monkeypatch.setenv("AUDITOR_TEST_PASSWORD", "demo-wrong")
    assert "password is wrong" in _fails(
        ConfigError, config, clock, certificate_password_env="AUDITOR_TEST_PASSWORD", **changes
    )
    assert "password is wrong" in _fails(ConfigError, config, clock, **changes)


def test_a_certificate_that_the_app_does_not_know(config, clock, tmp_path, rsa_key):
    (tmp_path / "auditor.pem").write_bytes(_pem(rsa_key)[0])
    text = _fails(SignInError, config, clock, client_secret_file="", certificate_path="auditor.pem")
    assert "AADSTS700027" in text


def test_a_key_of_another_kind_is_refused_before_it_is_sent(config, clock, tmp_path):
    (tmp_path / "auditor.pem").write_bytes(_pem(ec.generate_private_key(ec.SECP256R1()))[0])
    assert "RSA" in _fails(ConfigError, config, clock, client_secret_file="", certificate_path="auditor.pem")


def test_a_federated_token_is_read_from_its_file(config, clock, emulator, tmp_path, rsa_key):
    claims = {"iss": "https://issuer.example", "sub": "pipeline", "aud": "api://AzureADTokenExchange"}
    public = rsa_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    emulator.tenant.app.federated = [
        {"issuer": claims["iss"], "subject": claims["sub"], "audience": claims["aud"], "public_key": public.decode()}
    ]
    moment = int(time.time())
    changes = {"client_secret_file": "", "federated_token_file": "token.jwt"}
    (tmp_path / "token.jwt").write_text(
        jwt.encode({**claims, "exp": moment + 600, "jti": "1"}, rsa_key, algorithm="RS256") + "\n"
    )
    assert _sign_in(config, clock, **changes)
    (tmp_path / "token.jwt").write_text(
        jwt.encode({**claims, "sub": "other", "exp": moment + 600, "jti": "2"}, rsa_key, algorithm="RS256")
    )
    assert "federated credential" in _fails(SignInError, config, clock, **changes)


class _Identity(BaseHTTPRequestHandler):
    """The endpoint that an Azure machine offers to its programs."""

    status = 200

    def do_GET(self) -> None:
        token = jwt.encode({"roles": ["User.Read.All"], "appid": "machine"}, "k" * 32, algorithm="HS256")
        body = {"access_token": token, "expires_on": "4000000000", "resource": "r", "token_type": "Bearer"}
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body if self.status == 200 else {"message": "no identity"}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.mark.parametrize("status", [200, 400])
def test_a_managed_identity(config, clock, monkeypatch, status):
    with HTTPServer(("127.0.0.1", 0), type("Machine", (_Identity,), {"status": status})) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{server.server_port}/msi/token")
            monkeypatch.setenv("IDENTITY_HEADER", "header")
            changes = {"client_secret_file": "", "client_id": "", "managed_identity": True}
            if status == 200:
                assert _sign_in(config, clock, **changes) == {"User.Read.All"}
            else:
                _fails(AuditorError, config, clock, **changes)
        finally:
            server.shutdown()
            thread.join()


def test_requests_are_counted_where_they_leave_and_nothing_secret_is_logged(config, clock, emulator, caplog):
    caplog.set_level(logging.DEBUG)
    before = emulator.requests.by_service()

    async def go():
        async with GraphSession.open(config, config.config.tenants[0], clock=clock) as session:
            reader = Reader(session, Gates(clock))
            with counting() as tally:
                request = request_for(session.client, BY_NAME["emailAppUsage"])
                answer = await reader.get(request, "usage-reports")
                await reader.download(answer.headers["location"], "usage-reports")
            return tally.requests, session.wire.requests, answer.headers["location"], session.service_now()

    counted, total, address, now = asyncio.run(go())
    after = emulator.requests.by_service()
    assert counted == total == 2
    assert (after["graph"] - before["graph"], after["reports"] - before["reports"]) == (1, 1)
    assert now == emulator.tenant.now
    assert [entry.authorized for entry in emulator.requests.entries][-2:] == [True, False]
    assert emulator.tenant.app.secret not in caplog.text
    assert "eyJ" not in caplog.text
    assert address not in caplog.text
