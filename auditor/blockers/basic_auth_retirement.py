"""Has Microsoft turned basic authentication for SMTP AUTH off?

Announced on 27 January 2026: basic authentication for SMTP AUTH will be off by default for existing tenants at the
end of December 2026; administrators can switch it on again; new tenants after that won't have it by default; the date
of removal is to be announced in the second half of 2027. Which setting changes, and whether a mailbox override or an
allowing policy survives, is not published: read again and test after the change, including OAuth senders that inherit
the organisation's switch. Whether the announcement covers Microsoft 365 operated by 21Vianet is not verified. High
Volume Email keeps basic authentication until September 2028.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import numpy as np

from auditor.blockers.base import Blocker, Cases
from auditor.blockers.routes import route_of
from auditor.states import Column, Reason, State
from auditor.tenant import Tenant

OFF_BY_DEFAULT = datetime(2026, 12, 31, tzinfo=UTC)
HVE_NOT_BEFORE = datetime(2028, 9, 1, tzinfo=UTC)
REFUSAL = re.compile(r"\b550[\s-]+5\.7\.30\b")

REFUSED = Reason(
    State.BLOCKS,
    "Exchange Online already answers that basic authentication is not supported for client submission.",
    (("smtpReplies", "550 5.7.30"),),
    ("smtpReplies",),
    "basic-not-supported",
)
ANNOUNCED = Reason(
    State.CONDITIONAL,
    "Microsoft announced basic authentication for SMTP AUTH to be off by default from the end of December 2026, "
    "unless an administrator switches it on again.",
    (("off by default", "end of December 2026"),),
    (),
    "basic-not-supported",
)
NOT_YET = Reason(State.CLEAR, "The announced change at the end of December 2026 has not come yet.")
CHINA = Reason(
    State.UNKNOWN, "Whether the announced change covers Microsoft 365 operated by 21Vianet is not verified.",
    (("cloud", "china"),),
)  # fmt: skip
HVE_KEEPS = Reason(State.CLEAR, "High Volume Email keeps basic authentication until September 2028.")
HVE_ENDS = Reason(
    State.CONDITIONAL, "High Volume Email was announced to keep basic authentication only until September 2028."
)


def judge(tenant: Tenant, cases: Cases) -> Column:
    codes = np.zeros(len(cases), dtype=np.int32)
    for case in range(cases.accounts, len(cases)):
        sender = cases.senders[case]
        codes[case] = sender is not None and route_of(sender) == "hve"
    return Column(codes, (_submission(tenant), _high_volume(tenant)))


def _submission(tenant: Tenant) -> Reason:
    if any(REFUSAL.search(str(reply.get("text", ""))) for reply in tenant.smtp_replies):
        return REFUSED
    if tenant.cloud == "china":
        return CHINA
    return ANNOUNCED if tenant.now >= OFF_BY_DEFAULT else NOT_YET


def _high_volume(tenant: Tenant) -> Reason:
    if tenant.cloud == "china":
        return CHINA
    return HVE_ENDS if tenant.now >= HVE_NOT_BEFORE else HVE_KEEPS


BLOCKER = Blocker(
    id="basic-auth-retirement",
    title="Basic authentication for SMTP AUTH is being retired",
    channels=frozenset({"basic"}),
    senders_only=False,
    datasets=("smtpReplies",),
    source=(
        "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission",
    ),
    remedy="Move the sender to OAuth, Graph, a relay connector or, for internal recipients, High Volume Email before "
    "the end of December 2026; read the tenant again and test after the change.",
    remedy_risk="An administrator can switch basic authentication on again, which keeps every password over SMTP "
    "usable; the date of removal is to be announced in the second half of 2027.",
    judge=judge,
)
