"""Accounts that whoever has the password can use over SMTP, one finding each: administrators, explicit mailbox
overrides, evidence of use and declared senders. Everybody else stands together in `exposed-accounts`."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import account, has_override, is_admin, make, reason_facts, rows_where, use_facts
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.tenant import YES
from auditor.verdict import EXPOSURE_BLOCKERS, EXPOSURE_WORDS, LIMITED, OPEN, Judgement


def exposed_rows(judgement: Judgement) -> list[int]:
    """Accounts whose exposure is open or limited."""
    return rows_where((judgement.exposure == OPEN) | (judgement.exposure == LIMITED))


def singled_out(judgement: Judgement, row: int) -> bool:
    """Whether the contract gives the account a finding of its own."""
    return (
        is_admin(judgement, row)
        or has_override(judgement, row)
        or judgement.is_sender(row)
        or bool(use_facts(judgement, row))
    )


def find(judgement: Judgement) -> Iterator[Finding]:
    for row in exposed_rows(judgement):
        if singled_out(judgement, row):
            yield _finding(judgement, row)


def _finding(judgement: Judgement, row: int) -> Finding:
    admin = is_admin(judgement, row)
    limited = bool(judgement.exposure[row] == LIMITED)
    return make(
        RULE,
        judgement,
        severity=severity(
            Impact.LOSS if admin else Impact.ABUSE,
            Reach.TENANT if admin else Reach.NAMED,
            Doubt.DEPENDS if limited else Doubt.CERTAIN,
        ),
        title=_title(judgement, row, admin, limited),
        evidence=_evidence(judgement, row),
        target=account(judgement, row),
        accounts=[row],
    )


def _title(judgement: Judgement, row: int, admin: bool, limited: bool) -> str:
    accounts = judgement.tenant.accounts
    who = f"{'Administrator ' if admin else ''}{accounts.user_principal_name[row]}"
    where = "from some places or states" if limited else "from anywhere"
    if accounts.per_user_mfa[row] == "enforced" and judgement.tenant.complete("perUserMfa"):
        return f"{who}: an app password, if one exists, works over SMTP"
    if accounts.mfa_registered[row] == YES:
        return f"{who}: MFA registered, bare password still works over SMTP {where}"
    return f"{who}: the bare password works over SMTP {where}"


def _evidence(judgement: Judgement, row: int) -> list[Fact]:
    accounts = judgement.tenant.accounts
    registered = {1: "yes", 0: "no"}.get(int(accounts.mfa_registered[row]), "unknown")
    facts = [
        Fact("exposure", EXPOSURE_WORDS[judgement.exposure[row]]),
        Fact("passwordGuessing", judgement.password_guessing[row]),
        Fact("isMfaRegistered", registered, "userRegistrationDetails"),
    ]
    if is_admin(judgement, row):
        facts.append(Fact("roles", _roles(judgement, row), "roleAssignments"))
    if judgement.is_sender(row):
        facts.append(Fact("sender", "yes, and its safest way out is " + judgement.safest_exit[judgement.case_of[row]]))
    for blocker in EXPOSURE_BLOCKERS:
        column = judgement.columns[blocker]
        if blocker == "per-user-mfa" and not judgement.tenant.complete("perUserMfa"):
            facts.append(Fact(blocker, "left out: not read", "perUserMfa"))
        elif blocker in ("smtp-auth-switch", "authentication-policy", "conditional-access", "per-user-mfa"):
            facts += reason_facts(blocker, column.reason(row))
    return facts + use_facts(judgement, row)


def _roles(judgement: Judgement, row: int) -> str:
    names = [
        str(judgement.tenant.role_definitions.get(role, {}).get("displayName") or role)
        for role in judgement.tenant.accounts.roles[row]
    ]
    return ", ".join(sorted(names))


RULE = Rule(
    id="exposed-account",
    title="The bare password of this account works over SMTP",
    datasets=(
        "users", "casMailboxes", "transportConfig", "authenticationPolicies", "conditionalAccessPolicies",
        "roleAssignments", "perUserMfa",
    ),
    remedy=(
        "Where nobody needs it: switch SMTP AUTH off for the mailbox, give the account an authentication policy that "
        "refuses basic SMTP, and take administrators' mailboxes out of SMTP first. A registered method never protects "
        "basic SMTP AUTH, because the client is never asked for it. Where it is a sender: "
        f"{references.SAFER_WAYS} {references.KEEP_AND_RESTRICT}"
    ),
    remedy_risk=(
        "Mail that goes out through this account by SMTP AUTH stops, OAuth senders included when the switch is closed: "
        "look at the evidence of use and ask the owner first."
    ),
    references=(references.SMTP_AUTH, references.NO_BASIC, references.BLOCK_LEGACY),
    controls=(references.CIS_SMTP, references.CISA_SMTP),
    find=find,
)  # fmt: skip
