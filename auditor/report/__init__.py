"""The outputs of a run: workbook, CSV files, findings.json, run.json. Pure functions of the evaluation but run.json."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.evaluate import Evaluation
    from auditor.snapshot import Snapshot

__all__ = ["WORKBOOK", "run_json", "write"]

WORKBOOK = "findings.xlsx"


def write(evaluation: Evaluation, folder: Path, formats: Collection[str] = ()) -> Path:
    """Write findings.xlsx, findings.csv, accounts.csv, coverage.csv, findings.json, report.html and the files of
    further formats (`formats.FORMATS`); returns the workbook's path.

    Private files (0600) in a folder that is made where it is missing (0700); all are written before any takes its name.
    Raises UsageError where one cannot be written or is open in another program."""
    from auditor.report import csvfiles
    from auditor.report.files import Batch
    from auditor.report.formats import write_formats
    from auditor.report.html import NAME, write_report
    from auditor.report.jsonfile import findings_json
    from auditor.report.workbook import write_workbook

    with Batch(folder) as files:
        with files.new(WORKBOOK) as stream:
            write_workbook(stream, evaluation)
        csvfiles.findings_csv(files.new("findings.csv"), evaluation)
        csvfiles.accounts_csv(files.new("accounts.csv"), evaluation)
        csvfiles.coverage_csv(files.new("coverage.csv"), evaluation)
        with files.new("findings.json") as stream:
            findings_json(stream, evaluation)
        with files.new(NAME) as stream:
            write_report(stream, evaluation)
        write_formats(files, evaluation, formats)
    return folder / WORKBOOK


def run_json(
    folder: Path,
    evaluation: Evaluation,
    *,
    snapshot: Snapshot,
    config_sha256: str,
    requests: int,
    stages: Mapping[str, Mapping[str, float]],
) -> Path:
    """Write run.json, the only file that holds durations; see `runfile.write_run`."""
    from auditor.report.runfile import write_run

    return write_run(
        folder, evaluation, snapshot=snapshot, config_sha256=config_sha256, requests=requests, stages=stages
    )
