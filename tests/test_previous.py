"""What --previous may name, what is taken from it, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.packaging.custom import StringProperty

from auditor.errors import UsageError
from auditor.previous import compare_runs, load_previous, newest_run
from auditor.triage import COLUMNS, Triage, to_json

NOW = "2026-11-23T16:00:00Z"
ID = "legacy-tls-allowed-0123456789ab"
OTHER = "data-problem-0123456789ab"


def finding(identity: str = ID, **more: Any) -> dict[str, Any]:
    rule = identity.rpartition("-")[0]
    return {"id": identity, "rule": rule, "severity": "low", "outcome": "fail", "object_type": "tenant",
            "object_id": "t", "object_name": "T", "title": "Title", "first_seen": NOW, "accounts": [],
            "evidence": [{"name": "a", "value": "b", "dataset": ""}], **more}  # fmt: skip


def write_run(folder: Path, *findings: dict[str, Any], now: str = NOW, **more: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    document = {"findings": list(findings), "tenant_id": "t-1", "now": now, "datasets": {"users": "complete"}, **more}
    (folder / "findings.json").write_text(json.dumps(document), "utf-8")
    (folder / "run.json").write_text(json.dumps({"now": now, "tenant_id": "t-1", "datasets": {}}), "utf-8")
    return folder


def write_workbook(
    path: Path,
    *rows: dict[str, Any],
    run: str = "20261123T160000Z",
    tenant: str = "t-1",
    own: Sequence[str] = (),
    facts: Sequence[Sequence[str]] = (),
) -> Path:
    """A workbook with sheets Findings and Evidence. `rows`: header → value; `own`: headers of added columns; `facts`:
    rows of finding id, fact, value, dataset."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Findings"
    header = ["id", "rule", "object_id", "severity", "outcome", "first_seen", *COLUMNS.values(), *own]
    sheet.append(header)
    for row in rows:
        sheet.append([row.get(name) for name in header])
    evidence = book.create_sheet("Evidence")
    for fact in [("finding_id", "fact", "value", "dataset"), *facts]:
        evidence.append(fact)
    for name, value in {"run": run, "tenant": tenant}.items():
        book.custom_doc_props.append(StringProperty(name=name, value=value))
    book.save(path)
    return path


class TestWhatMayBeNamed:
    def test_a_runs_folder_with_all_it_holds(self, tmp_path: Path) -> None:
        folder = write_run(
            tmp_path / "run", finding(), gone=[finding(OTHER, state="fixed")],
            senders={"s": {"name": "s", "verdict": "open"}}, policies={"p": {"name": "P", "state": "enabled"}},
        )  # fmt: skip
        (folder / "accounts.csv").write_bytes(
            "\ufeffuser_id,x,user_principal_name,kind,is_admin,exposure\r\n1,,'=evil@x.example,user,false,open\r\n".encode()
        )
        run = load_previous(folder)
        assert set(run.findings) == {ID}
        assert set(run.gone) == {OTHER}
        assert (run.tenant_id, run.now, run.datasets) == ("t-1", NOW, {"users": "complete"})
        assert run.senders == {"s": {"name": "s", "verdict": "open"}}
        assert run.policies == {"p": {"name": "P", "state": "enabled"}}
        assert run.accounts == {"1": ("=evil@x.example", "user", "false", "open")}
        assert load_previous(folder / "findings.json") == run

    def test_a_file_of_another_name_is_read_alone(self, tmp_path: Path) -> None:
        folder = write_run(tmp_path / "run", finding())
        kept = (folder / "findings.json").rename(tmp_path / "kept.json")
        assert set(load_previous(kept).findings) == {ID}

    def test_a_folder_of_runs_stands_for_the_newest_that_is_finished_and_not_later(self, tmp_path: Path) -> None:
        for month in ("02", "05", "08"):
            write_run(tmp_path / "contoso" / month, finding(title=month), now=f"2026-{month}-01T00:00:00Z")
        (tmp_path / "contoso" / "08" / "run.json").unlink()
        for path in (tmp_path, tmp_path / "contoso"):
            assert load_previous(path, "Contoso").findings[ID]["title"] == "05"
        before = datetime(2026, 4, 1, tzinfo=UTC)
        assert load_previous(tmp_path / "contoso", now=before).findings[ID]["title"] == "02"
        with pytest.raises(UsageError, match="later moment"):
            load_previous(tmp_path / "contoso", now=datetime(2026, 1, 1, tzinfo=UTC))

    def test_the_newest_run_is_found_for_somebody_who_named_none(self, tmp_path: Path) -> None:
        assert newest_run(tmp_path, "Contoso") is None
        for month in ("02", "05", "08"):
            write_run(tmp_path / "contoso" / month, finding(), now=f"2026-{month}-01T00:00:00Z")
        assert newest_run(tmp_path, "Contoso") == tmp_path / "contoso" / "08"
        assert newest_run(tmp_path, "Contoso", datetime(2026, 6, 1, tzinfo=UTC)) == tmp_path / "contoso" / "05"
        assert newest_run(tmp_path, "Contoso", datetime(2026, 1, 1, tzinfo=UTC)) is None
        assert newest_run(tmp_path, "Fabrikam") is None
        (tmp_path / "contoso" / "08" / "run.json").write_text("{broken")
        assert newest_run(tmp_path, "Contoso") is None

    def test_with_several_tenants_each_finds_its_own_folder(self, tmp_path: Path) -> None:
        write_run(tmp_path / "a-b", finding(title="first"))
        write_run(tmp_path / "c", finding(title="second"))
        assert load_previous(tmp_path, "A B").findings[ID]["title"] == "first"
        assert load_previous(tmp_path, "C").findings[ID]["title"] == "second"

    def test_an_older_version_that_recorded_less(self, tmp_path: Path) -> None:
        folder = tmp_path / "run"
        folder.mkdir()
        (folder / "findings.json").write_text(json.dumps({"findings": [finding()]}))
        (folder / "run.json").write_text(
            json.dumps({"now": NOW, "tenant_id": "t-1", "datasets": {"users": {"state": "cut"}, "x": 3}})
        )
        run = load_previous(folder)
        assert (run.now, run.tenant_id, run.datasets) == (NOW, "t-1", {"users": "cut"})
        assert (run.senders, run.accounts, run.policies, run.gone) == (None, None, None, {})

    @pytest.mark.parametrize("content", [b"user_id,exposure\r\n1,open\r\n", b""])
    def test_accounts_without_the_columns_are_not_compared(self, tmp_path: Path, content: bytes) -> None:
        folder = write_run(tmp_path / "run", finding())
        (folder / "accounts.csv").write_bytes(content)
        assert load_previous(folder).accounts is None

    def test_accounts_that_cannot_be_read_are_an_error(self, tmp_path: Path) -> None:
        folder = write_run(tmp_path / "run", finding())
        (folder / "accounts.csv").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(UsageError, match=r"accounts\.csv: cannot be read"):
            load_previous(folder)

    @pytest.mark.parametrize("entries", [{"x": 1}, [3], [{"rule": "x"}]])
    def test_a_list_of_gone_findings_that_is_none_is_an_error(self, tmp_path: Path, entries: Any) -> None:
        with pytest.raises(UsageError, match="gone"):
            load_previous(write_run(tmp_path / "run", gone=entries))

    def test_nothing_there_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="cannot be read"):
            load_previous(tmp_path)


class TestTriage:
    def row(self, identity: str = ID, **more: Any) -> dict[str, Any]:
        return {"id": identity, "rule": "legacy-tls-allowed", "object_id": "t", "outcome": "fail", **more}

    def test_the_workbook_of_the_run_wins_over_what_was_carried_before(self, tmp_path: Path) -> None:
        carried = Triage(owner="Ann", ticket="T-1")
        folder = write_run(tmp_path / "run", finding(triage=to_json(carried)))
        assert load_previous(folder).triage == {ID: carried}
        write_workbook(folder / "findings.xlsx", self.row(Owner="Bert", Status="In progress"))
        run = load_previous(folder)
        assert run.triage == {ID: Triage(status="In progress", owner="Bert")}
        assert run.remarks == ()

    def test_a_deleted_row_keeps_what_was_carried_and_is_told(self, tmp_path: Path) -> None:
        folder = write_run(tmp_path / "run", finding(triage=to_json(Triage(owner="Ann"))), finding(OTHER))
        write_workbook(folder / "findings.xlsx", self.row(OTHER, Owner="Bert"))
        run = load_previous(folder)
        assert run.triage == {ID: Triage(owner="Ann"), OTHER: Triage(owner="Bert")}
        assert [(remark.finding, "row was deleted" in remark.text) for remark in run.remarks] == [(ID, True)]

    def test_what_is_gone_keeps_its_triage(self, tmp_path: Path) -> None:
        kept = finding(OTHER, state="fixed", triage=to_json(Triage(ticket="T-9")))
        assert load_previous(write_run(tmp_path / "run", finding(), gone=[kept])).triage == {
            OTHER: Triage(ticket="T-9")
        }

    def test_a_finding_that_stands_twice_with_two_answers_is_told_with_both(self, tmp_path: Path) -> None:
        folder = write_run(tmp_path / "run", finding())
        write_workbook(folder / "findings.xlsx", self.row(Owner="Ann"), self.row(Owner="Bert"), self.row(Owner="Ann"))
        run = load_previous(folder)
        assert run.triage == {ID: Triage(owner="Ann")}
        (remark,) = run.remarks
        assert (remark.where, remark.finding) == ("Findings, row 3", ID)
        assert "Findings, row 2 counts, not: Owner: Bert" in remark.text

    def test_a_workbook_of_another_run_is_taken_and_told(self, tmp_path: Path) -> None:
        folder = write_run(tmp_path / "run", finding())
        write_workbook(folder / "findings.xlsx", self.row(Owner="Ann"), run="20260101T000000Z")
        run = load_previous(folder)
        assert run.triage == {ID: Triage(owner="Ann")}
        assert "of the run 20260101T000000Z" in run.remarks[0].text

    def test_a_damaged_workbook_is_an_error_and_never_silently_left_out(self, tmp_path: Path) -> None:
        folder = write_run(tmp_path / "run", finding())
        (folder / "findings.xlsx").write_bytes(b"PK broken")
        with pytest.raises(UsageError, match=r"findings\.xlsx: cannot be read as a workbook"):
            load_previous(folder)

    def test_a_workbook_alone_tells_what_its_sheet_shows(self, tmp_path: Path) -> None:
        path = write_workbook(
            tmp_path / "worked.xlsx",
            self.row(severity="high", first_seen="2026-08-24T16:00:00Z", Owner="Ann"),
            facts=[(ID, "a", "1", "users")],
        )
        run = load_previous(path)
        found = run.findings[ID]
        assert (found["severity"], found["first_seen"], found["accounts"]) == ("high", "2026-08-24T16:00:00Z", None)
        assert found["evidence"] == [{"name": "a", "value": "1", "dataset": "users"}]
        assert (run.tenant_id, run.now, run.triage) == ("t-1", NOW, {ID: Triage(owner="Ann")})
        assert "Only a workbook was given" in run.remarks[0].text
        (tmp_path / "folder").mkdir()
        path.rename(tmp_path / "folder" / "findings.xlsx")
        assert load_previous(tmp_path / "folder").triage == run.triage

    def test_own_columns_are_those_of_the_workbook_else_those_that_the_run_was_written_with(
        self, tmp_path: Path
    ) -> None:
        before = {"status": "", "own": {"CAB": {"time": "2027-01-31"}, "Gone": 1}}
        folder = write_run(
            tmp_path / "run", finding(triage=before), finding(OTHER, triage=before), own_columns=["Gone", "CAB", 7]
        )
        run = load_previous(folder)
        assert run.own_columns == ("Gone", "CAB")
        assert run.triage[ID] == Triage(own=(("CAB", date(2027, 1, 31)), ("Gone", 1)))
        write_workbook(folder / "findings.xlsx", self.row(CAB="Friday"), own=["Team", "CAB"])
        run = load_previous(folder)
        assert run.own_columns == ("Team", "CAB")
        assert run.triage[ID].own == (("CAB", "Friday"),)
        assert run.triage[OTHER].own == (("CAB", date(2027, 1, 31)), ("Gone", 1)), "its row was deleted"

    def test_a_workbook_beside_its_run_brings_the_run_along(self, tmp_path: Path) -> None:
        folder = write_run(tmp_path / "run", finding(), finding(OTHER))
        write_workbook(folder / "findings.xlsx", self.row(Owner="Ann"))
        reviewed = write_workbook(folder / "reviewed.xlsx", self.row(Owner="Bert"))
        run = load_previous(reviewed)
        assert set(run.findings) == {ID, OTHER}
        assert run.triage == {ID: Triage(owner="Bert")}
        foreign = write_workbook(folder / "foreign.xlsx", self.row(Owner="Carl"), run="")
        assert set(load_previous(foreign).findings) == {ID}
        assert load_previous(foreign).now == ""


class TestCompareRuns:
    def test_two_runs(self, tmp_path: Path) -> None:
        old = write_run(tmp_path / "old", finding())
        new = write_run(tmp_path / "new", finding(OTHER, first_seen="2027-02-22T16:00:00Z"), now="2027-02-22T16:00:00Z",
                        datasets={"users": "complete", "transportConfig": "denied"})  # fmt: skip
        assert [(change.kind, change.id) for change in compare_runs(old, new).findings] == [
            ("new", OTHER), ("not-checked", ID),
        ]  # fmt: skip

    def test_the_older_comes_first_and_both_are_of_one_tenant(self, tmp_path: Path) -> None:
        old = write_run(tmp_path / "old", finding())
        new = write_run(tmp_path / "new", finding(), now="2027-02-22T16:00:00Z")
        with pytest.raises(UsageError, match="judged for") as caught:
            compare_runs(new, old)
        assert caught.value.remedy == "Name the older run first."
        other = write_run(tmp_path / "other", finding(), tenant_id="T-2")
        with pytest.raises(UsageError, match="of tenant t-1"):
            compare_runs(old, other)
        assert compare_runs(old, old).counts["persisting"] == 1
