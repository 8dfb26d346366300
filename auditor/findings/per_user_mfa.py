"""Per-user MFA enforced: an app password may exist, and no interface shows it. Audit events are the only traces."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import NAMED, account_facts, counted, mailbox_rows, make
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.verdict import Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    tenant = judgement.tenant
    if not tenant.complete("perUserMfa"):
        return
    rows = [row for row in mailbox_rows(judgement) if tenant.accounts.per_user_mfa[row] == "enforced"]
    if not rows:
        return
    names = tenant.accounts.user_principal_name
    events = sorted(
        (time, activity, names[row]) for row in rows for time, activity in tenant.app_password_events.get(row, ())
    )
    if events:
        traces = [
            Fact("auditEvent", f"{time} {activity}: {name}", "directoryAudits") for time, activity, name in events
        ]
    elif tenant.complete("directoryAudits"):
        traces = [
            Fact("auditEvents", "none in the log's window; older app passwords leave no trace", "directoryAudits")
        ]
    else:
        traces = [Fact("auditEvents", "unknown: not read", "directoryAudits")]
    yield make(
        RULE,
        judgement,
        severity=severity(Impact.ABUSE, Reach.TENANT, Doubt.DEPENDS if events else Doubt.UNKNOWN),
        title=f"Per-user MFA is enforced for {counted(rows)}: an app password may exist",
        evidence=[*account_facts(judgement, rows, "perUserMfa"), *traces[-NAMED:]],
        accounts=rows,
    )


RULE = Rule(
    id="per-user-mfa-enforced",
    title="Per-user MFA enforced: an app password may exist",
    datasets=("perUserMfa", "directoryAudits"),
    remedy=(
        "An app password is basic authentication that a password change does not revoke and that ends with it. Move "
        "these people to MFA by Conditional Access, where app passwords are not available, and have existing ones "
        "deleted. A sender among them moves to OAuth."
    ),
    remedy_risk="A client that signs in with an app password stops; find it in the sign-in log first.",
    references=(references.PER_USER_MFA, references.APP_PASSWORDS),
    controls=(),
    find=find,
)
