"""What a run hands on to the next: the tenant's standing in a form that two runs can compare (`diff.Run`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from auditor.clock import iso
from auditor.diff import Run
from auditor.findings import to_json
from auditor.findings.base import SEVERITIES, Finding
from auditor.findings.build import declared_sender, missing_sender_keys, sender_keys
from auditor.states import VERDICT_WORDS
from auditor.tenant import NO, YES
from auditor.verdict import EXPOSURE_WORDS, Judgement

_TRI = {YES: "true", NO: "false"}


def record(judgement: Judgement, findings: Iterable[Finding]) -> Run:
    """The run as `diff.compare` takes it. Accounts are there only where `users` was read whole: a missing row would
    else look like a deleted account."""
    tenant = judgement.tenant
    return Run(
        findings={finding.id: to_json(finding, judgement) for finding in findings},
        tenant_id=tenant.tenant_id,
        now=iso(tenant.now),
        datasets={name: status.state for name, status in tenant.status.items()},
        senders=senders(judgement),
        accounts=_accounts(judgement) if tenant.complete("users") else None,
        policies=_policies(tenant.policies) if tenant.complete("conditionalAccessPolicies") else None,
        source="this run",
    )


def senders(judgement: Judgement) -> dict[str, dict[str, str]]:
    """Object id → what is compared of a declared sender. `verdict` is that of the channel it uses, or `missing`."""
    keys = sender_keys(judgement)
    told = {}
    for case in judgement.sender_cases():
        sender = declared_sender(judgement, case)
        row = int(judgement.cases.account[case])
        basic = VERDICT_WORDS[int(judgement.basic_cases[case])]
        oauth = VERDICT_WORDS[int(judgement.oauth_cases[case])]
        told[keys[case]] = {
            "name": sender.name,
            "account": judgement.tenant.accounts.user_principal_name[row],
            "auth": sender.auth,
            "verdict": oauth if sender.auth == "oauth" else basic,
            "basic": basic,
            "oauth": oauth,
            "deciding_blocker": judgement.deciding_blocker[case],
            "exposure": EXPOSURE_WORDS[int(judgement.exposure[row])],
            "breaks_at_retirement": judgement.breaks_at_retirement[row],
        }
    verdict = "missing" if judgement.tenant.complete("users") else "unknown"
    for key, sender in missing_sender_keys(judgement).items():
        told[key] = {"name": sender.name, "account": sender.account, "auth": sender.auth, "verdict": verdict}
    return told


def summary(judgement: Judgement, findings: Sequence[Finding]) -> dict[str, Any]:
    """The numbers of a run that a trend is drawn from. Findings count where they stand (not waived)."""
    verdicts = Counter(entry["verdict"] for entry in senders(judgement).values())
    exposure = Counter(EXPOSURE_WORDS[int(code)] for code in judgement.exposure.tolist())
    standing = Counter(finding.severity for finding in findings if finding.outcome != "waived")
    return {
        "accounts": len(judgement.tenant.accounts),
        "findings": {severity: standing[severity] for severity in SEVERITIES},
        "waived": sum(finding.outcome == "waived" for finding in findings),
        "senders": {word: verdicts[word] for word in (*VERDICT_WORDS, "missing")},
        "exposure": {word: exposure[word] for word in EXPOSURE_WORDS},
    }


def _accounts(judgement: Judgement) -> dict[str, tuple[str, ...]]:
    accounts = judgement.tenant.accounts
    exposure = judgement.exposure.tolist()
    return {
        identity: (name, kind, _TRI.get(int(admin), "unknown"), EXPOSURE_WORDS[code])
        for identity, name, kind, admin, code in zip(
            accounts.id, accounts.user_principal_name, accounts.kind, accounts.is_admin.tolist(), exposure, strict=True
        )
    }


def _policies(policies: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    return {
        str(policy.get("id", "")).lower(): {
            "name": str(policy.get("displayName") or ""),
            "state": str(policy.get("state") or ""),
            "modified": str(policy.get("modifiedDateTime") or ""),
        }
        for policy in policies
    }
