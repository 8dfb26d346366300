"""An earlier run, for `first_seen`, `change` and the analysts' columns. Read by the command line; the judgement stays
pure.

`--previous` names a run's folder, its findings.json or a workbook; or a folder of runs, of which the newest finished
one is taken. Nothing is taken that was not named; `newest_run` only finds what could be.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor.clock import iso
from auditor.config import slug
from auditor.diff import ACCOUNT_FACTS, Comparison, Document, compare
from auditor.errors import UsageError
from auditor.evaluate import Previous
from auditor.previous_workbook import SUFFIXES, Row, Worked, read_workbook
from auditor.triage import NONE, Remark, Triage, from_json, read, told

FILE, WORKBOOK, RUN, ACCOUNTS = "findings.json", "findings.xlsx", "run.json", "accounts.csv"
TICKETS = "tickets.json"
"""Which ticket each finding stands in, as `auditor tickets sync` left it."""

_REMEDY = "Name the folder of an earlier run, such as reports/<tenant>/<time>, or its workbook."
_STAMP = "%Y%m%dT%H%M%SZ"


def load_previous(path: Path, tenant: str = "", now: datetime | None = None) -> Previous:
    """The earlier run that `path` stands for. `tenant`: its name in the config, where `path` holds a folder per tenant;
    `now`: of several runs the newest that is not later is taken.

    Raises UsageError where there is no run, or a file of it is damaged."""
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return _from_workbook(path)
    if path.is_file() and path.name != FILE:
        return _from_run(path.parent, path, None)
    folder = path.parent if path.is_file() else _run_folder(path, tenant, now)
    workbook = folder / WORKBOOK
    if not (folder / FILE).exists() and workbook.is_file():
        return _from_workbook(workbook)
    return _from_run(folder, folder / FILE, read_workbook(workbook) if workbook.is_file() else None)


def compare_runs(old: Path, new: Path) -> Comparison:
    """What changed from one run to another. Raises UsageError where one cannot be read, where they are of different
    tenants, or `new` is judged for an earlier moment."""
    before, now = load_previous(old), load_previous(new)
    if before.tenant_id and now.tenant_id and before.tenant_id.lower() != now.tenant_id.lower():
        raise UsageError(
            f"{old} is of tenant {before.tenant_id}, {new} of {now.tenant_id}.", remedy="Name two runs of one tenant."
        )
    if before.now and now.now and before.now > now.now:
        raise UsageError(f"{old} is judged for {before.now}, {new} for {now.now}.", remedy="Name the older run first.")
    return compare(before, now)


def _run_folder(path: Path, tenant: str, now: datetime | None) -> Path:
    """The folder of one run: `path` itself, the tenant's folder below it, or the newest run in either."""
    if (path / FILE).exists() or (path / WORKBOOK).exists():
        return path
    below = path / slug(tenant) if tenant and (path / slug(tenant)).is_dir() else path
    if below != path and ((below / FILE).exists() or (below / WORKBOOK).exists()):
        return below
    fitting, later = _finished(below, now)
    if later and not fitting:
        raise UsageError(f"{below}: holds only runs that were judged for a later moment.", remedy=_REMEDY)
    return fitting[-1] if fitting else path


def newest_run(reports: Path, tenant: str, now: datetime | None = None) -> Path | None:
    """The newest finished run of a tenant in the reports folder, to tell somebody who named none; None where there is
    none, or one of them is damaged."""
    try:
        fitting, _ = _finished(reports / slug(tenant), now)
    except UsageError:
        return None
    return fitting[-1] if fitting else None


def _finished(path: Path, now: datetime | None) -> tuple[list[Path], list[Path]]:
    """The finished runs in a folder, oldest first: those judged for `now` or before, and later ones."""
    runs = sorted((moment, folder.name, folder) for folder in _folders(path) if (moment := _moment(folder)))
    limit = iso(now) if now else "9"
    return [run[2] for run in runs if run[0] <= limit], [run[2] for run in runs if run[0] > limit]


def _folders(path: Path) -> list[Path]:
    return [folder for folder in path.iterdir() if (folder / FILE).is_file()] if path.is_dir() else []


def _moment(folder: Path) -> str:
    """The moment that a finished run was judged for; empty where it is not finished."""
    path = folder / RUN
    return str(_document(path).get("now", "")) if path.is_file() else ""


# --- a run's folder -------------------------------------------------------------------------------------------------


def _from_run(folder: Path, path: Path, worked: Worked | None) -> Previous:
    document = _document(path)
    findings = _by_id(path, document, "findings")
    gone = _by_id(path, document, "gone") if "gone" in document else {}
    run = _document(folder / RUN) if (folder / RUN).is_file() else {}
    datasets = _datasets(document.get("datasets") or run.get("datasets") or {})
    now = str(document.get("now") or run.get("now") or "")
    before = {
        identity: from_json(found["triage"])
        for identity, found in {**gone, **findings}.items()
        if isinstance(found.get("triage"), dict)
    }
    triage, remarks = _overlaid(before, findings, worked, now) if worked else (before, [])
    triage = _with_tickets(triage, ticket_keys(folder))
    return Previous(
        findings=findings,
        gone=gone,
        tenant_id=str(document.get("tenant_id") or run.get("tenant_id") or (worked.tenant_id if worked else "")),
        now=now,
        datasets=datasets,
        senders=_records(document.get("senders")),
        accounts=_accounts(folder / ACCOUNTS) if datasets.get("users") == "complete" else None,
        policies=_records(document.get("policies")),
        source=str(path),
        triage=triage,
        own_columns=worked.own_columns if worked else _texts(document.get("own_columns")),
        remarks=tuple(remarks),
    )


def read_tickets(folder: Path) -> dict[str, dict[str, dict[str, str]]]:
    """Finding id → name of a [[tickets]] entry → `key` and `url`; empty where nothing was synced from this run."""
    path = folder / TICKETS
    found = _document(path).get("tickets") if path.is_file() else None
    if not isinstance(found, dict):
        return {}
    return {
        identity: {name: _record(ticket) for name, ticket in entries.items()}
        for identity, entries in found.items()
        if isinstance(entries, dict)
    }


def ticket_keys(folder: Path) -> dict[str, str]:
    """Finding id → the keys of its tickets, as the column Ticket holds them."""
    return {
        identity: ", ".join(dict.fromkeys(ticket["key"] for _, ticket in sorted(entries.items()) if "key" in ticket))
        for identity, entries in read_tickets(folder).items()
    }


def _with_tickets(triage: Mapping[str, Triage], keys: Mapping[str, str]) -> dict[str, Triage]:
    """The keys where the analyst wrote none."""
    found = {identity: triage.get(identity, NONE) for identity in keys}
    return {**triage, **{key: replace(mine, ticket=keys[key]) for key, mine in found.items() if not mine.ticket}}


def _texts(known: Any) -> tuple[str, ...]:
    return tuple(text for text in known if isinstance(text, str)) if isinstance(known, list) else ()


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).", remedy=_REMEDY) from error
    except ValueError as error:
        raise UsageError(f"{path}: no JSON: {error}.", remedy=_REMEDY) from error
    return document if isinstance(document, dict) else {}


def _by_id(path: Path, document: Mapping[str, Any], name: str) -> dict[str, Document]:
    entries = document.get(name)
    if not isinstance(entries, list):
        raise UsageError(f"{path}: no list under `{name}`.", remedy=_REMEDY)
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise UsageError(f"{path}: {name}[{number}] has no `id`.", remedy=_REMEDY)
        for key, kind in (("evidence", dict), ("accounts", str)):
            value = entry.get(key)
            if value is not None and not (isinstance(value, list) and all(isinstance(part, kind) for part in value)):
                raise UsageError(f"{path}: {name}[{number}].{key} is not what this program writes.", remedy=_REMEDY)
    return {entry["id"]: entry for entry in entries}


def _datasets(known: Any) -> dict[str, str]:
    """Name → state, from findings.json (the state itself) or run.json (an object that holds it)."""
    if not isinstance(known, dict):
        return {}
    states = {name: entry.get("state") if isinstance(entry, dict) else entry for name, entry in known.items()}
    return {name: state for name, state in states.items() if isinstance(state, str)}


def _records(known: Any) -> dict[str, dict[str, str]] | None:
    if not isinstance(known, dict):
        return None
    return {key: _record(entry) for key, entry in known.items() if isinstance(entry, dict)}


def _record(entry: Any) -> dict[str, str]:
    """The texts among the values of an object."""
    known = entry if isinstance(entry, dict) else {}
    return {name: value for name, value in known.items() if isinstance(value, str)}


def _accounts(path: Path) -> dict[str, tuple[str, ...]] | None:
    """Id → name and ACCOUNT_FACTS of accounts.csv; None where the file or a column is not there."""
    if not path.is_file():
        return None
    wanted = ("user_id", "user_principal_name", *ACCOUNT_FACTS)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.reader(stream)
            header = next(rows, [])
            if not set(wanted) <= set(header):
                return None
            places = [header.index(name) for name in wanted]
            width = max(places) + 1
            read_rows = ([row[place] for place in places] for row in rows if len(row) >= width)
            return {identity: (_undefused(name), *rest) for identity, name, *rest in read_rows}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path}: cannot be read ({error}).", remedy="Remove the file, and accounts are not compared."
        ) from error


def _undefused(name: str) -> str:
    """A text of our CSV without the apostrophe that keeps a spreadsheet from running it."""
    return name[1:] if name[:1] == "'" and name[1:2] in tuple("=+-@\t\r\n") else name


# --- a workbook -----------------------------------------------------------------------------------------------------


def _from_workbook(path: Path) -> Previous:
    """A workbook alone: what its sheet Findings shows. Beside the findings.json that was written with it, that run with
    this workbook's triage."""
    worked = read_workbook(path)
    beside = path.parent / FILE
    if beside.is_file() and worked.run and _stamp(str(_document(beside).get("now", ""))) == worked.run:
        return _from_run(path.parent, beside, worked)
    findings = {row.id: _shown(row, worked) for row in worked.rows}
    triage, remarks = _overlaid({}, findings, worked, "")
    alone = Remark(
        "Only a workbook was given: what was fixed before, senders, accounts and policies are not compared. "
        "Name the run's folder for that."
    )
    return Previous(
        findings=findings,
        tenant_id=worked.tenant_id,
        now=_unstamp(worked.run),
        source=str(path),
        triage=triage,
        own_columns=worked.own_columns,
        remarks=(alone, *remarks),
    )


def _shown(row: Row, worked: Worked) -> Document:
    """A finding as far as the workbook shows it; `evidence` is None where it does not, and so are `accounts`."""
    kept = {name: value for name, value in row.plain.items() if name not in ("id", "accounts")}
    return {**kept, "id": row.id, "evidence": worked.evidence.get(row.id), "accounts": None}


def _overlaid(
    before: Mapping[str, Triage], findings: Mapping[str, Document], worked: Worked, now: str
) -> tuple[dict[str, Triage], list[Remark]]:
    """The triage of a workbook over the one that it was written with: a row that was deleted keeps the latter."""
    triage = dict(before)
    remarks = list(worked.remarks)
    if worked.run and now and worked.run != _stamp(now):
        remarks.append(Remark(f"The workbook is of the run {worked.run}, findings.json of {_stamp(now)}."))
    seen: dict[str, tuple[Triage, str]] = {}
    for row in worked.rows:
        outcome = row.plain.get("outcome") or str(findings.get(row.id, {}).get("outcome", ""))
        mine, problems = read(row.triage, outcome, before.get(row.id, Triage()), row.own)
        remarks += [Remark(problem, row.id, row.where) for problem in problems]
        first, where = seen.setdefault(row.id, (mine, row.where))
        if first != mine:
            problem = f"The finding stands twice, with different triage; that of {where} counts, not: {told(mine)}."
            remarks.append(Remark(problem, row.id, row.where))
    triage |= {identity: mine for identity, (mine, _) in seen.items()}
    deleted = [identity for identity in before if before[identity] and identity not in seen and identity in findings]
    remarks += [Remark("Its row was deleted; the triage from before is kept.", identity) for identity in deleted]
    return triage, remarks


def _stamp(moment: str) -> str:
    """`2026-11-23T16:00:00Z` as the workbook's property `run` writes it."""
    return moment.replace("-", "").replace(":", "")


def _unstamp(stamp: str) -> str:
    try:
        return iso(datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC))
    except ValueError:
        return ""
