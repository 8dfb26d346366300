"""A finished run as tickets see it: what stands, what is gone and why, whom it is about, who owns it."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from auditor.config import Config
from auditor.diff import Document, Run
from auditor.errors import UsageError
from auditor.findings.base import finding_id
from auditor.previous import ACCOUNTS, FILE, load_previous
from auditor.tickets.base import TOOL
from auditor.tickets.settings import Grouping
from auditor.triage import NONE, Triage

GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)

ACCOUNT_COLUMNS = (
    "user_id", "user_principal_name", "display_name", "kind", "exposure", "basic", "oauth", "deciding_blocker",
    "safest_exit", "breaks_at_retirement",
)  # fmt: skip
"""What a ticket's table of accounts shows, of accounts.csv."""


@dataclass(frozen=True)
class Source:
    """`places`: finding id → for each grouping the marker of the ticket it would stand in, also of findings that are
    gone. `headings`: marker of a group → its name, such as the sender's. `owners`: finding id → who is asked.
    `accounts`: user id → ACCOUNT_COLUMNS, of the accounts that findings touch."""

    run: Run
    triage: Mapping[str, Triage]
    places: Mapping[str, Mapping[Grouping, str]]
    headings: Mapping[str, str]
    owners: Mapping[str, str]
    accounts: Mapping[str, Mapping[str, str]]
    folder: Path

    @property
    def tenant(self) -> str:
        """The label of all tickets of this tenant."""
        return f"{TOOL}-{hashlib.sha256(self.run.tenant_id.lower().encode()).hexdigest()[:12]}"


def read_source(path: Path, config: Config) -> Source:
    """The run in `path`: its folder, or a folder of runs, of which the newest is taken. Raises UsageError where it
    holds no findings.json, or one that names no tenant."""
    run = load_previous(path)
    file = Path(run.source)
    if file.name != FILE:
        raise UsageError(f"{path}: holds no {FILE}.", remedy="Name a run's folder, such as reports/<tenant>/<time>.")
    if not run.tenant_id:
        raise UsageError(
            f"{file}: names no tenant, so tickets of two tenants could not be told apart.",
            remedy="Judge the snapshot again with a config that names its tenant.",
        )
    documents = {**run.gone, **run.findings}
    declared = {sender.name.lower(): sender.owner for sender in config.senders}
    by_account = _senders_by_account(run)
    places: dict[str, dict[Grouping, str]] = {}
    headings: dict[str, str] = {}
    owners: dict[str, str] = {}
    for identity, document in documents.items():
        sender = _sender(document, run, by_account)
        name = (run.senders or {}).get(sender, {}).get("name", sender)
        owner = run.triage.get(identity, NONE).owner or declared.get(name.lower(), "")
        owners[identity] = " ".join(owner.split())
        keys: dict[Grouping, str] = {"rule": text(document, "rule"), "sender": sender, "owner": owners[identity]}
        places[identity] = _markers(identity, run.tenant_id, keys)
        headings[places[identity]["sender"]] = name
        headings[places[identity]["owner"]] = owners[identity]
    wanted = {account for document in run.findings.values() for account in document.get("accounts") or ()}
    accounts = _account_rows(file.parent / ACCOUNTS, wanted)
    return Source(run, run.triage, places, headings, owners, accounts, file.parent)


def text(document: Document, name: str) -> str:
    """A finding's key as text; empty where it is none."""
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _markers(identity: str, tenant: str, keys: Mapping[Grouping, str]) -> dict[Grouping, str]:
    """Per sender and per owner, what has none stands in the ticket of its rule."""
    by_rule = finding_id("by-rule", tenant, keys["rule"])
    markers: dict[Grouping, str] = {"finding": identity, "rule": by_rule}
    for grouping in GROUPINGS[2:]:
        markers[grouping] = finding_id(f"by-{grouping}", tenant, keys[grouping]) if keys[grouping] else by_rule
    return markers


def _senders_by_account(run: Run) -> dict[str, str]:
    """UPN → object id of the only sender that uses it."""
    found: dict[str, list[str]] = {}
    for key, sender in (run.senders or {}).items():
        found.setdefault(sender.get("account", "").lower(), []).append(key)
    return {account: keys[0] for account, keys in found.items() if account and len(keys) == 1}


def _sender(document: Document, run: Run, by_account: Mapping[str, str]) -> str:
    """The object id of the sender that a finding is about, itself or by its account; empty where there is none."""
    if text(document, "object_type") == "sender":
        return text(document, "object_id")
    if text(document, "object_type") == "account":
        account = (run.accounts or {}).get(text(document, "object_id"), (text(document, "object_name"),))[0]
        return by_account.get(account.lower(), "")
    return ""


def _account_rows(path: Path, wanted: Iterable[str]) -> dict[str, Mapping[str, str]]:
    """Rows of accounts.csv by user id; nothing where the file was deleted. Formula-like texts stay defused."""
    ids = frozenset(wanted)
    if not ids or not path.is_file():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return {
            row["user_id"]: {name: row.get(name) or "" for name in ACCOUNT_COLUMNS}
            for row in csv.DictReader(stream)
            if row.get("user_id") in ids
        }
