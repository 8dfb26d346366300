"""How accounts prove themselves: per-user MFA of everybody, registered methods of the declared senders."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from auditor.catalogue import POLICY, Dataset
from auditor.collect.base import Job, Keep, Outcome, encode, ended, shaped, with_source
from auditor.graph.batch import InnerAnswer, batch
from auditor.graph.reader import Reading, decode_page
from auditor.graph.refusal import ReadError
from auditor.graph.requests import configured, request_for
from auditor.graph.throttle import resource_units


class _State(msgspec.Struct):
    id: str
    perUserMfaState: str | None = None  # noqa: N815 - Graph's name


class _Requirements(msgspec.Struct):
    perUserMfaState: str | None = None  # noqa: N815


class _User(msgspec.Struct):
    id: str
    userPrincipalName: str | None = None  # noqa: N815
    mail: str | None = None
    proxyAddresses: list[str] | None = None  # noqa: N815


async def per_user_mfa(job: Job, dataset: Dataset, keep: Keep) -> Outcome:
    """Each user's state, in bulk where the service gives it (a property that no page documents), else for those who
    lack it one documented beta call per user, 20 in a request, up to `audit.per_user_mfa_limit`.

    https://learn.microsoft.com/graph/api/authentication-get"""
    source = "v1.0/users?$select=id,perUserMfaState"
    lacking: list[str] = []
    found = 0

    def sort(records: Sequence[bytes]) -> None:
        nonlocal found
        states = [shaped(record, _State) for record in records]
        lacking.extend(state.id for state in states if not state.perUserMfaState)
        whole = [encode({"id": state.id, "perUserMfaState": state.perUserMfaState}) for state in states
                 if state.perUserMfaState]  # fmt: skip
        found += len(whole)
        keep(whole)

    cost = resource_units(dataset.path, selects=True, top=dataset.page_size)
    reading = await job.reader.collection(request_for(job.session.client, dataset), dataset.bucket, sort, cost=cost)
    if reading.error is not None:
        if reading.error.kind != "request" or reading.records:
            return ended(dataset, Reading(found, reading.error, reading.notes), source)
        if not job.status("users").complete:
            reason = "The service gives the state only user by user, and users was not read whole."
            return with_source(Outcome.cut(dataset, reason, source), state="failed")
        lacking = [user.id for user in job.records("users", _State)]
    if not lacking:
        return Outcome.complete(dataset, source, reading.notes)
    return await _one_by_one(job, dataset, keep, lacking, source if found else "")


async def _one_by_one(job: Job, dataset: Dataset, keep: Keep, users: list[str], before: str) -> Outcome:
    beta = "beta/users/{id}/authentication/requirements"
    source = f"{before} and {beta}" if before else beta
    limit = job.config.config.audit.per_user_mfa_limit
    calls = [(user, f"/users/{user}/authentication/requirements") for user in users[:limit]]
    kept = 0
    failed: ReadError | None = None
    try:
        async for answers in batch(job.reader, calls, version="beta"):
            for answer in answers:
                if answer.error is None:
                    state = shaped(answer.body, _Requirements).perUserMfaState
                    keep([encode({"id": answer.key, "perUserMfaState": state})])
                    kept += 1
                elif answer.error.kind != "not-found":  # deleted since the list of users was read
                    failed = failed or answer.error
            if failed and failed.kind in ("permission", "licence"):
                break
    except ReadError as error:
        failed = error
    if failed:
        outcome = ended(dataset, Reading(kept + bool(before), failed), source)
        denied = outcome.status.permission and failed.kind == "permission"
        return with_source(outcome, permission=POLICY) if denied else outcome
    if len(users) > limit:
        reason = f"{len(users)} users have to be read one by one; audit.per_user_mfa_limit allows {limit}."
        return Outcome.cut(dataset, reason, source)
    return Outcome.complete(dataset, source)


async def sender_methods(job: Job, dataset: Dataset, keep: Keep) -> Outcome:
    """The registered methods of the declared senders, one call each; never of the whole population, which Microsoft
    advises against (https://learn.microsoft.com/graph/api/authentication-list-methods)."""
    source = "v1.0/users/{id}/authentication/methods"
    senders = job.config.config.senders
    if not senders:
        return Outcome.not_asked(dataset, "No sender is declared.")
    if not job.status("users").complete:
        return Outcome.cut(dataset, "users was not read whole, so the senders' accounts are not known.", source)
    kept = 0
    calls = [(user, f"/users/{user}/authentication/methods") for user in _sender_ids(job)]
    try:
        async for answers in batch(job.reader, calls, version="v1.0"):
            for answer in answers:
                if answer.error is None:
                    keep([await _methods(job, dataset, answer)])
                    kept += 1
                elif answer.error.kind != "not-found":
                    raise answer.error
    except ReadError as error:
        return ended(dataset, Reading(kept, error), source)
    return Outcome.complete(dataset, source)


async def _methods(job: Job, dataset: Dataset, answer: InnerAnswer) -> bytes:
    """`{"id", "methods"}`; a list that goes on (no page says it can) is read again from its start, to its end."""
    methods, more = decode_page(answer.body)
    if more:
        methods = []
        builder = job.session.client.users.by_user_id(answer.key).authentication.methods
        async for records in job.reader.pages(configured(builder), dataset.bucket):
            methods += records
    return b'{"id":' + encode(answer.key) + b',"methods":[' + b",".join(methods) + b"]}"


def _sender_ids(job: Job) -> list[str]:
    """Object ids of the declared senders' accounts, in the order of `users`."""
    wanted = {sender.account.strip().lower() for sender in job.config.config.senders}
    found = []
    for user in job.records("users", _User):
        addresses = [address.partition(":")[2] for address in user.proxyAddresses or ()]
        names = {str(name).lower() for name in (user.id, user.userPrincipalName, user.mail, *addresses) if name}
        if names & wanted:
            found.append(user.id)
    return found
