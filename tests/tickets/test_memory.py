"""The scenarios on a system in memory: what the plan and the sync promise, apart from any server."""

from __future__ import annotations

import msgspec
import pytest
from memory import Memory
from scenarios import Scenarios

from auditor.tickets.base import Limits


class TestMemory(Scenarios):
    @pytest.fixture(params=["prompt", "lagging", "batches"])
    def desk(self, request, clock):
        lag, batch = {"prompt": (0, 1), "lagging": (30, 1), "batches": (0, 50)}[request.param]
        memory = Memory(clock, Limits(title=255, body=32_767, batch=batch, index_lag=lag))
        memory.settings = msgspec.structs.replace(memory.settings, waived_state="Risk accepted")
        return memory


class TestWithoutAStateForWhatIsAccepted(Scenarios):
    @pytest.fixture
    def desk(self, clock):
        return Memory(clock)
