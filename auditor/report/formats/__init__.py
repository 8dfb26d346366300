"""Further formats of the same findings, for the programs that take them in: `--format NAME`, one module each.

json and csv are written in every run; they are named here only so that a pipeline may ask for all that it uses. Each
module's `write` is a pure function of the evaluation: the same findings give the same bytes.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from auditor.errors import UsageError

if TYPE_CHECKING:
    from auditor.evaluate import Evaluation
    from auditor.report.files import Batch

__all__ = ["FILES", "FORMATS", "check", "write_formats"]

FILES: dict[str, tuple[str, ...]] = {
    "json": (),
    "csv": (),
    "sarif": ("findings.sarif",),
    "ocsf": ("findings.ocsf.json",),
    "junit": ("findings.junit.xml",),
    "md": ("findings.md",),
    "parquet": ("accounts.parquet", "findings.parquet"),
}
"""Format → the files that it adds to the run's folder."""

FORMATS = tuple(FILES)


def check(names: Collection[str], *, find: Callable[[str], object] = importlib.util.find_spec) -> None:
    """Raises UsageError for a format that is not known or whose package `find` does not know: ask before anything is
    read."""
    unknown = sorted(set(names) - set(FORMATS))
    if unknown:
        raise UsageError(f"No format named {', '.join(unknown)}.", remedy=f"There are: {', '.join(FORMATS)}.")
    if "parquet" in names and not find("pyarrow"):
        raise UsageError(
            "Format parquet needs the package pyarrow, which is not installed.",
            remedy="Install it with this program's extra: pip install 'tenant-auditor[parquet]'.",
        )


def write_formats(files: Batch, evaluation: Evaluation, names: Collection[str]) -> None:
    """Writes the files of the formats into a batch. Raises UsageError as `check` does."""
    check(names)
    if "sarif" in names:
        from auditor.report.formats.sarif import write_sarif

        with files.new(*FILES["sarif"]) as stream:
            write_sarif(stream, evaluation)
    if "ocsf" in names:
        from auditor.report.formats.ocsf import write_ocsf

        with files.new(*FILES["ocsf"]) as stream:
            write_ocsf(stream, evaluation)
    if "junit" in names:
        from auditor.report.formats.junit import write_junit

        with files.new(*FILES["junit"]) as stream:
            write_junit(stream, evaluation)
    if "md" in names:
        from auditor.report.formats.markdown import write_markdown

        with files.new(*FILES["md"]) as stream:
            write_markdown(stream, evaluation)
    if "parquet" in names:
        from auditor.report.formats.parquet import write_accounts, write_findings

        accounts, findings = FILES["parquet"]
        with files.new(accounts) as stream:
            write_accounts(stream, evaluation)
        with files.new(findings) as stream:
            write_findings(stream, evaluation)
