"""A declared sender whose account is not in the tenant (any more)."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import make, missing_sender_keys
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.verdict import Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    if not judgement.tenant.complete("users"):
        return
    # a user object that cannot be told may be the account
    doubt = any(one.dataset == "users" and one.property in ("", "id") for one in judgement.tenant.problems)
    for key, declared in missing_sender_keys(judgement).items():
        yield make(
            RULE,
            judgement,
            outcome="unknown" if doubt else "fail",
            severity=severity(Impact.LOSS, Reach.NAMED, Doubt.UNKNOWN if doubt else Doubt.CERTAIN),
            title=f"Sender {declared.name}: no account {declared.account} in this tenant",
            evidence=[Fact("account", declared.account), Fact("found", "no", "users")],
            target=("sender", key, declared.name),
        )


RULE = Rule(
    id="sender-account-missing",
    title="Account of a declared sender is gone",
    datasets=("users",),
    remedy=(
        "Check the sender's `account` in the config for a typing error. If the account was deleted, ask the sender's "
        f"owner whether the mail is still needed. {references.SAFER_WAYS}"
    ),
    remedy_risk="Restoring a deleted account brings back its password and whatever else it could reach.",
    references=(references.DEVICES,),
    controls=(),
    find=find,
)
