"""What was asked for and not read, where it decides something: one finding per dataset, naming what would open it.

Without `users` there are no accounts to judge, so that one finding stands for all. What was never asked for stands in
one finding together: the cause is the same, the run's settings.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.catalogue import CATALOGUE
from auditor.coverage import closing, decides, unknown_accounts
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import make
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.tenant import DatasetStatus
from auditor.verdict import EXPOSURE_BLOCKERS, Judgement

EVIDENCE = frozenset(
    {"signIns", "emailAppUsage", "directoryAudits", "userRegistrationDetails", "authenticationMethods", "whatIf"}
)
"""Datasets that decide no blocker, but findings about use and methods, or about this audit."""
_FINDINGS = {"whatIf": "the comparison with Microsoft's own answer"}
APPS = frozenset({"servicePrincipals", "appRoleAssignments", "applicationAccessPolicies", "managementRoleAssignments"})


def find(judgement: Judgement) -> Iterator[Finding]:
    status = judgement.tenant.status
    gaps = [status[dataset.name] for dataset in CATALOGUE if not status[dataset.name].complete]
    if not status["users"].complete:
        yield _users(judgement, gaps)
        return
    for gap in gaps:
        if gap.asked and (decides(gap.name) or gap.name in EVIDENCE | APPS):
            yield _asked(judgement, gap)
    never = [gap for gap in gaps if not gap.asked and decides(gap.name) and gap.name != "smtpReplies"]
    if never:
        yield _never_asked(judgement, never)


def _users(judgement: Judgement, gaps: list[DatasetStatus]) -> Finding:
    others = [f"{gap.name} ({gap.state})" for gap in gaps if gap.name != "users" and gap.asked]
    status = judgement.tenant.status["users"]
    return make(
        RULE,
        judgement,
        outcome="unknown",
        severity=severity(Impact.LOSS, Reach.TENANT, Doubt.DEPENDS),
        title=f"users was not read in full ({status.state}): no account can be judged",
        evidence=[*_facts(status), *([Fact("alsoNotComplete", ", ".join(others))] if others else [])],
        target=("dataset", "users", "users"),
        remedy=closing(status),
    )


def _asked(judgement: Judgement, status: DatasetStatus) -> Finding:
    blockers = decides(status.name)
    exposing = any(blocker in EXPOSURE_BLOCKERS for blocker in blockers)
    unknown = unknown_accounts(judgement, status.name)
    impact = Impact.LOSS if exposing and unknown else Impact.ABUSE if blockers else Impact.WEAKENS
    return make(
        RULE,
        judgement,
        outcome="unknown",
        severity=severity(impact, Reach.TENANT, Doubt.UNKNOWN),
        title=f"{status.name} was not read in full ({status.state}){_leaves(blockers, unknown)}",
        evidence=[
            *_facts(status),
            Fact("decides", ", ".join(blockers) or _FINDINGS.get(status.name, "findings about use, methods and apps")),
            Fact("accountsLeftUnknown", str(unknown)),
        ],
        target=("dataset", status.name, status.name),
        remedy=closing(status),
    )


def _leaves(blockers: tuple[str, ...], unknown: int) -> str:
    if not blockers:
        return ""
    return f": {', '.join(blockers)} unknown for {unknown} account{'' if unknown == 1 else 's'}"


def _never_asked(judgement: Judgement, gaps: list[DatasetStatus]) -> Finding:
    names = [gap.name for gap in gaps]
    exposing = any(blocker in EXPOSURE_BLOCKERS for name in names for blocker in decides(name))
    return make(
        RULE,
        judgement,
        outcome="unknown",
        severity=severity(Impact.LOSS if exposing else Impact.ABUSE, Reach.TENANT, Doubt.UNKNOWN),
        title=f"{len(names)} dataset(s) that decide something were not asked for",
        evidence=[
            Fact("notAsked", ", ".join(names)),
            Fact("accountsLeftUnknown", str(max(unknown_accounts(judgement, name) for name in names))),
        ],
        target=("dataset", "not-asked", "not asked for"),
        remedy=" ".join(dict.fromkeys(closing(gap) for gap in gaps)),
    )


def _facts(status: DatasetStatus) -> list[Fact]:
    facts = [Fact("state", status.state, status.name)]
    if status.reason:
        facts.append(Fact("reason", status.reason, status.name))
    if status.permission:
        facts.append(Fact("opensWith", status.permission, status.name))
    return facts


RULE = Rule(
    id="coverage-gap",
    title="Evidence that decides something was not read",
    datasets=(),
    remedy="`auditor doctor` says which permission opens which dataset.",
    remedy_risk="Every permission is one more that the app's credential carries; grant the one named, no wider one.",
    references=(),
    controls=(),
    find=find,
)
