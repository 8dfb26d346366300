"""The workbook against Microsoft's own rules for such files (a port of the Open XML SDK's validation)."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import pytest
from openxml_audit import FileFormat, OpenXmlValidator

from auditor.config import Config, Sender
from auditor.evaluate import Evaluation
from auditor.report.workbook import write_workbook
from auditor.triage import Triage

HOSTILE = ["=1+1", "\x00\x07", "\ud800", "_x000D_", "x" * 40_000, "]]><!--&lt;", " ", "é\u202e", "😀" * 20_000]


def remarks(evaluation: Evaluation, folder: Path, **more: int) -> list[str]:
    path = folder / "book.xlsx"
    stream = io.BytesIO()
    write_workbook(stream, evaluation, **more)
    path.write_bytes(stream.getvalue())
    result = OpenXmlValidator(FileFormat.MICROSOFT_365, max_errors=0).validate(path)
    return [f"{error.part_uri}: {error.description}" for error in result.errors]


def test_the_demos_workbook_passes_without_remark(demo: tuple[Evaluation, Config], tmp_path: Path) -> None:
    assert remarks(demo[0], tmp_path) == []


@pytest.mark.parametrize("count", [0, 3])
def test_hostile_empty_and_overflowing_ones_too(make: SimpleNamespace, tmp_path: Path, count: int) -> None:
    findings = [make.finding(f"rule-{number}", title=text, object_name=text, accounts=range(count))
                for number, text in enumerate(HOSTILE)]  # fmt: skip
    evaluation = make.evaluation(
        findings if count else [], "users", count=count, names=HOSTILE,
        senders=[Sender(name=text, account="person0@contoso.example", owner=text) for text in HOSTILE],
    )  # fmt: skip
    triage = {finding.id: Triage("Open", "=x", "2026-12-15", "1", text, "2027-01-01")
              for finding, text in zip(findings, HOSTILE, strict=True)}  # fmt: skip
    assert remarks(replace(evaluation, triage=triage), tmp_path, max_rows=6) == []


def test_the_validator_finds_what_is_wrong(make: SimpleNamespace, tmp_path: Path) -> None:
    """A check that could not fail would be none: one element in the wrong place is found."""
    stream = io.BytesIO()
    write_workbook(stream, make.evaluation([make.finding()]))
    path = tmp_path / "wrong.xlsx"
    with ZipFile(stream) as old, ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet2.xml":
                data = data.replace(b"<sheetData>", b"<sheetData><nonsense/>")
            new.writestr(name, data)
    assert OpenXmlValidator(FileFormat.MICROSOFT_365, max_errors=0).validate(path).errors
