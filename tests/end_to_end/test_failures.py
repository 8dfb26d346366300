"""Every way a run can fail: a one-line cause and remedy, the contract's exit code, no traceback, no secret."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import trustme

from auditor.demo.server import Emulator
from auditor.demo.settings import write_config
from auditor.demo.tenant import generate

PLANTED = "planted-secret-0f9c1d"


def auditor(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "auditor", *(str(argument) for argument in arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=200, check=False)


def assert_clean(done: subprocess.CompletedProcess[str], code: int, *words: str, secrets: tuple[str, ...] = ()) -> None:
    output = done.stdout + done.stderr
    assert done.returncode == code, output
    assert "Traceback" not in output
    assert len([line for line in done.stderr.splitlines() if line.strip()]) <= 2, output
    for word in words:
        assert word.lower() in output.lower(), (word, output)
    for secret in (PLANTED, *secrets):
        assert secret not in output
    assert not re.search(r"eyJ[\w-]{20,}", output), "a token was printed"


@pytest.fixture(scope="module")
def tenant():
    return generate(accounts=40)


@pytest.fixture
def emulated(tenant, tmp_path):
    """(emulator, config path) of a fresh emulated tenant."""
    tenant = generate(accounts=40)
    with Emulator(tenant, tmp_path / "private") as emulator:
        path = tmp_path / "config.toml"
        write_config(tenant, emulator, path)
        yield tenant, emulator, path


def edit(path: Path, pattern: str, replacement: str) -> None:
    text = path.read_text(encoding="utf-8")
    changed, count = re.subn(pattern, lambda _: replacement, text, count=1, flags=re.MULTILINE)
    assert count == 1, (pattern, text)
    path.write_text(changed, encoding="utf-8")


def test_wrong_secret(emulated, tmp_path):
    tenant, emulator, config = emulated
    Path(emulator.secret_file).write_text(PLANTED, encoding="utf-8")
    assert_clean(auditor("run", "--config", config, cwd=tmp_path), 4, "7000215", "secret", secrets=(tenant.app.secret,))


def test_expired_secret(emulated, tmp_path):
    tenant, _, config = emulated
    tenant.app.secret_expired = True
    assert_clean(
        auditor("run", "--config", config, cwd=tmp_path), 4, "7000222", "expired", secrets=(tenant.app.secret,)
    )


def test_unknown_tenant(emulated, tmp_path):
    tenant, _, config = emulated
    edit(config, r'^tenant_id = ".*"', 'tenant_id = "11111111-2222-3333-4444-555555555555"')
    assert_clean(auditor("run", "--config", config, cwd=tmp_path), 4, "90002", "tenant", secrets=(tenant.app.secret,))


def test_unknown_app(emulated, tmp_path):
    tenant, _, config = emulated
    edit(config, r'^client_id = ".*"', 'client_id = "11111111-2222-3333-4444-555555555555"')
    assert_clean(auditor("run", "--config", config, cwd=tmp_path), 4, "700016", "app", secrets=(tenant.app.secret,))


def test_no_permission_at_all(emulated, tmp_path):
    tenant, _, config = emulated
    tenant.app.graph_roles.clear()
    tenant.app.exchange_roles.clear()
    assert_clean(auditor("run", "--config", config, cwd=tmp_path), 4, "permission", secrets=(tenant.app.secret,))


def test_nobody_listens(emulated, tmp_path):
    _, emulator, config = emulated
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    edit(config, re.escape(emulator.authority), f"https://localhost:{port}")
    assert_clean(auditor("run", "--config", config, cwd=tmp_path), 5, "could not be reached")


def test_unknown_host_name(emulated, tmp_path):
    _, emulator, config = emulated
    edit(config, re.escape(emulator.authority), "https://login.invalid")
    assert_clean(auditor("run", "--config", config, cwd=tmp_path), 5, "login.invalid")


def test_graph_does_not_answer(emulated, tmp_path):
    _, emulator, config = emulated
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    edit(config, re.escape(emulator.graph_url), f"https://localhost:{port}")
    assert auditor("run", "--config", config, cwd=tmp_path).returncode in (4, 5)


def test_certificate_of_a_stranger(emulated, tmp_path):
    _, _emulator, config = emulated
    stranger = trustme.CA()
    stranger.cert_pem.write_to_path(str(tmp_path / "stranger.pem"))
    edit(config, r"^ca_bundle = .*", f"ca_bundle = '{tmp_path / 'stranger.pem'}'")
    assert_clean(auditor("run", "--config", config, cwd=tmp_path), 5, "certificate")


def test_no_tls_at_the_other_end(emulated, tmp_path):
    _, emulator, config = emulated
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()

    threading.Thread(target=serve, daemon=True).start()
    edit(config, re.escape(emulator.authority), f"https://localhost:{listener.getsockname()[1]}")
    assert_clean(auditor("run", "--config", config, cwd=tmp_path), 5, "TLS")


def test_wrong_cloud(emulated, tmp_path):
    tenant, _emulator, config = emulated
    tenant.other_cloud = True
    assert_clean(auditor("run", "--config", config, cwd=tmp_path), 4, "cloud", secrets=(tenant.app.secret,))


@pytest.mark.parametrize(
    ("edit_this", "by", "words"),
    [
        (r"^client_id = ", "clientid = ", ("config.toml", "client_id")),
        (r'^cloud = "custom"', 'cloud = "publik"', ("config.toml", "cloud")),
        (r"^client_secret_file = .*", f'client_secret = "{PLANTED}"', ("config.toml", "client_secret")),
        (r"^\[\[tenants\]\]", "[[tenants", ("config.toml", "line")),
    ],
)
def test_config_typos(emulated, tmp_path, edit_this, by, words):
    _, _, config = emulated
    edit(config, edit_this, by)
    assert_clean(auditor("run", "--config", config, cwd=tmp_path), 2, *words)


def test_missing_config(tmp_path):
    assert_clean(auditor("run", "--config", tmp_path / "none.toml", cwd=tmp_path), 2, "none.toml", "auditor init")


def test_secret_in_an_unset_variable(emulated, tmp_path):
    _, _, config = emulated
    edit(config, r"^client_secret_file = .*", 'client_secret_env = "AUDITOR_TEST_UNSET"')
    assert_clean(auditor("run", "--config", config, cwd=tmp_path), 2, "AUDITOR_TEST_UNSET")


def test_folder_that_is_not_empty(emulated, tmp_path):
    _, _, config = emulated
    assert_clean(auditor("run", "--config", config, "--out", tmp_path, cwd=tmp_path), 2, "not empty")


def test_folder_that_cannot_be_made(emulated, tmp_path):
    _, _, config = emulated
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert_clean(auditor("run", "--config", config, "--out", tmp_path / "file" / "run", cwd=tmp_path), 2, "file")


def test_snapshot_without_a_moment(tmp_path):
    folder = tmp_path / "hand-made"
    folder.mkdir()
    (folder / "users.json").write_text('{"value": []}', encoding="utf-8")
    assert_clean(auditor("evaluate", folder, "--out", tmp_path / "out", cwd=tmp_path), 2, "--now")


def test_snapshot_that_is_none(tmp_path):
    assert_clean(auditor("evaluate", tmp_path, "--out", tmp_path / "out", cwd=tmp_path), 2, "manifest.json")


def test_unknown_scenario(tmp_path):
    assert_clean(auditor("demo", "--scenario", "nonsense", cwd=tmp_path), 2, "nonsense", "default")


def test_no_secret_in_anything_a_run_leaves(emulated, tmp_path):
    tenant, _, config = emulated
    done = auditor("run", "--config", config, "--out", tmp_path / "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    secrets = [tenant.app.secret, *tenant.passwords.values(), *tenant.app_passwords.values()]
    for path in (tmp_path / "run").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(secret.encode() in data for secret in secrets if secret), path
            assert not re.search(rb"eyJ[\w-]{20,}\.eyJ", data), path


def test_the_tls_of_the_emulated_tenant_is_real(emulated):
    _, emulator, _ = emulated
    host, port = emulator.graph_url.removeprefix("https://").split(":")
    with pytest.raises(ssl.SSLCertVerificationError), socket.create_connection((host, int(port))) as raw:
        ssl.create_default_context().wrap_socket(raw, server_hostname=host)


def test_a_sender_that_no_tenant_claims_is_told(emulated, tmp_path):
    """With several tenants each judges its own senders; one that all of them leave out must not get lost."""
    _, _, config = emulated
    text = config.read_text(encoding="utf-8")
    entry = re.search(r"\[\[tenants\]\]\n.*?(?=\n\n)", text, re.DOTALL)[0]
    second = re.sub('name = ".*"', 'name = "Second"', entry)
    lost = '[[senders]]\nname = "lost-printer"\naccount = "printer@nowhere.example"\n'
    config.write_text(f"{text}\n{second}\n\n{lost}", encoding="utf-8")
    done = auditor("run", "--config", config, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Sender lost-printer: its account's domain belongs to none of the tenants" in done.stderr
    logged = auditor("run", "--config", config, "--out", tmp_path / "again", "--log-format", "json", cwd=tmp_path)
    assert '"event": "unclaimed-sender", "sender": "lost-printer"' in logged.stderr
    one = auditor("run", "--config", config, "--tenant", "Second", "--out", tmp_path / "one", cwd=tmp_path)
    assert "lost-printer" not in one.stderr
