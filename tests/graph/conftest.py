"""A Graph of our own on httpx's mock transport, a clock that never waits, and the emulated tenant over TLS."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest
from azure.core.credentials import AccessToken

from auditor.config import EMPTY, LoadedConfig, TenantConfig, load
from auditor.demo.server import Emulator
from auditor.demo.settings import write_config
from auditor.demo.tenant import generate
from auditor.graph.gates import Gates
from auditor.graph.reader import Reader
from auditor.graph.session import GraphSession

from ..clocks import FakeClock

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
TOKEN_CLAIMS = {"roles": ["User.Read.All", "Policy.Read.All"], "appid": "app-1"}
SIGNATURE = "c2lnbmF0dXJl"


class FixedCredential:
    """Hands out one unsigned token."""

    def __init__(self) -> None:
        payload = base64.urlsafe_b64encode(json.dumps(TOKEN_CLAIMS).encode()).decode().rstrip("=")
        self.token = f"eyJhbGciOiJub25lIn0.{payload}.{SIGNATURE}"
        self.closed = False

    async def get_token(self, *scopes: str, **options: object) -> AccessToken:
        return AccessToken(self.token, 4_000_000_000)

    async def close(self) -> None:
        self.closed = True


Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def reader_for(clock: FakeClock) -> Callable[[Handler], Reader]:
    """A reader on `https://graph.microsoft.com` whose every request goes to the handler."""

    def make(handler: Handler) -> Reader:
        tenant = TenantConfig(name="t", tenant_id="t", client_id="c")
        session = GraphSession.open(
            EMPTY, tenant, clock=clock, credential=FixedCredential(), transport=httpx.MockTransport(handler)
        )
        return Reader(session, Gates(clock))

    return make


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    tenant = generate(accounts=95, seed=7, scenario="default", quarter=1, now=None)
    with Emulator(tenant, tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture
def emulator(served: Emulator) -> Iterator[Emulator]:
    """The emulated tenant; what a test changes on its app or premium state is put back."""
    before = copy.deepcopy(served.tenant.app)
    other_cloud = served.tenant.other_cloud
    yield served
    served.tenant.app = before
    served.tenant.other_cloud = other_cloud


@pytest.fixture
def config(emulator: Emulator, tmp_path) -> LoadedConfig:
    write_config(emulator.tenant, emulator, tmp_path / "config.toml")
    return load(tmp_path / "config.toml")
