"""The documented blockers, one module each, in the order of work (`verdict.DECIDING_ORDER`; Exchange's own order is not
documented). `BLOCKERS` is what verdicts are joined from; a blocker whose route a sender does not take is
`not_applicable` there."""

from __future__ import annotations

from auditor.blockers import (
    account_state,
    authentication_policy,
    basic_auth_retirement,
    conditional_access,
    credential,
    licence,
    mailbox,
    oauth_grant,
    per_user_mfa,
    security_defaults,
    send_as,
    sender_settings,
    sending_limits,
    smtp_auth_switch,
)
from auditor.blockers.base import Blocker
from auditor.blockers.routes import routed

_IN_ORDER = (
    mailbox,
    authentication_policy,
    smtp_auth_switch,
    account_state,
    credential,
    security_defaults,
    conditional_access,
    licence,
    per_user_mfa,
    sender_settings,
    send_as,
    sending_limits,
    oauth_grant,
    basic_auth_retirement,
)

BLOCKERS: tuple[Blocker, ...] = tuple(routed(module.BLOCKER) for module in _IN_ORDER)

BY_ID = {blocker.id: blocker for blocker in BLOCKERS}


def needs() -> dict[str, tuple[str, ...]]:
    """Dataset → ids of the blockers that it decides, from the blockers' own records."""
    table: dict[str, list[str]] = {}
    for blocker in BLOCKERS:
        for dataset in blocker.datasets:
            table.setdefault(dataset, []).append(blocker.id)
    return {dataset: tuple(ids) for dataset, ids in table.items()}
