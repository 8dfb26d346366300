"""How accounts prove themselves: per-user MFA of everybody, registered methods of the declared senders."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Any

import msgspec

from auditor.catalogue import POLICY, Dataset
from auditor.collect.base import Job, Outcome, encode, ended, shaped, with_source
from auditor.collect.sink import Sink
from auditor.collect.writer import Place
from auditor.graph.batch import InnerAnswer, batch
from auditor.graph.reader import decode_page
from auditor.graph.refusal import ReadError
from auditor.graph.requests import configured, request_for
from auditor.load import load
from auditor.snapshot import Snapshot


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


async def per_user_mfa(job: Job, dataset: Dataset, sink: Sink) -> Outcome:
    """Each user's state, in bulk where the service gives it (a property that no page documents). Where it gives none,
    one documented beta call per user, 20 in a request: only for those whose other blockers leave basic authentication
    open, and up to `audit.per_user_mfa_limit`.

    https://learn.microsoft.com/graph/api/authentication-get"""
    memo = dict(sink.place.memo) or {"lacking": 0, "listed": True}
    source = "v1.0/users?$select=id,perUserMfaState"
    if not sink.place.step:
        error = await _listed(job, dataset, sink, memo)
        if error and (error.kind != "request" or sink.records):
            return ended(dataset, sink, error, source)
        if error:
            memo["listed"] = False
        elif not memo["lacking"]:
            return ended(dataset, sink, None, source)
    beta = "beta/users/{id}/authentication/requirements"
    return await _asked(job, dataset, sink, memo, f"{source} and {beta}" if memo["listed"] else beta)


async def _listed(job: Job, dataset: Dataset, sink: Sink, memo: dict[str, Any]) -> ReadError | None:
    def known(records: list[bytes]) -> list[bytes]:
        states = [shaped(record, _State) for record in records]
        lines = [
            encode({"id": one.id, "perUserMfaState": one.perUserMfaState}) for one in states if one.perUserMfaState
        ]
        memo["lacking"] += len(states) - len(lines)
        return lines

    return await job.read(dataset, request_for(job.session.client, dataset), sink, memo=memo, reshape=known)


async def _asked(job: Job, dataset: Dataset, sink: Sink, memo: dict[str, Any], source: str) -> Outcome:
    if not job.status("users").complete:
        reason = "The service gives the state only user by user, and users was not read whole."
        outcome = Outcome.cut(dataset, reason, source)
        return outcome if sink.records else with_source(outcome, state="failed")
    await job.others(dataset.name)
    wanted = await asyncio.to_thread(_open_to_passwords, job, sink)
    limit = job.config.config.audit.per_user_mfa_limit
    paths = {user: f"/users/{user}/authentication/requirements" for user in wanted[:limit]}

    async def line(answer: InnerAnswer) -> bytes:
        return encode({"id": answer.key, "perUserMfaState": shaped(answer.body, _Requirements).perUserMfaState})

    error = await _one_by_one(job, sink, paths, "beta", line, memo)
    if error:
        outcome = ended(dataset, sink, error, source)
        return with_source(outcome, permission=POLICY) if error.kind == "permission" else outcome
    if len(wanted) > limit:
        reason = f"{len(wanted)} users have to be read one by one; audit.per_user_mfa_limit allows {limit}."
        return Outcome.cut(dataset, reason, source)
    note = f"asked for {len(wanted)} users one by one: those to whom no other blocker closes basic authentication"
    return ended(dataset, sink, None, source, [note])


def _open_to_passwords(job: Job, sink: Sink) -> list[str]:
    """Users without a known state whom nothing else that is on disk blocks, in the order of `users`. Declared senders
    are among them whatever blocks them, so that their chain of blockers is told whole."""
    from auditor.states import State
    from auditor.verdict import judge

    senders = job.senders
    declared = [sender.account for sender in senders]
    moment = datetime.fromisoformat(job.writer.started)
    judgement = judge(load(Snapshot.open(job.writer.folder), now=moment, declared=declared), senders)
    accounts = judgement.tenant.accounts
    known = {shaped(line, _State).id for line in sink.lines()}
    return [
        identity
        for row, identity in enumerate(accounts.id)
        if identity not in known and (judgement.is_sender(row) or judgement.basic[row] != State.BLOCKS)
    ]


async def sender_methods(job: Job, dataset: Dataset, sink: Sink) -> Outcome:
    """The registered methods of the declared senders, one call each; never of the whole population, which Microsoft
    advises against (https://learn.microsoft.com/graph/api/authentication-list-methods)."""
    source = "v1.0/users/{id}/authentication/methods"
    if not job.senders:
        return Outcome.not_asked(dataset, "No sender is declared.")
    if not job.status("users").complete:
        return Outcome.cut(dataset, "users was not read whole, so the senders' accounts are not known.", source)
    paths = {user: f"/users/{user}/authentication/methods" for user in _sender_ids(job)}
    error = await _one_by_one(job, sink, paths, "v1.0", lambda answer: _methods(job, dataset, answer), {})
    return ended(dataset, sink, error, source)


async def _one_by_one(
    job: Job,
    sink: Sink,
    paths: Mapping[str, str],
    version: str,
    line: Callable[[InnerAnswer], Awaitable[bytes]],
    memo: dict[str, Any],
) -> ReadError | None:
    """A call per key of `paths` and a line per answer, from where an earlier run stopped. Returns the first refusal
    that is not of a user who was deleted since; after it nothing more counts as safe."""
    failed: ReadError | None = None
    try:
        async for answers in batch(
            job.reader, [(key, paths[key]) for key in sink.remaining(list(paths))], version=version
        ):
            errors = [answer.error for answer in answers if answer.error and answer.error.kind != "not-found"]
            failed = failed or next(iter(errors), None)
            lines = [await line(answer) for answer in answers if answer.error is None]
            if failed:
                sink.keep(lines)
            else:
                await sink.page(lines, Place(answers[-1].key, memo=memo))
            if failed and failed.kind in ("permission", "licence"):
                break
    except ReadError as error:
        return error
    return failed


async def _methods(job: Job, dataset: Dataset, answer: InnerAnswer) -> bytes:
    """`{"id", "methods"}`; a list that goes on (no page says it can) is read again from its start, to its end."""
    page = decode_page(answer.body)
    methods = page.records
    if page.link:
        methods = []
        builder = job.session.client.users.by_user_id(answer.key).authentication.methods
        async with aclosing(job.reader.pages(configured(builder), dataset.bucket)) as pages:
            async for page in pages:
                methods += page.records
    return b'{"id":' + encode(answer.key) + b',"methods":[' + b",".join(methods) + b"]}"


def _sender_ids(job: Job) -> list[str]:
    """Object ids of the declared senders' accounts, in the order of `users`."""
    wanted = {sender.account.strip().lower() for sender in job.senders}
    found = []
    for user in job.records("users", _User):
        addresses = [address.partition(":")[2] for address in user.proxyAddresses or ()]
        names = {str(name).lower() for name in (user.id, user.userPrincipalName, user.mail, *addresses) if name}
        if names & wanted:
            found.append(user.id)
    return found
