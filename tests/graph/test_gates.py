"""Gates never let through more than the limit, also as the service at the other end of a slow wire counts it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections.abc import Awaitable

import pytest

from auditor.graph.gates import LIMITS, Gate, Gates, Limit, resource_units

from ..clocks import FakeClock


class Service:
    """The bucket as the service keeps it: full at first, charged when a request arrives."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.level = limit.burst
        self.at = 0.0
        self.refused = 0

    def arrives(self, moment: float, cost: float) -> None:
        self.level = min(self.limit.burst, self.level + (moment - self.at) * self.limit.burst / self.limit.seconds)
        self.at = moment
        self.refused += self.level < cost
        self.level -= cost

    @property
    def percentage(self) -> float:
        return 1 - self.level / self.limit.burst


def _pass(gate: Gate, times: int, cost: float = 1.0) -> None:
    async def go() -> None:
        for _ in range(times):
            async with gate.passing(cost):
                pass

    asyncio.run(go())


def test_the_burst_passes_at_once_and_the_rest_at_the_rate(clock):
    gate = Gate(Limit(5, 10), clock)
    _pass(gate, 5)
    assert clock.slept == []
    _pass(gate, 5)
    assert 10.0 <= clock.seconds <= 10.2


def test_the_share_applies_to_every_limit(clock):
    gates = Gates(clock, 0.5, {"directory": Limit(100, 10), "reports": Limit(6, 10)})
    _pass(gates["directory"], 51)
    assert clock.seconds == pytest.approx(0.2, rel=0.02)
    _pass(gates["reports"], 4)
    assert clock.seconds == pytest.approx(0.2 + 10 / 3, rel=0.1)


def test_a_request_dearer_than_the_burst_still_passes(clock):
    _pass(Gate(Limit(2, 10), clock), 2, cost=5)
    assert clock.seconds == pytest.approx(10.0, rel=0.02)


def test_a_closed_gate_opens_when_the_service_said(clock):
    gate = Gate(Limit(5, 10), clock)
    gate.close(30)
    _pass(gate, 1)
    assert clock.seconds == pytest.approx(30)


def test_who_came_first_passes_first(clock):
    gate = Gate(Limit(10, 10), clock)
    passed = []

    async def one(name: str, cost: float) -> None:
        async with gate.passing(cost):
            passed.append(name)

    async def go() -> None:
        await asyncio.gather(one("all", 10), one("dear", 9), one("cheap", 1))

    asyncio.run(go())
    assert passed == ["all", "dear", "cheap"]


@pytest.mark.parametrize("bucket", sorted(LIMITS))
@pytest.mark.parametrize("seed", range(3))
def test_alone_no_request_is_ever_refused_and_little_time_is_lost(clock, bucket, seed):
    limit = LIMITS[bucket]
    gate, service, latency = Gate(limit, clock), Service(limit), random.Random(seed)
    costs = 4 if bucket == "directory" else 1
    count = int(limit.burst * 3 / costs) + 200

    async def go() -> None:
        for number in range(count):
            async with gate.passing(costs):
                slow = 0.05 if number else 1.5  # the first one connects
                clock.seconds += latency.uniform(0, slow) if bucket != "conditional-access" else 0.01
                service.arrives(clock.seconds, costs)
                clock.seconds += 0.001

    asyncio.run(go())
    assert service.refused == 0
    floor = (count * costs - limit.burst) / (limit.burst / limit.seconds)
    if floor > 120:
        assert clock.seconds <= 1.15 * floor


class Timeline(FakeClock):
    """Time that several tasks share: it passes when all of them wait, up to where the first goes on."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        done = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self.seconds + seconds, next(NUMBERS), done))
        await done

    async def run(self, *tasks: Awaitable[None]) -> None:
        together = asyncio.gather(*tasks)
        while not together.done():
            for _ in range(10):
                await asyncio.sleep(0)
            if self._waiting:
                self.seconds, _, done = heapq.heappop(self._waiting)
                done.set_result(None)
        together.result()


NUMBERS = itertools.count()


@pytest.mark.parametrize("bucket", ["reports", "exchange", "conditional-access"])
@pytest.mark.parametrize("seed", range(5))
def test_requests_that_are_long_on_the_way_are_never_refused(bucket, seed):
    """Several at once, each held up for up to twenty seconds before the service sees it, which then stands full, and
    for as long before its answer is here."""
    limit, clock, delay = LIMITS[bucket], Timeline(), random.Random(seed)
    gate, service = Gate(limit, clock), Service(limit)

    async def reading() -> None:
        for _ in range(60):
            async with gate.passing():
                await clock.sleep(delay.choice((0.01, 0.5, 20)) * delay.random())
                service.arrives(clock.seconds, 1)
                await clock.sleep(delay.choice((0.01, 20)) * delay.random())

    asyncio.run(clock.run(*(reading() for _ in range(4))))
    assert service.refused == 0


def test_a_request_that_was_given_up_takes_nothing_from_the_others(clock):
    gate = Gate(Limit(1, 1), clock)

    async def go() -> None:
        with pytest.raises(TimeoutError):
            async with gate.passing():
                raise TimeoutError
        async with gate.passing():
            pass

    asyncio.run(go())
    assert clock.seconds == pytest.approx(1.0, abs=0.02)


def test_what_the_service_says_of_its_bucket_is_believed(clock):
    gate, service = Gate(Limit(8000, 10), clock), Service(Limit(8000, 10))
    service.arrives(0, 7200)  # somebody else of the same app

    async def go() -> None:
        for _ in range(4000):
            async with gate.passing(4):
                service.arrives(clock.seconds, 4)
                told = {"x-ms-throttle-limit-percentage": str(service.percentage)} if service.percentage > 0.8 else {}
                gate.heed(4, told)

    asyncio.run(go())
    assert service.refused == 0


def test_what_a_request_really_cost_is_counted(clock):
    gate = Gate(Limit(100, 10), clock)

    async def go() -> None:
        for _ in range(10):
            async with gate.passing(1):
                gate.heed(1, {"x-ms-resource-unit": "10"})

    asyncio.run(go())
    assert gate.used == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["", "many", "-1", "inf", "nan"])
def test_a_header_that_says_nothing_changes_nothing(clock, text):
    gate = Gate(Limit(100, 10), clock)
    _pass(gate, 10)
    gate.heed(1, {"x-ms-resource-unit": text, "x-ms-throttle-limit-percentage": text})
    assert gate.used == pytest.approx(0.1)


def test_a_refused_gate_slows_down_and_comes_back(clock):
    gate = Gate(Limit(10, 10), clock)
    gate.refused()
    _pass(gate, 4)
    slow = clock.seconds
    assert slow > 7
    for _ in range(20):
        gate.heed(1, {})
    _pass(gate, 4)
    assert clock.seconds - slow == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize(("users", "units"), [(0, 3500), (49, 3500), (50, 5000), (500, 5000), (501, 8000)])
def test_the_directory_allows_more_to_larger_tenants(clock, users, units):
    gates = Gates(clock, 1.0)
    _pass(gates["directory"], 1, cost=3500)
    gates.size(users)
    assert gates["directory"].used == pytest.approx(3500 / units)


def test_a_clock_that_shows_years_still_passes(clock):
    clock.seconds = 3e8
    _pass(Gate(Limit(3, 7), clock), 50)


@pytest.mark.parametrize(
    ("path", "selects", "top", "units"),
    [
        ("/users", True, 999, 1),
        ("/users", False, 999, 2),
        ("/groups/x/transitiveMembers/microsoft.graph.user", True, 999, 4),
        ("/subscribedSkus", False, None, 3),
        ("/organization", True, 5, 1),
        ("/servicePrincipals/x/appRoleAssignedTo", False, 10, 1),
    ],
)
def test_resource_units_as_documented(path, selects, top, units):
    assert resource_units(path, selects=selects, top=top) == units
