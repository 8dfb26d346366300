"""Microsoft's own answer for a sample of accounts: the What If action of Conditional Access. Kept as evidence, so that
it can be compared offline with what this program judges.

The action answers one user at a time and stands behind the limit of Conditional Access: one request a second for all
apps of a tenant, a refusal without Retry-After. It covers Conditional Access alone: not security defaults, not per-user
MFA, and no service dependencies.

https://learn.microsoft.com/graph/api/conditionalaccessroot-evaluate
https://learn.microsoft.com/entra/identity/conditional-access/what-if-tool
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from auditor.access import reach
from auditor.catalogue import EXCHANGE_APP_ID, Dataset
from auditor.collect.base import Job, Outcome, encode, ended, shaped
from auditor.collect.sink import Sink
from auditor.collect.writer import Place
from auditor.config import Sender
from auditor.graph.refusal import ReadError
from auditor.graph.requests import post_json
from auditor.load import load
from auditor.snapshot import Snapshot
from auditor.tenant import YES, DatasetStatus, Tenant

RESTS_ON = ("users", "conditionalAccessPolicies")
OF_ONE_ACCOUNT = frozenset({"request", "not-found", "malformed"})
"""Refusals that say nothing about the next account."""
IN_VAIN = 3
"""accounts refused in this way before any was answered: then the action is not there for this tenant"""

CONDITIONS: dict[str, Any] = {
    "clientAppType": "other",
    "devicePlatform": "windows",
    "deviceInfo": {},
    "signInRiskLevel": "none",
    "userRiskLevel": "none",
    "insiderRiskLevel": "none",
    "authenticationFlow": {"transferMethod": "none"},
}
"""An SMTP client with a password, as far as the action can be told of it: no risk, no device of which anything is
known, no authentication flow. It insists on a platform and has no value for none; what hangs on a named platform this
program judges unknown, so that the choice decides nothing. A country is not given: which one an address lies in is not
known here, and what hangs on countries is judged conditional."""


@dataclass(frozen=True, slots=True)
class Question:
    """One account (object id) signing in from one address, empty where none is declared."""

    account: str
    ip: str


class _Result(msgspec.Struct):
    id: str
    policyApplies: bool  # noqa: N815 - Graph's names
    analysisReasons: Any = None  # noqa: N815
    modifiedDateTime: Any = None  # noqa: N815


class _Answer(msgspec.Struct):
    value: list[_Result]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


async def what_if(job: Job, dataset: Dataset, sink: Sink) -> Outcome:
    """`{"account", "ip", "policies": [{"id", "modifiedDateTime", "policyApplies", "analysisReasons"}]}` per account of
    the sample, every enabled and report-only policy in it; `"error"` where the service refused this one account."""
    if not job.cross_check:
        return Outcome.not_asked(dataset, "Asked for only with --cross-check N.")
    source = f"v1.0{dataset.path}"
    missing = [job.status(name) for name in RESTS_ON if not job.status(name).complete]
    if missing:
        names = " and ".join(status.name for status in missing)
        reason = f"There is nothing to compare with: {names} not read whole ({missing[0].reason})"
        state = "denied" if missing[0].state == "denied" else "failed"
        return Outcome(DatasetStatus(dataset.name, state, 0, reason, missing[0].permission, source))
    questions = {question.account: question for question in _questions(job)}
    refused: list[bytes] = []
    for account in sink.remaining(list(questions)):
        asked = {"account": account, "ip": questions[account].ip}
        try:
            policies = await _ask(job, dataset, questions[account])
        except ReadError as error:
            refused.append(encode(asked | {"policies": [], "error": error.text}))
            in_vain = not sink.records and len(refused) == min(IN_VAIN, len(questions))
            if error.kind in OF_ONE_ACCOUNT and not in_vain:
                continue
            if sink.records:
                sink.keep(refused)
            return ended(dataset, sink, error, source)
        await sink.page([*refused, encode(asked | {"policies": policies})], Place(account))
        refused = []
    sink.keep(refused)
    return ended(dataset, sink, None, source)


async def _ask(job: Job, dataset: Dataset, question: Question) -> list[_Result]:
    """Raises ReadError where there is no whole answer."""
    request = post_json(f"{job.session.where.graph}/v1.0{dataset.path}", _body(question))
    answer = shaped((await job.reader.get(request, dataset.bucket)).body, _Answer)
    if answer.next_link:
        raise ReadError("malformed", "the answer goes on in further pages, which the action is not documented to have")
    return answer.value


def _body(question: Question) -> bytes:
    address = {"ipAddress": question.ip} if question.ip else {}
    return encode(
        {
            "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": question.account},
            "signInContext": {
                "@odata.type": "#microsoft.graph.applicationContext",
                "includeApplications": [EXCHANGE_APP_ID],
            },
            "signInConditions": CONDITIONS | address,
            "appliedPoliciesOnly": False,
        }
    )


def _questions(job: Job) -> list[Question]:
    """The sample, drawn from what is on disk already."""
    senders = job.senders
    snapshot = Snapshot.open(job.writer.folder)
    declared = [sender.account for sender in senders]
    return sample(load(snapshot, now=job.session.service_now(), declared=declared), senders, job.cross_check)


def sample(tenant: Tenant, senders: Sequence[Sender], count: int) -> list[Question]:
    """`count` accounts, the same ones for the same tenant: declared senders in their order (from the first address that
    they declare), then administrators, then the rest so that every combination of policies comes before any comes
    again; each group by id. All accounts where there are no more."""
    accounts = tenant.accounts
    chosen: dict[int, str] = {}
    for sender in senders:
        row = tenant.find(sender.account)
        if row >= 0:
            chosen.setdefault(row, _first_address(sender.egress_ips))
    by_id = sorted(range(len(accounts)), key=lambda row: accounts.id[row])
    for row in by_id:
        if accounts.is_admin[row] == YES:
            chosen.setdefault(row, "")
    if len(chosen) < count:
        for row in _spread(by_id, _combinations(tenant), chosen):
            chosen[row] = ""
    return [Question(accounts.id[row], ip) for row, ip in list(chosen.items())[:count]]


def _spread(by_id: list[int], codes: NDArray[np.intp], chosen: dict[int, str]) -> list[int]:
    """The rows that are not chosen yet, the first of each code before the second of any."""
    taken = Counter(int(codes[row]) for row in chosen)
    ranked: list[tuple[int, int, int]] = []
    for row in by_id:
        if row not in chosen:
            ranked.append((taken[int(codes[row])], len(ranked), row))
            taken[int(codes[row])] += 1
    return [row for _, _, row in sorted(ranked)]


def _combinations(tenant: Tenant) -> NDArray[np.intp]:
    """One code per account: accounts share it where every policy, report-only ones too, judges them alike."""
    policies = (*reach(tenant).policies, *reach(tenant, state="report-only").policies)
    if not policies:
        return np.zeros(len(tenant.accounts), dtype=np.intp)
    _, codes = np.unique(np.stack([policy.match for policy in policies], axis=1), axis=0, return_inverse=True)
    return codes.reshape(-1)


def _first_address(egress_ips: Sequence[str]) -> str:
    """The first address of the first range; the config has checked that it is one."""
    if not egress_ips:
        return ""
    return str(next(iter(ipaddress.ip_network(egress_ips[0].strip(), strict=False).hosts())))
