"""Finished runs for the tests: a folder with findings.json, accounts.csv and run.json, as the program writes them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.catalogue import CATALOGUE
from auditor.diff import compare
from auditor.findings import RULES
from auditor.findings.base import finding_id
from auditor.previous import load_previous

COMPLETE = {dataset.name: "complete" for dataset in CATALOGUE}
RULE = {rule.id: rule for rule in RULES}


def finding(tenant: str, rule: str, number: int = 0, **more: Any) -> dict[str, Any]:
    """A finding of a rule about an account; `more` replaces keys."""
    account = f"00000000-0000-4000-8000-{number:012d}"
    object_id = more.get("object_id", account)
    name = more.get("object_name", f"person{number}@contoso.example")
    known = RULE[rule]
    document = {
        "id": finding_id(rule, tenant, object_id),
        "rule": rule,
        "severity": "high",
        "outcome": "fail",
        "object_type": "account",
        "object_id": object_id,
        "object_name": name,
        "title": f"{name}: {known.title}",
        "evidence": [{"name": "accountEnabled", "value": "true", "dataset": "users"}],
        "remedy": known.remedy,
        "remedy_risk": known.remedy_risk,
        "references": list(known.references),
        "controls": list(known.controls),
        "first_seen": "2026-11-23T16:00:00Z",
        "change": "new",
        "accounts": [account],
    }
    return {**document, **more}


@dataclass
class Runs:
    """The runs of one tenant, quarter after quarter, each compared with the one before unless `chained` is False."""

    folder: Path
    tenant: str
    made: int = 0
    last: Path | None = None
    senders: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, rule: str, number: int = 0, **more: Any) -> dict[str, Any]:
        return finding(self.tenant, rule, number, **more)

    def run(
        self,
        findings: Iterable[Mapping[str, Any]],
        *,
        datasets: Mapping[str, str] | None = None,
        chained: bool = True,
        accounts: Iterable[Mapping[str, str]] = (),
    ) -> Path:
        """The next run's folder."""
        self.made += 1
        now = f"20{26 + self.made // 12:02d}-{self.made % 12 + 1:02d}-23T16:00:00Z"
        path = self.folder / now.replace("-", "").replace(":", "")
        path.mkdir(parents=True)
        documents = sorted((dict(document) for document in findings), key=lambda document: document["id"])
        standing = {
            "findings": documents,
            "schema": 1,
            "tenant_id": self.tenant,
            "now": now,
            "datasets": {**COMPLETE, **(datasets or {})},
            "senders": self.senders,
            "gone": [],
        }
        _write_accounts(path, documents, accounts)
        self._write(path, standing)
        if chained and self.last:
            comparison = compare(load_previous(self.last), load_previous(path))
            became = {change.id: change.kind for change in comparison.findings}
            kinds = ("new", "persisting", "changed", "returned")
            for document in documents:
                document["change"] = became[document["id"]] if became[document["id"]] in kinds else "persisting"
            standing["gone"] = list(comparison.gone.values())
            self._write(path, standing)
        self.last = path
        return path

    @staticmethod
    def _write(path: Path, document: Mapping[str, Any]) -> None:
        (path / "findings.json").write_text(json.dumps(document), encoding="utf-8")
        (path / "run.json").write_text(json.dumps({"now": document["now"]}), encoding="utf-8")


def _write_accounts(path: Path, documents: Iterable[Mapping[str, Any]], more: Iterable[Mapping[str, str]]) -> None:
    header = ("user_id", "user_principal_name", "display_name", "kind", "is_admin", "exposure")
    rows = {row["user_id"]: row for row in more}
    for document in documents:
        for identity in document["accounts"]:
            name = f"person{int(identity[-12:])}@contoso.example"
            row = dict(zip(header, (identity, name, name.partition("@")[0], "user", "false", "open"), strict=True))
            rows.setdefault(identity, row)
    with (path / "accounts.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, header, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows.values())
