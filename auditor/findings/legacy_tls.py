"""TLS 1.0 and 1.1 are allowed for SMTP AUTH clients (the legacy endpoint)."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.blockers.routes import host
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import declared_sender, make
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.tenant import YES
from auditor.verdict import Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    if not judgement.tenant.complete("transportConfig") or judgement.tenant.allow_legacy_tls != YES:
        return
    cases = [
        case for case in judgement.sender_cases() if host(declared_sender(judgement, case)).startswith("smtp-legacy.")
    ]
    users = ", ".join(sorted(declared_sender(judgement, case).name for case in cases)) or "none"
    yield make(
        RULE,
        judgement,
        severity=severity(Impact.WEAKENS, Reach.TENANT, Doubt.DEPENDS if cases else Doubt.CERTAIN),
        title="Clients with TLS 1.0 and 1.1 are allowed for SMTP AUTH",
        evidence=[Fact("AllowLegacyTLSClients", "True", "transportConfig"), Fact("declaredSendersThatUseIt", users)],
        accounts=[judgement.cases.account[case] for case in cases],
    )


RULE = Rule(
    id="legacy-tls-allowed",
    title="Legacy TLS allowed for SMTP AUTH",
    datasets=("transportConfig",),
    remedy=(
        "Move the devices that need it to TLS 1.2 or behind an SMTP relay connector, then set AllowLegacyTLSClients to "
        "false."
    ),
    remedy_risk="Devices that only know TLS 1.0 or 1.1 stop sending (421 4.7.66).",
    references=(references.LEGACY_TLS, references.DEVICES),
    controls=(),
    find=find,
)
