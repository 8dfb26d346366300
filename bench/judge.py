"""How long the judgement of a large tenant takes, stage by stage, and how much memory it needs.

    python bench/judge.py [ACCOUNTS] [--policies N] [--folder DIR] [--repeat N]

ACCOUNTS is 100,000 unless given; goals: Conditional Access 0.5 s, read + judge + accounts.csv 6 s, and for 1,000,000
accounts 90 s and 1 GiB.

Method. A tenant is written to a temporary folder (bench/big_tenant.py; DIR keeps it for the next time), which is not
measured. Then a process of its own, so that its memory is the judgement's alone, does what `auditor evaluate` does with
such a folder: read it into a tenant, judge every blocker, join the verdicts, find, and write accounts.csv. Each stage's
time is the CPU time of that process (user and system, one thread), which a busy machine changes less than the clock;
the elapsed time of the whole stands below it. Memory is the process's peak resident set, interpreter and libraries
included. With --repeat the whole is measured several times and the quickest time of each stage is printed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

READ, JOIN, EXPOSURE, FINDINGS, CSV = "read", "verdicts joined", "exposure", "findings", "accounts.csv"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("accounts", nargs="?", type=int, default=100_000)
    parser.add_argument("--policies", type=int, default=50)
    parser.add_argument("--folder", type=Path, help="where the tenant is kept; written if it is not there yet")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.measure, asked.accounts)))
        return
    with tempfile.TemporaryDirectory(prefix="auditor-bench-") as temporary:
        folder = asked.folder or Path(temporary) / "snapshot"
        if not folder.exists():
            from big_tenant import write_tenant

            write_tenant(folder, asked.accounts, asked.policies)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
        print(f"{asked.accounts:,} accounts, {asked.policies} policies, {size:,.0f} MiB of evidence")
        report([_in_its_own_process(folder, asked.accounts) for _ in range(asked.repeat)])


def _in_its_own_process(folder: Path, accounts: int) -> dict[str, Any]:
    command = [sys.executable, __file__, str(accounts), "--measure", str(folder)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    measured: dict[str, Any] = json.loads(output)
    return measured


class Clock:
    """CPU seconds of each stage, in the order of the stages."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.process_time()
        yield
        self.taken[name] = self.taken.get(name, 0.0) + time.process_time() - started


def measure(folder: Path, accounts: int) -> dict[str, Any]:
    """Everything that `auditor evaluate` does up to accounts.csv, once."""
    from big_tenant import NOW, senders

    from auditor import verdict
    from auditor.blockers import BLOCKERS
    from auditor.blockers.base import Cases
    from auditor.findings import find_all
    from auditor.load import load
    from auditor.report.csvfiles import write_columns
    from auditor.snapshot import Snapshot

    clock, started = Clock(), time.perf_counter()
    declared = senders(accounts)
    with clock.stage(READ):
        tenant = load(Snapshot.open(folder), now=NOW, declared=[sender.account for sender in declared])
    columns = {}
    with clock.stage(JOIN):
        cases = Cases.of(tenant, declared)
    for blocker in BLOCKERS:
        with clock.stage(blocker.id):
            columns[blocker.id] = blocker.judge(tenant, cases)
    with clock.stage(EXPOSURE):
        verdict.exposure(tenant, cases, columns)
    with clock.stage(JOIN):
        judgement = verdict.joined(tenant, declared, cases, columns)
    with clock.stage(FINDINGS):
        findings = len(find_all(judgement))
    with clock.stage(CSV), tempfile.TemporaryFile() as stream:
        from auditor import accounts as table

        write_columns(stream, table.COLUMNS, table.parts(judgement))
    return {"stages": clock.taken, "elapsed": time.perf_counter() - started, "peak": peak(), "findings": findings}


def peak() -> int:
    """Bytes of the largest resident set so far; 0 where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def report(runs: list[dict[str, Any]]) -> None:
    stages = {name: min(run["stages"][name] for run in runs) for name in runs[0]["stages"]}
    # the joined verdicts hold the exposure, which is measured alone beside it
    stages[JOIN] = max(stages[JOIN] - stages[EXPOSURE], 0.0)
    total = sum(stages.values())
    goal = total - stages[FINDINGS]
    say = _printer(total)
    say(READ, stages[READ])
    for name in (name for name in stages if name not in (READ, JOIN, EXPOSURE, FINDINGS, CSV)):
        say(f"  {name}", stages[name])
    for name in (JOIN, EXPOSURE, CSV, FINDINGS):
        say(name, stages[name])
    say("all", total)
    say("read + judge + accounts.csv", goal)
    print(f"elapsed {min(run['elapsed'] for run in runs):.1f} s, {runs[0]['findings']:,} findings")
    memory = max(run["peak"] for run in runs)
    print(f"peak memory {memory / 2**20:,.0f} MiB" if memory else "peak memory is not known on this system")


def _printer(total: float) -> Callable[[str, float], None]:
    def say(name: str, seconds: float) -> None:
        print(f"{name:32}{seconds:9.3f} s{seconds / total:8.1%}")

    return say


if __name__ == "__main__":
    main()
