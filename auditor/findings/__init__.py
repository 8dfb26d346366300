"""The rules, and a finding in the form that findings.json holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from auditor.findings.application_send import RULE as APPLICATION_SEND
from auditor.findings.audit_contradiction import RULE as AUDIT_CONTRADICTION
from auditor.findings.authentication_policy import RULE as AUTHENTICATION_POLICY
from auditor.findings.base import Finding, Rule
from auditor.findings.conditional_access import EXCLUSION, EXCLUSION_GROUP, GAP
from auditor.findings.coverage_gap import RULE as COVERAGE_GAP
from auditor.findings.cross_check import RULE as CROSS_CHECK
from auditor.findings.data_problem import RULE as DATA_PROBLEM
from auditor.findings.exposed_account import RULE as EXPOSED_ACCOUNT
from auditor.findings.exposed_accounts import RULE as EXPOSED_ACCOUNTS
from auditor.findings.legacy_tls import RULE as LEGACY_TLS
from auditor.findings.licence_error import RULE as LICENCE_ERROR
from auditor.findings.mailbox_without_entitlement import RULE as MAILBOX_WITHOUT_ENTITLEMENT
from auditor.findings.organisation_switch import RULE as ORGANISATION_SWITCH
from auditor.findings.password_guessing import RULE as PASSWORD_GUESSING
from auditor.findings.password_spray import RULE as PASSWORD_SPRAY
from auditor.findings.per_user_mfa import RULE as PER_USER_MFA
from auditor.findings.report_only import RULE as REPORT_ONLY
from auditor.findings.security_defaults import RULE as SECURITY_DEFAULTS
from auditor.findings.sender_account import RULE as SENDER_ACCOUNT
from auditor.findings.sender_blocked import RULE as SENDER_BLOCKED
from auditor.findings.sender_conditional import RULE as SENDER_CONDITIONAL
from auditor.findings.sender_egress import RULE as SENDER_EGRESS
from auditor.findings.sender_method import RULE as SENDER_METHOD
from auditor.findings.sender_phone import RULE as SENDER_PHONE
from auditor.findings.sender_registration import RULE as SENDER_REGISTRATION
from auditor.findings.sender_retirement import RULE as SENDER_RETIREMENT
from auditor.findings.sender_unknown import RULE as SENDER_UNKNOWN
from auditor.findings.shared_mailbox import RULE as SHARED_MAILBOX
from auditor.findings.undeclared_use import RULE as UNDECLARED_USE
from auditor.verdict import Judgement

RULES: tuple[Rule, ...] = (
    SENDER_BLOCKED,
    SENDER_ACCOUNT,
    SENDER_UNKNOWN,
    SENDER_CONDITIONAL,
    SENDER_RETIREMENT,
    SENDER_REGISTRATION,
    SENDER_METHOD,
    SENDER_PHONE,
    SENDER_EGRESS,
    EXPOSED_ACCOUNT,
    EXPOSED_ACCOUNTS,
    ORGANISATION_SWITCH,
    AUTHENTICATION_POLICY,
    PASSWORD_GUESSING,
    PASSWORD_SPRAY,
    EXCLUSION,
    EXCLUSION_GROUP,
    GAP,
    REPORT_ONLY,
    SECURITY_DEFAULTS,
    UNDECLARED_USE,
    AUDIT_CONTRADICTION,
    CROSS_CHECK,
    PER_USER_MFA,
    MAILBOX_WITHOUT_ENTITLEMENT,
    LICENCE_ERROR,
    SHARED_MAILBOX,
    LEGACY_TLS,
    APPLICATION_SEND,
    DATA_PROBLEM,
    COVERAGE_GAP,
)


def find_all(judgement: Judgement) -> list[Finding]:
    """What every rule finds, in the order of the rules; findings of one id, as two policies of one id give, as one."""
    found: dict[str, Finding] = {}
    for finding in (finding for rule in RULES for finding in rule.find(judgement)):
        other = found.setdefault(finding.id, finding)
        if other is not finding:
            found[finding.id] = replace(
                other,
                evidence=tuple(dict.fromkeys((*other.evidence, *finding.evidence))),
                accounts=tuple(sorted({*other.accounts, *finding.accounts})),
            )
    return list(found.values())


def to_json(finding: Finding, judgement: Judgement) -> dict[str, Any]:
    """The contract's keys, and `accounts`: the ids of the accounts that the finding touches."""
    return {
        "id": finding.id,
        "rule": finding.rule,
        "severity": finding.severity,
        "outcome": finding.outcome,
        "object_type": finding.object_type,
        "object_id": finding.object_id,
        "object_name": finding.object_name,
        "title": finding.title,
        "evidence": evidence_json(finding),
        "remedy": finding.remedy,
        "remedy_risk": finding.remedy_risk,
        "references": list(finding.references),
        "controls": list(finding.controls),
        "first_seen": finding.first_seen,
        "change": finding.change,
        "accounts": sorted(judgement.tenant.accounts.id[row] for row in finding.accounts),
    }


def evidence_json(finding: Finding) -> list[dict[str, str]]:
    """The evidence as findings.json holds it."""
    return [{"name": fact.name, "value": fact.value, "dataset": fact.dataset} for fact in finding.evidence]


def evidence_text(finding: Finding) -> str:
    """The evidence as one readable string, for CSV and the workbook's cells."""
    return "; ".join(
        f"{fact.name} = {fact.value}" + (f" ({fact.dataset})" if fact.dataset else "") for fact in finding.evidence
    )
