"""How long each output of a large tenant takes, how much memory it needs and how large it is.

    python bench/report.py [ACCOUNTS] [--policies N] [--folder DIR]

ACCOUNTS is 100,000 unless given, each with every blocker; goals: workbook 40 s and 120 MiB above the loaded tables,
CSV 2 s, HTML 10 s and 25 MiB (in memory, and as a file).

Method. A tenant is written to a temporary folder (bench/big_tenant.py; DIR keeps it for the next time) and judged
once, as `auditor evaluate` does it; neither is measured. `libraries` is the cost of importing and first using what the
outputs are written with (openpyxl, pandas, jinja2): all outputs of a tenant of 100 accounts. A run pays it once, so it
is not counted with an output. Then each output is written by a process of its own, forked from there, so that one
leaves nothing behind for the next; as a fork does not hold the pages of the libraries' code, it writes that of the
small tenant once more before it is measured. Time is the CPU time
of that process (user and system), which a busy machine changes less than the clock; the elapsed time stands beside it.
Memory is its peak resident set while it writes, less what is resident before: that is, above the loaded tables (read
from /proc/self/status, after the peak was reset; on other systems than Linux it is not measured, and without fork the
benchmark does not run). `previous` is the reading of the run just written, for the next run's comparison, and
`compared` the same with that comparison.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

GOALS = {"findings.xlsx": (40, 120), "accounts.csv": (2, None), "report.html": (10, 25)}
"""Output → seconds of CPU, MiB above the loaded tables."""
HTML_SIZE = 25
"""MiB of the file."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("accounts", nargs="?", type=int, default=100_000)
    parser.add_argument("--policies", type=int, default=50)
    parser.add_argument("--folder", type=Path, help="where the tenant is kept; written if it is not there yet")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="auditor-bench-") as temporary:
        folder = asked.folder or Path(temporary) / "snapshot"
        evaluation = judged(folder, asked.accounts, asked.policies)
        affected = sum(len(finding.accounts) for finding in evaluation.findings)
        print(
            f"{asked.accounts:,} accounts × 14 blockers, {len(evaluation.findings):,} findings that name {affected:,} "
            f"accounts; {_resident('VmRSS'):,.0f} MiB before any output"
        )
        out = Path(temporary) / "run"
        out.mkdir()
        print(f"{'output':<16}{'CPU s':>8}{'wall s':>8}{'MiB above':>11}{'file MiB':>10}  goal")
        small = Path(temporary) / "small"
        first_use = works(judged(small / "snapshot", 100, asked.policies), small)
        _print("libraries", _measured(lambda: [work() for work in first_use.values()]), out / "libraries")
        for name, work in works(evaluation, out).items():
            _print(name, _in_its_own_process(first_use[name], work), out / name)


def judged(folder: Path, accounts: int, policies: int) -> Any:
    """A tenant of so many accounts, written to `folder` if it is not there yet, and judged."""
    from big_tenant import NOW, senders, write_tenant

    from auditor.config import Config
    from auditor.evaluate import evaluate
    from auditor.snapshot import Snapshot

    if not folder.exists():
        write_tenant(folder, accounts, policies)
    evaluation = evaluate(Snapshot.open(folder), Config(senders=tuple(senders(accounts))), NOW)
    gc.collect()
    return evaluation


def works(evaluation: Any, out: Path) -> dict[str, Callable[[], object]]:
    """Output → what writes it into `out`."""
    from auditor.diff import compare
    from auditor.previous import load_previous
    from auditor.record import record
    from auditor.report import csvfiles
    from auditor.report.html import write_report
    from auditor.report.jsonfile import findings_json
    from auditor.report.workbook import write_workbook

    def written(name: str, write: Callable[[IO[bytes], Any], object]) -> Callable[[], object]:
        def work() -> None:
            with (out / name).open("wb") as stream:
                write(stream, evaluation)

        return work

    def compared() -> None:
        old = load_previous(out)
        compare(replace(old, now="2026-08-24T16:00:00Z"), record(evaluation.judgement, evaluation.findings))

    return {
        "findings.xlsx": written("findings.xlsx", write_workbook),
        "findings.csv": written("findings.csv", csvfiles.findings_csv),
        "accounts.csv": written("accounts.csv", csvfiles.accounts_csv),
        "coverage.csv": written("coverage.csv", csvfiles.coverage_csv),
        "findings.json": written("findings.json", findings_json),
        "report.html": written("report.html", write_report),
        "previous": lambda: load_previous(out),
        "compared": compared,
    }


def _in_its_own_process(first_use: Callable[[], object], work: Callable[[], object]) -> dict[str, float]:
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        with os.fdopen(reading) as stream:
            text = stream.read()
        os.waitpid(child, 0)
        if not text:
            sys.exit("An output failed; its error stands above.")
        measured: dict[str, float] = json.loads(text)
        return measured
    os.close(reading)
    try:
        first_use()
        with os.fdopen(writing, "w") as stream:
            json.dump(_measured(work), stream)
        os._exit(0)
    finally:
        # Reached only with an error, which the interpreter prints before the child ends.
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        os._exit(1)


def _measured(work: Callable[[], object]) -> dict[str, float]:
    before = _reset_peak()
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - started,
        "memory": _resident("VmHWM") - before,
    }


def _reset_peak() -> float:
    """Makes the peak resident set start anew; returns what is resident now, in MiB."""
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")
    return _resident("VmRSS")


def _resident(what: str) -> float:
    """MiB; not a number where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    sizes = [float(line.split()[1]) for line in lines if line.startswith(f"{what}:")]
    return sizes[0] / 1024 if sizes else float("nan")


def _print(name: str, measured: dict[str, float], path: Path) -> None:
    size = f"{path.stat().st_size / 2**20:,.1f}" if path.exists() else ""
    seconds, memory = GOALS.get(name, (None, None))
    goal = ", ".join(
        text
        for text in (
            f"{seconds} s" if seconds else "",
            f"{memory} MiB above" if memory else "",
            f"{HTML_SIZE} MiB file" if name == "report.html" else "",
        )
        if text
    )
    row = f"{name:<16}{measured['cpu']:>8.1f}{measured['wall']:>8.1f}{measured['memory']:>11.1f}{size:>10}  {goal}"
    print(row.rstrip(), flush=True)


if __name__ == "__main__":
    main()
