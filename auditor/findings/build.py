"""Small helpers that the rules share: making a finding, naming accounts, telling evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np

from auditor.catalogue import EXCHANGE_DATASETS
from auditor.compact import where
from auditor.config import Sender
from auditor.findings.base import Fact, Finding, Outcome, Rule, Severity
from auditor.load.values import moment
from auditor.states import Mask, Reason, State
from auditor.tenant import NO, YES, DatasetStatus
from auditor.verdict import Judgement

TENANT = "tenant"
READ_FROM = "readFrom"
"""The fact that tells where settings of Exchange come from; another age is no change of the tenant."""
NAMED = 10
"""How many accounts the evidence of one finding names; all of them stand in `accounts`."""


def make(
    rule: Rule,
    judgement: Judgement,
    *,
    severity: Severity,
    title: str,
    evidence: Sequence[Fact],
    outcome: Outcome = "fail",
    target: tuple[str, str, str] | None = None,
    accounts: Iterable[int] = (),
    remedy: str = "",
    remedy_risk: str = "",
) -> Finding:
    """A finding of `rule`. `target`: object type, id and name; the tenant where it is None."""
    tenant = judgement.tenant
    kind, key, name = target or (TENANT, tenant.tenant_id or TENANT, tenant.name or tenant.tenant_id or TENANT)
    return Finding(
        rule=rule.id,
        severity=severity,
        outcome=outcome,
        object_type=kind,
        object_id=key,
        object_name=name,
        title=title,
        evidence=(*evidence, *_provenance(judgement, evidence)),
        remedy=remedy or rule.remedy,
        remedy_risk=remedy_risk or rule.remedy_risk,
        references=rule.references,
        controls=rule.controls,
        tenant_id=tenant.tenant_id,
        accounts=tuple(sorted({int(row) for row in accounts})),
    )


def _provenance(judgement: Judgement, evidence: Sequence[Fact]) -> list[Fact]:
    """Where the settings of Exchange behind the evidence were read, and how old they are: one fact for each way of
    reading and time. Microsoft Graph's own datasets are as old as the run."""
    tenant = judgement.tenant
    named = {name for fact in evidence for name in fact.dataset.split(", ")}
    found: dict[str, list[str]] = {}
    for name in EXCHANGE_DATASETS:
        status = tenant.status[name]
        if name in named and status.source:
            found.setdefault(_read_from(status, tenant.now), []).append(name)
    return [Fact(READ_FROM, told, ", ".join(names)) for told, names in found.items()]


def _read_from(status: DatasetStatus, now: datetime) -> str:
    way = status.source.partition(": ")[0]
    taken = moment(status.as_of)
    if taken is None:
        return f"{way}, nobody knows when"
    days = (now - taken).days
    age = f", {days} day{'' if days == 1 else 's'} before the judgement" if days > 0 else ""
    return f"{way}, {status.as_of}{age}"


def account(judgement: Judgement, row: int) -> tuple[str, str, str]:
    """The target of a finding about one account."""
    accounts = judgement.tenant.accounts
    return "account", accounts.id[row], accounts.user_principal_name[row]


def sender(judgement: Judgement, case: int) -> tuple[str, str, str]:
    """The target of a finding about one declared sender."""
    declared = declared_sender(judgement, case)
    return "sender", sender_keys(judgement)[case], declared.name


def declared_sender(judgement: Judgement, case: int) -> Sender:
    declared = judgement.cases.senders[case]
    if declared is None:
        raise ValueError(f"case {case} is no declared sender")
    return declared


def sender_keys(judgement: Judgement) -> dict[int, str]:
    """Case → object id: the sender's name; where a name is used twice, with its account and a number."""
    cases = list(judgement.sender_cases())
    present = [declared_sender(judgement, case) for case in cases]
    keys = _keys([*present, *judgement.missing_senders])
    return dict(zip(cases, keys[: len(cases)], strict=True))


def missing_sender_keys(judgement: Judgement) -> dict[str, Sender]:
    """Object id → declared sender whose account is not in the tenant."""
    present = [declared_sender(judgement, case) for case in judgement.sender_cases()]
    keys = _keys([*present, *judgement.missing_senders])
    return dict(zip(keys[len(present) :], judgement.missing_senders, strict=True))


def _keys(senders: Sequence[Sender]) -> list[str]:
    names = [sender.name.lower() for sender in senders]
    taken: set[str] = set()
    keys = []
    for sender in senders:
        base = sender.name if names.count(sender.name.lower()) == 1 else f"{sender.name} ({sender.account})"
        key, number = base, 2
        while key.lower() in taken:
            key, number = f"{base} #{number}", number + 1
        taken.add(key.lower())
        keys.append(key)
    return keys


def counted(rows: Sequence[int], one: str = "account", many: str = "accounts") -> str:
    return f"{len(rows)} {one if len(rows) == 1 else many}"


def name_list(judgement: Judgement, rows: Iterable[int]) -> str:
    """The first accounts by name, and how many more there are."""
    names = sorted(judgement.tenant.accounts.user_principal_name[row] for row in rows)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def account_facts(judgement: Judgement, rows: Sequence[int], dataset: str = "users") -> list[Fact]:
    return [Fact("accounts", str(len(rows)), dataset), Fact("accountNames", name_list(judgement, rows), dataset)]


def reason_facts(blocker: str, reason: Reason) -> list[Fact]:
    """A blocker's state and sentence, and each property behind it."""
    dataset = reason.datasets[0] if reason.datasets else ""
    facts = [Fact(blocker, f"{reason.state.word}: {reason.text}", ", ".join(reason.datasets))]
    return facts + [Fact(name, value, dataset) for name, value in reason.facts]


def is_admin(judgement: Judgement, row: int) -> bool:
    return bool(judgement.tenant.accounts.is_admin[row] == YES)


def has_override(judgement: Judgement, row: int) -> bool:
    """The mailbox itself says that SMTP AUTH is on, whatever the organisation says."""
    return bool(judgement.tenant.accounts.smtp_auth_disabled[row] == NO)


def has_mailbox(judgement: Judgement, row: int) -> bool:
    return bool(judgement.columns["mailbox"].states[row] == State.CLEAR)


def is_guest_without_mailbox(judgement: Judgement, row: int) -> bool:
    """Such accounts are no finding (contract)."""
    external = judgement.tenant.accounts.is_external[row] == YES
    return bool(external and judgement.columns["mailbox"].states[row] == State.BLOCKS)


def mailbox_rows(judgement: Judgement) -> list[int]:
    """Accounts that do have a mailbox in Exchange Online."""
    states = judgement.columns["mailbox"].states[: judgement.cases.accounts]
    return rows_where(states == State.CLEAR)


def rows_where(mask: Mask) -> list[int]:
    rows: list[int] = np.flatnonzero(mask).tolist()
    return rows


def used_rows(judgement: Judgement) -> list[int]:
    """Accounts of which `use_facts` tells anything."""
    accounts = judgement.tenant.accounts
    return rows_where(where(accounts.smtp_last_success, bool) | (accounts.smtp_app_used == YES))


def use_facts(judgement: Judgement, row: int) -> list[Fact]:
    """Evidence that the account sent by SMTP; empty if none was seen."""
    accounts = judgement.tenant.accounts
    facts = []
    if accounts.smtp_last_success[row]:
        facts.append(Fact("smtpLastSuccess", accounts.smtp_last_success[row], "signIns"))
    if accounts.smtp_app_used[row] == YES:
        facts.append(Fact("SMTP App", "yes", "emailAppUsage"))
    return facts
