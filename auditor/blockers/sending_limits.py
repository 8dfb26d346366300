"""Does the sender need more than a mailbox may send?

A mailbox may reach 10,000 recipients a day; beyond that Exchange Online refuses. It takes 30 messages a minute and
three connections at a time; beyond that it delays. The tenant's own limit for external recipients depends on its
licences and is not judged. High Volume Email has other limits that this program does not know.
"""

from __future__ import annotations

from auditor.blockers.base import Blocker, Cases
from auditor.blockers.columns import for_senders
from auditor.blockers.routes import route_of
from auditor.config import Sender
from auditor.states import Column, Reason, State
from auditor.tenant import Tenant

RECIPIENTS_PER_DAY = 10_000
MESSAGES_PER_MINUTE = 30
CONNECTIONS = 3


def judge(tenant: Tenant, cases: Cases) -> Column:  # noqa: ARG001 - a blocker's signature; only the config decides
    return for_senders(cases, lambda _, sender: _sender(sender))


def _sender(sender: Sender) -> Reason:
    declared = (
        ("recipients_per_day", sender.recipients_per_day, RECIPIENTS_PER_DAY, "quota-exceeded"),
        ("messages_per_minute", sender.messages_per_minute, MESSAGES_PER_MINUTE, ""),
        ("connections", sender.connections, CONNECTIONS, "too-many-connections"),
    )
    facts = tuple((name, str(value)) for name, value, _, _ in declared if value is not None)
    over = [(name, limit, reply) for name, value, limit, reply in declared if value is not None and value > limit]
    if not facts:
        return Reason(State.NOT_APPLICABLE, "No sending volume is declared for the sender.")
    if not over:
        return Reason(State.CLEAR, "The declared volume is within the limits of a mailbox.", facts)
    name, limit, reply = over[0]
    if route_of(sender) == "hve":
        text = (
            f"The declared {name} is above a mailbox's limit of {limit:,}; the limits of High Volume Email are "
            "not known."
        )
        return Reason(State.UNKNOWN, text, facts)
    if name == "recipients_per_day":
        text = f"The sender needs more than the {limit:,} recipients a day that a mailbox may reach."
        return Reason(State.BLOCKS, text, facts, reply=reply)
    text = f"The declared {name} is above {limit}: Exchange Online delays what exceeds it."
    return Reason(State.CONDITIONAL, text, facts, reply=reply)


BLOCKER = Blocker(
    id="sending-limits",
    title="The sender needs more than a mailbox may send",
    channels=frozenset({"basic", "oauth"}),
    senders_only=True,
    datasets=(),
    source=(
        "https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits",
    ),
    remedy="Send in one connection and at a slower pace; for a volume above a mailbox's limit use a relay connector, "
    "or High Volume Email where every recipient is internal.",
    remedy_risk="Spreading one sender over several mailboxes multiplies the credentials to protect and may look like "
    "spam.",
    judge=judge,
)
