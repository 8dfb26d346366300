from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from auditor.demo.server import SERVICES, Emulator, wait_until_stopped
from auditor.errors import UsageError

FIXED_DATE = "Mon, 23 Nov 2026 16:00:00 GMT"


def addresses(emulator: Emulator) -> list[str]:
    return [emulator.authority, emulator.graph_url, emulator.exchange_url, emulator.reports_url]


def test_each_service_has_its_own_port_on_localhost(client):
    found = [httpx.URL(address) for address in addresses(client.emulator)]
    assert {(url.scheme, url.host) for url in found} == {("https", "localhost")}
    assert len({url.port for url in found}) == len(SERVICES)


def test_every_answer_carries_the_tenants_clock_once_even_what_does_not_exist(client):
    for address in addresses(client.emulator):
        answer = client.http.get(f"{address}/nowhere/at/all")
        assert answer.headers.get_list("Date") == [FIXED_DATE], address


def test_the_date_of_a_success_is_the_tenants_clock_too(client):
    assert client.graph("/organization").headers.get_list("Date") == [FIXED_DATE]


def test_the_certificate_is_not_trusted_without_the_bundle(client):
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(client.emulator.graph_url)


def test_localhost_is_served_on_every_loopback_address(client):
    port = httpx.URL(client.emulator.graph_url).port
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        if available(family, host):
            with socket.socket(family, socket.SOCK_STREAM) as connection:
                connection.connect((host, port))


def test_the_secret_file_is_private_and_holds_the_secret(client):
    path = client.emulator.secret_file
    assert path.read_text(encoding="utf-8") == client.emulator.tenant.app.secret
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_file_that_others_could_read_is_replaced(tenant, tmp_path):
    old = tmp_path / "client-secret.txt"
    old.write_text("old")
    old.chmod(0o644)
    with Emulator(tenant, tmp_path):
        assert old.read_text(encoding="utf-8") == tenant.app.secret
        if sys.platform != "win32":
            assert old.stat().st_mode & 0o777 == 0o600


def test_the_log_counts_by_service_and_keeps_no_token(serve, tenant):
    client = serve(tenant)
    client.graph("/organization")
    client.graph("/domains")
    log = client.emulator.requests
    assert log.by_service() == {"login": 2, "graph": 2}  # discovery and token
    assert log.count("graph") == 2
    assert log.count() == 4
    entry = log.entries[-1]
    assert (entry.service, entry.method, entry.path, entry.status, entry.authorized) == (
        "graph", "GET", "/v1.0/domains", 200, True,
    )  # fmt: skip
    assert client.token(client.emulator.graph_url) not in repr(log)
    assert tenant.app.secret not in repr(log)


def test_a_given_port_is_the_first_of_four(tenant, tmp_path):
    port = free_block()
    with Emulator(tenant, tmp_path, port) as emulator:
        ports = [httpx.URL(address).port for address in addresses(emulator)]
    assert ports == [port, port + 1, port + 2, port + 3]


def test_a_port_is_free_again_after_the_emulator(tenant, tmp_path):
    port = free_block()
    for _ in range(2):
        with Emulator(tenant, tmp_path, port) as emulator:
            assert emulator.authority == f"https://localhost:{port}"


def test_a_port_in_use_is_an_error_with_a_remedy(tenant, tmp_path):
    port = free_block()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        with (
            pytest.raises(UsageError, match=f"Port {port + 1} cannot be used") as caught,
            Emulator(tenant, tmp_path, port),
        ):
            pass
    assert "--port" in caught.value.remedy
    with Emulator(tenant, tmp_path, port):  # nothing was left open
        pass


@pytest.mark.parametrize("port", [65534, 70000, -1])
def test_ports_beyond_the_last_are_a_usage_error(tenant, tmp_path, port):
    with pytest.raises(UsageError, match="four consecutive ports"), Emulator(tenant, tmp_path, port):
        pass


def test_a_folder_that_cannot_be_made_is_a_usage_error(tenant, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"), Emulator(tenant, tmp_path / "file" / "below"):
        pass


def test_leaving_the_context_ends_the_service_even_with_an_open_connection(serve, tenant, tmp_path):
    with Emulator(tenant, tmp_path) as emulator:
        context = ssl.create_default_context(cafile=str(emulator.ca_bundle))
        with httpx.Client(verify=context) as http:
            http.get(emulator.authority)
            threads = threading.active_count()
            emulator.__exit__(None, None, None)
            assert threading.active_count() == threads - 1
            with pytest.raises(httpx.TransportError):
                http.get(emulator.authority)


def test_waiting_ends_when_it_is_told_to():
    stop = threading.Event()
    stop.set()
    before = signal.getsignal(signal.SIGTERM)
    wait_until_stopped(stop)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals to another process")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_waiting_ends_cleanly_on_a_signal(number, root: Path):
    program = (
        "import threading; from auditor.demo.server import stop_signals, wait_until_stopped\n"
        "stop = threading.Event()\n"
        "with stop_signals(stop):\n"
        "    print('ready', flush=True)\n"
        "    wait_until_stopped(stop)\n"
        "print('closed', flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root
    ) as process:
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, number)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "closed\n", "")


def available(family: socket.AddressFamily, host: str) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


def free_block() -> int:
    """The first of four ports that are free now."""
    start = 20000 + os.getpid() * 16 % 8000  # test processes side by side do not meet
    for first in range(start, start + 400, 4):
        with_all = []
        try:
            for port in range(first, first + 4):
                probe = socket.socket()
                with_all.append(probe)
                probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for probe in with_all:
                probe.close()
    pytest.fail("no four free ports")
