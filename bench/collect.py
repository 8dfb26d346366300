"""What a collection costs, beside the plain way and beside the least that is possible.

    python bench/collect.py [ACCOUNTS ...] [--plain USERS] [--plans N] [--throttled N] [--scale N] [--folder DIR]

ACCOUNTS is 10,000 unless given; 100,000 takes some minutes, 1,000,000 half an hour and, while it runs, the disk that a
snapshot of that size needs. Goals, at each size: at most 40 + 1.05 × Σ ceil(records ÷ page size) requests; from 100,000
accounts on: the collector's CPU at most 1.75 × the floor's, and at least 200 × less CPU per account than the plain way;
peak memory below 400 MiB at 100,000 accounts and 1 GiB at 1,000,000. With limits: at most 1.15 × the quota floor
wherever that exceeds 120 s of emulated time, and no 429 for a lone collector.

Method. The emulated tenant (auditor/demo, the special accounts and filler with --plans service plans in each large
product, 81 unless given, which is Microsoft 365 E5's number) is served over TLS by a process of its own, without
latency; what it costs is not counted. Each way of reading then runs in a process of its own:

(a) this collector: `auditor.collect.collect` with the config that the emulated tenant writes, into a temporary folder,
    libraries' imports included, and quota_share 1.0. Its own gates still keep the documented limits, on a clock that
    runs so fast (×1,000,000) that waiting takes no time: CPU is measured, and the elapsed time is that without limits.
(b) the plain way that most tools take: the SDK's typed models, its PageIterator, and one licence call per user. It
    reads users with their licences and as many registration rows, of --plain accounts (200 unless given), after one of
    each for the libraries to be loaded; per account it is *scaled*: no tenant was read that way whole. (a) reads every
    dataset, so the comparison favours (b).
(c) the floor: httpx with nothing around it asks for what (a) asked for (from the emulated tenant's log of first pages,
    as many pages of each; Exchange's lists likewise, `$batch` left out), decodes each answer once into plain objects
    and drops it. That as many records came as (a) kept is checked.

What only this checkout's test tools bring (trio, which httpx would load) is hidden from all three. CPU is user and
system time of the process, which a busy machine changes less than the clock. Memory is the peak
resident set, interpreter and libraries included. Requests are those that (a) counts for run.json, where each of the
datasets stands with its records; the bulk datasets are those that the catalogue gives a page size.

With limits (--throttled accounts, 10,000 unless given, 0: not at all). The tenant enforces the documented limits
(docs/emulator.md) on a clock that runs --scale times as fast (10 unless given), and the collector lives on such a clock
too; all seconds are emulated ones. What takes CPU takes --scale times as long in them, so a large scale is unfair to
the collector. The quota floor of each limit is (units − burst) ÷ rate, of what the tenant counted; beside it stands the
time from the first to the last request under that limit. Then the same with a second client that eats half of every
limit, and its floor by the half that is left.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WAYS = Path(__file__).resolve().parent / "collect_ways.py"

Json = dict[str, Any]

CPU_GOAL, PLAIN_GOAL, QUOTA_GOAL, QUOTA_FROM = 1.75, 200, 1.15, 120
MEMORY_GOALS = ((100_000, 400), (1_000_000, 1024))
CPU_FROM = 100_000
"""accounts from which on the CPU goals hold; below, loading the libraries outweighs the work"""
ASIDE = 3
"""records that may come on a dataset's path beside its pages: a collector may first look how large the tenant is"""
NO_WAITING = 1_000_000.0
"""how much faster the clock runs where limits are not to be waited for"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("accounts", nargs="*", type=int, default=[10_000])
    parser.add_argument("--plain", type=int, default=200, help="how many accounts the plain way reads")
    parser.add_argument("--plans", type=int, default=81, help="service plans of each large product")
    parser.add_argument("--throttled", type=int, default=10_000, help="accounts of the runs with limits; 0: none")
    parser.add_argument("--scale", type=float, default=10.0, help="how fast the emulated time runs with limits")
    parser.add_argument("--folder", type=Path, help="where the temporary folders are made")
    asked = parser.parse_args()
    rows = []
    for accounts in asked.accounts:
        with tempfile.TemporaryDirectory(prefix="auditor-bench-", dir=asked.folder) as folder:
            rows.append(side_by_side(accounts, asked.plans, asked.plain, Path(folder)))
    table(rows)
    if asked.throttled:
        for rival in (0.0, 0.5):
            with tempfile.TemporaryDirectory(prefix="auditor-bench-", dir=asked.folder) as folder:
                throttled(asked.throttled, asked.plans, asked.scale, rival, Path(folder))


class Tenant:
    """The emulated tenant in its own process while the context is open."""

    def __init__(self, folder: Path, **arguments: Any) -> None:
        command = [sys.executable, str(WAYS), "serve", json.dumps({"folder": str(folder), **arguments})]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout

    def __enter__(self) -> Tenant:
        said = self._line()
        self.config: str = said["config"]
        self.started: float = said["started"]
        return self

    def __exit__(self, *_: object) -> None:
        self._in.close()
        self._process.wait(60)
        self._out.close()

    def report(self) -> Json:
        self._in.write("report\n")
        self._in.flush()
        return self._line()

    def _line(self) -> Json:
        line = self._out.readline()
        if not line:
            raise SystemExit("the emulated tenant ended")
        said: Json = json.loads(line)
        return said


def way(name: str, **arguments: Any) -> Json:
    """What one way of reading says of itself, from a process of its own."""
    command = [sys.executable, str(WAYS), name, json.dumps(arguments)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    said: Json = json.loads(output.splitlines()[-1])
    return said


# without limits


def side_by_side(accounts: int, plans: int, plain: int, folder: Path) -> Json:
    from auditor.catalogue import EXCHANGE_DATASETS

    served = Tenant(folder, accounts=accounts, plans=plans, scale=1.0, limited=False, rival=0.0)
    with served as tenant:
        snapshot = str(folder / "snapshot")
        ours = way("collector", config=tenant.config, folder=snapshot, scale=NO_WAITING, quota_share=1.0)
        log = tenant.report()
        cmdlets = [name for name in EXCHANGE_DATASETS if ours["datasets"][name]["requests"]
                   and name != "mailboxPermissions"]  # fmt: skip
        least = way("floor", config=tenant.config, asked=log["asked"], reports=log["reports"], cmdlets=cmdlets)
        theirs = way("plain", config=tenant.config, users=min(plain, accounts))
        after = tenant.report()
    incomplete = {name: one for name, one in ours["datasets"].items() if one["state"] in ("cut", "failed", "denied")}
    print(
        f"\n{accounts:,} accounts, {plans} plans; the tenant started in {tenant.started:.1f} s and took "
        f"{after['peak_mib']:,.0f} MiB at most, {after['cpu']:.0f} s of CPU in all"
    )
    for name, one in incomplete.items():
        print(f"  NOT WHOLE: {name} {one['state']}: {one['reason']}")
    print(f"{'':<26}{'CPU s':>9}{'wall s':>9}{'peak MiB':>10}{'CPU ms/account':>16}")
    each = theirs["cpu"] / theirs["users"]
    _line("(a) this collector", ours["cpu"], ours["wall"], ours["peak_mib"], ours["cpu"] / accounts)
    _line(f"(b) plain, {theirs['users']} accounts", theirs["cpu"], theirs["wall"], theirs["peak_mib"], each)
    _line(f"    scaled to {accounts:,}", each * accounts, theirs["wall"] / theirs["users"] * accounts, None, each)
    _line("(c) floor", least["cpu"], least["wall"], least["peak_mib"], least["cpu"] / accounts)
    print(f"    of which {least['down']:.2f} s download {least['bytes'] / 2**20:,.0f} MiB and {least['decoded']:.2f} s "
          f"decode; (a) keeps {ours['disk'] / 2**20:,.0f} MiB on disk")  # fmt: skip
    _same_records(ours["datasets"], least["records"])
    allowed, pages = budget(ours["datasets"])
    goals([("requests", ours["requests"], "≤", allowed, f"40 + 1.05 × {pages:,} pages")])
    cpu = [
        ("CPU (a) ÷ (c)", ours["cpu"] / least["cpu"], "≤", CPU_GOAL, ""),
        ("CPU per account (b) ÷ (a)", each * accounts / ours["cpu"], "≥", PLAIN_GOAL, "(b) scaled"),
    ]
    goals(cpu, judged=accounts >= CPU_FROM)
    goals([("peak MiB", ours["peak_mib"], "≤", goal, "") for size, goal in MEMORY_GOALS if size == accounts])
    beyond = {name: one["requests"] - pages_of(name, one["records"]) for name, one in ours["datasets"].items()}
    most = sorted(beyond, key=lambda name: -beyond[name])[:6]
    print(f"  most requests beyond their pages: {', '.join(f'{name} {beyond[name]}' for name in most)}")
    return {"accounts": accounts, **{name: ours[name] for name in ("requests", "cpu", "wall", "peak_mib")},
            "floor": least["cpu"]}  # fmt: skip


def budget(datasets: Mapping[str, Json]) -> tuple[float, int]:
    """How many requests are allowed for run.json's `datasets`, and the pages that they need at least."""
    pages = sum(pages_of(name, one["records"]) for name, one in datasets.items())
    return 40 + 1.05 * pages, pages


def pages_of(name: str, records: int) -> int:
    """The pages of a bulk dataset; 0 for any other."""
    from auditor.catalogue import BY_NAME

    size = BY_NAME[name].page_size
    return math.ceil(records / size) if size else 0


def _same_records(kept: Mapping[str, Json], read: Mapping[str, int]) -> None:
    """The floor read what the collector kept, dataset by dataset, where one path is one dataset."""
    from auditor.catalogue import BY_NAME

    ends = {name: read.get(name, 0) for name in read if name in BY_NAME}
    for path, count in read.items():
        version, _, rest = path.removeprefix("/").partition("/")
        names = [name for name, one in BY_NAME.items() if one.service.startswith("graph") and one.path == f"/{rest}"]
        if version in ("v1.0", "beta") and names:
            ends[names[0]] = count
    for name, count in ends.items():
        expected = kept[name]["records"] * (2 if name == "users" and kept["perUserMfa"]["requests"] else 1)
        if name in ("users", "userRegistrationDetails", "casMailboxes", "mailboxes", "exchangeUsers", "mailboxUsage",
                    "emailAppUsage") and not 0 <= count - expected <= ASIDE:  # fmt: skip
            print(f"  NOT THE SAME: {name}: (a) kept {expected:,}, (c) read {count:,}")


def table(rows: Sequence[Json]) -> None:
    """Every size in one table, to see whether time grows in line."""
    print(
        f"\n{'accounts':>10}{'requests':>10}{'CPU s':>9}{'floor s':>9}{'wall s':>9}{'peak MiB':>10}{'ms/account':>12}"
    )
    for row in rows:
        print(f"{row['accounts']:>10,}{row['requests']:>10,}{row['cpu']:>9.2f}{row['floor']:>9.2f}{row['wall']:>9.1f}"
              f"{row['peak_mib']:>10,.0f}{row['cpu'] * 1000 / row['accounts']:>9.3f}")  # fmt: skip


# with limits


def throttled(accounts: int, plans: int, scale: float, rival: float, folder: Path) -> None:
    from auditor.demo.conditions.limits import documented

    with Tenant(folder, accounts=accounts, plans=plans, scale=scale, limited=True, rival=rival) as tenant:
        snapshot = str(folder / "snapshot")
        ours = way("collector", config=tenant.config, folder=snapshot, scale=scale, quota_share=1.0)
        log = tenant.report()
    beside = f", a second client eats {rival:.0%} of each" if rival else ", alone"
    print(f"\n{accounts:,} accounts with the documented limits{beside}; emulated seconds, {scale:g} times as fast")
    print(f"{'limit':<26}{'units':>9}{'requests':>10}{'429':>6}{'floor s':>9}{'taken s':>9}{'ratio':>8}")
    ratios = []
    for name, (units, admitted, refused, first, last) in sorted(log["tallies"].items()):
        rate = documented(accounts)[name.partition("/")[0]]
        least = quota_floor(units, rate.units, rate.seconds, 1 - rival)
        ratio = (last - first) / least if least > QUOTA_FROM else None
        shown = f"{ratio:>8.2f}" if ratio else f"{'–':>8}"
        short = name.replace("/reports/", " ").partition("(")[0]
        print(f"{short:<26.26}{units:>9,.0f}{admitted:>10,}{refused:>6,}{least:>9.1f}{last - first:>9.1f}{shown}")
        ratios += [(f"{short}: taken ÷ floor", ratio, "≤", QUOTA_GOAL, "")] if ratio else []
    whole = all(one["state"] in ("complete", "not-asked") for one in ours["datasets"].values())
    print(f"in all {ours['wall'] * scale:,.0f} emulated seconds, {ours['requests']:,} requests, "
          f"{'every dataset whole' if whole else 'NOT every dataset whole'}")  # fmt: skip
    goals([] if rival else [*ratios, ("429 answers", log["refused"], "≤", 0, "")])


def quota_floor(units: float, burst: float, seconds: float, share: float = 1.0) -> float:
    """The least seconds in which so many units pass a limit of `burst` in `seconds`, of which only a share is left."""
    at_once = max(burst * share, 1.0)
    return max(0.0, (units - at_once) / (burst * share / seconds))


def _line(name: str, cpu: float, wall: float, peak: float | None, each: float) -> None:
    memory = f"{peak:>10,.0f}" if peak is not None else f"{'':>10}"
    print(f"{name:<26}{cpu:>9.2f}{wall:>9.1f}{memory}{each * 1000:>16.3f}")


def goals(rows: Sequence[tuple[str, float, str, float, str]], *, judged: bool = True) -> None:
    for name, value, sense, goal, remark in rows:
        holds = value <= goal if sense == "≤" else value >= goal
        verdict = ("holds" if holds else "FAILS") if judged else "no goal at this size"
        note = f" ({remark})" if remark else ""
        print(f"  {verdict}: {name} {value:,.2f} {sense} {goal:,.2f}{note}")


if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # not this folder, which has a module named html
    main()
