"""The Policies sheet: for each Conditional Access policy whether it reaches SMTP, whom, and which senders it stops."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditor import access
from auditor.access import Demand, Match, PolicyReach
from auditor.access.model import ActingState
from auditor.report.cells import Field, Value
from auditor.states import State
from auditor.verdict import Judgement

POLICY_FIELDS = (
    Field("Policy", 44, "wrap"),
    Field("State", 13),
    Field("Acts on SMTP", 13),
    Field("What it does", 44, "wrap"),
    Field("Grant controls", 26, "wrap"),
    Field("Accounts reached", 11, "number"),
    Field("Accounts conditional", 12, "number"),
    Field("Accounts unknown", 11, "number"),
    Field("Accounts not reached", 12, "number"),
    Field("Not reached because of", 56, "wrap"),
    Field("Undecided because of", 48, "wrap"),
    Field("Senders it blocks", 34, "wrap"),
    Field("Senders it will block when enforced", 34, "wrap"),
    Field("Senders undecided", 34, "wrap"),
    Field("Managed by Microsoft", 12),
    Field("Created (UTC)", 21),
    Field("Modified (UTC)", 21),
    Field("Policy id", 38),
)

_STATES: Mapping[str, ActingState] = {"enabled": "enabled", "enabledForReportingButNotEnforced": "report-only"}
_TOLD = 4
"""How many conditions a cell names."""

_ACTS = {Match.REACHES: "yes", Match.CONDITIONAL: "depends", Match.UNKNOWN: "unknown", Match.MISSES: "no"}

Senders = Sequence[tuple[str, int, tuple[str, ...]]]


def policy_rows(judgement: Judgement) -> Iterator[Sequence[Value]]:
    """One row per policy: those that act (or may, their state unknown), report-only ones, those switched off."""
    tenant = judgement.tenant
    senders = _basic_senders(judgement)
    told: set[int] = set()
    for state in _STATES.values():
        at_places = _at_their_places(judgement, state, senders)
        for policy in access.reach(tenant, state=state).policies:
            told.add(policy.index)
            names = (name for name, _, _ in senders)
            at_place = list(zip(names, at_places[policy.index].tolist(), strict=True))
            yield _acting_row(tenant.policies[policy.index], policy, state, at_place)
    for index, raw in enumerate(tenant.policies):
        if index not in told:
            yield _idle_row(raw)


def _at_their_places(judgement: Judgement, state: ActingState, senders: Senders) -> dict[int, NDArray[np.uint8]]:
    """Policy → how far it reaches each sender at its own place. One place after the other, as a reach holds every
    account for every policy."""
    found: dict[int, NDArray[np.uint8]] = defaultdict(lambda: np.zeros(len(senders), dtype=np.uint8))
    for place in dict.fromkeys(place for _, _, place in senders):
        here = [number for number, (_, _, at) in enumerate(senders) if at == place]
        rows = [senders[number][1] for number in here]
        for policy in access.reach(judgement.tenant, state=state, egress_ips=place).policies:
            found[policy.index][here] = policy.match[rows]
    return found


def _basic_senders(judgement: Judgement) -> Senders:
    """(name, account row, egress IPs) of the declared senders that sign in with a password over SMTP."""
    column = judgement.columns["conditional-access"]
    found = []
    for case in judgement.sender_cases():
        sender = judgement.cases.senders[case]
        if sender and sender.auth == "basic" and column.states[case] != State.NOT_APPLICABLE:
            found.append((sender.name, int(judgement.cases.account[case]), tuple(sender.egress_ips)))
    return found


def _acting_row(
    raw: Mapping[str, Any], policy: PolicyReach, state: ActingState, at_place: Sequence[tuple[str, int]]
) -> Sequence[Value]:
    counts = np.bincount(policy.match, minlength=len(Match))
    stops = policy.grant.demand == Demand.BLOCKS
    blocked = [name for name, match in at_place if stops and match == Match.REACHES]
    undecided = [
        name
        for name, match in at_place
        if policy.grant.demand != Demand.NOTHING
        and match != Match.MISSES
        and (match != Match.REACHES or policy.grant.demand == Demand.UNKNOWN)
    ]
    return (
        policy.name or policy.id,
        state if state == "report-only" else policy.state,
        _ACTS[Match(policy.static.match)],
        _effect(policy, state),
        "\n".join(policy.grant.controls) or "none",
        int(counts[Match.REACHES]),
        int(counts[Match.CONDITIONAL]),
        int(counts[Match.UNKNOWN]),
        int(counts[Match.MISSES]),
        _because(policy, (Match.MISSES,)),
        _because(policy, (Match.UNKNOWN, Match.CONDITIONAL)),
        "\n".join(blocked) if state == "enabled" else None,
        "\n".join(blocked) if state == "report-only" else None,
        "\n".join(undecided),
        *_dates(raw),
        policy.id,
    )


def _idle_row(raw: Mapping[str, Any]) -> Sequence[Value]:
    """A policy that is switched off."""
    return (
        str(raw.get("displayName") or raw.get("id") or ""), str(raw.get("state")), "no", "Switched off: does nothing.",
        *[None] * 10, *_dates(raw), str(raw.get("id") or ""),
    )  # fmt: skip


def _effect(policy: PolicyReach, state: ActingState) -> str:
    detail = policy.static.detail
    if policy.static.match == Match.MISSES:
        return f"Does not reach SMTP sign-ins to Exchange Online: {detail} ({policy.static.condition})."
    if policy.grant.demand == Demand.NOTHING:
        return f"Asks for nothing that stops a password over SMTP: {policy.grant.detail}."
    verb = "Blocks" if state == "enabled" else "Will block when enforced"
    certain = policy.grant.demand == Demand.BLOCKS and policy.static.match != Match.UNKNOWN
    limits = "" if policy.static.match == Match.REACHES else f" But: {detail} ({policy.static.condition})."
    return f"{verb if certain else 'May block'} basic SMTP for whom it reaches: {policy.grant.detail}.{limits}"


def _because(policy: PolicyReach, matches: tuple[Match, ...]) -> str:
    """The conditions that decided so, with the number of accounts each, the most frequent first."""
    rows = np.isin(policy.match, [int(match) for match in matches])
    counted: Counter[str] = Counter()
    for code, number in zip(*np.unique(policy.by[rows], return_counts=True), strict=True):
        outcome = policy.outcomes[int(code)]
        counted[f"{outcome.condition}: {outcome.detail}" if outcome.condition else outcome.detail] += int(number)
    ranked = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    lines = [f"{text} ({number:,})" for text, number in ranked[:_TOLD]]
    if len(ranked) > _TOLD:
        lines.append(f"and {len(ranked) - _TOLD} more ({sum(number for _, number in ranked[_TOLD:]):,})")
    return "\n".join(lines)


def _dates(raw: Mapping[str, Any]) -> tuple[str, str, str]:
    managed = str(raw.get("displayName") or "").lower().startswith("microsoft-managed")
    return (
        "yes" if managed else "no",
        str(raw.get("createdDateTime") or ""),
        str(raw.get("modifiedDateTime") or ""),
    )
