"""The groups that decide something: named by a policy, holding a role, or allowed to send as a mailbox; and who is in
them, nested groups included.

https://learn.microsoft.com/graph/api/group-list-transitivemembers
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

import msgspec

from auditor.catalogue import Dataset
from auditor.collect.base import Job, Outcome, cost_of, encode, ended, shaped
from auditor.collect.sink import Sink
from auditor.collect.writer import Place
from auditor.graph.batch import InnerAnswer, batch
from auditor.graph.once import Once, whole_line
from auditor.graph.reader import Page, decode_page
from auditor.graph.refusal import ReadError
from auditor.graph.requests import from_url

EVENTUAL = {"ConsistencyLevel": "eventual"}
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_INPUTS = ("conditionalAccessPolicies", "roleAssignments")


class _Users(msgspec.Struct):
    includeGroups: list[str] | None = None  # noqa: N815 - Graph's names
    excludeGroups: list[str] | None = None  # noqa: N815


class _Conditions(msgspec.Struct):
    users: _Users | None = None


class _Policy(msgspec.Struct):
    conditions: _Conditions | None = None


class _Assignment(msgspec.Struct):
    principalId: str | None = None  # noqa: N815


class _Id(msgspec.Struct):
    id: str


class _Names(msgspec.Struct):
    id: str
    userPrincipalName: str | None = None  # noqa: N815
    displayName: str | None = None  # noqa: N815
    mail: str | None = None
    proxyAddresses: list[str] | None = None  # noqa: N815


class _Group(msgspec.Struct):
    id: str
    visibility: str | None = None
    error: str | None = None


async def groups(job: Job, dataset: Dataset, sink: Sink) -> Outcome:
    """`{"id", "displayName", "visibility", "mail"}` or `{"id", "error"}` per group, in the order of their ids.

    A refused group is told with its error; where none could be read the dataset is denied. Where the policies or the
    role assignments were not read whole, groups are missing and the dataset is cut. `recipientPermissions` does not
    cut it: what rests on trustees rests on that dataset as well."""
    source = "v1.0/groups/{id}"
    odd: list[str] = []
    named, maybe, trustees = _named_by_policies(job, odd), _role_holders(job, odd), _trustees(job)
    _strike_users(job, maybe, trustees)
    found: dict[str, bytes] = {}
    read = 0
    refused: ReadError | None = None
    try:
        found |= await _by_name(job, dataset, sorted(trustees.values()))
        wanted = sorted((named | maybe) - found.keys())
        calls = [(group, f"/groups/{group}?$select={','.join(dataset.select)}") for group in wanted]
        async for answers in batch(job.reader, calls, version="v1.0"):
            for answer in answers:
                error = answer.error
                if error is None:
                    found[answer.key] = _reshaped(shaped(answer.body, dict[str, Any]))
                    read += 1
                elif (error.kind == "permission" and read) or (error.kind == "not-found" and answer.key in named):
                    found[answer.key] = encode({"id": answer.key, "error": error.code})
                elif error.kind != "not-found":  # a role's principal that is not found is no group
                    raise error
    except ReadError as error:
        refused = error
    if read or not refused:
        sink.keep([found[group] for group in sorted(found)])
    if refused:
        return ended(dataset, sink, refused, source)
    missing = [name for name in _INPUTS if not job.status(name).complete]
    if missing:
        reason = f"{' and '.join(missing)} not read whole, so groups that only stand there are missing."
        return Outcome.cut(dataset, reason, source)
    if odd:
        reason = f"An object of {odd[0]} is not of the documented form, so groups that it names may be missing."
        return Outcome.cut(dataset, reason, source)
    return Outcome.complete(dataset, source)


def _named_by_policies(job: Job, odd: list[str]) -> set[str]:
    named: set[str] = set()
    for policy in job.records("conditionalAccessPolicies", _Policy, odd):
        users = policy.conditions.users if policy.conditions else None
        if users:
            named.update(group.lower() for group in (*(users.includeGroups or ()), *(users.excludeGroups or ())))
    return {group for group in named if _GUID.fullmatch(group)}


def _role_holders(job: Job, odd: list[str]) -> set[str]:
    """Principals of role assignments."""
    principals = {
        entry.principalId.lower() for entry in job.records("roleAssignments", _Assignment, odd) if entry.principalId
    }
    return {principal for principal in principals if _GUID.fullmatch(principal)}


def _trustees(job: Job) -> dict[str, str]:
    """Who may send as a mailbox: lower case → as Exchange writes it, without its built-in identities."""
    trustees = {
        str(record.get("Trustee") or "").strip() for record in job.records("recipientPermissions", dict[str, Any])
    }
    return {
        name.lower(): name
        for name in sorted(trustees)
        if name and not name.upper().startswith(("NT AUTHORITY\\", "S-1-5-"))
    }


def _strike_users(job: Job, principals: set[str], trustees: dict[str, str]) -> None:
    """Leaves what is no known user: groups and applications, which only Graph can tell. One pass over what may be a
    million users, of which nothing is held."""
    if not (principals or trustees):
        return
    for user in job.records("users", _Names):
        principals.discard(user.id.lower())
        addresses = [address.partition(":")[2] for address in user.proxyAddresses or ()]
        for name in (user.id, user.userPrincipalName, user.displayName, user.mail, *addresses):
            if name:
                trustees.pop(name.lower(), None)


def _reshaped(group: dict[str, Any]) -> bytes:
    return encode({name: group.get(name) for name in ("id", "displayName", "visibility", "mail")})


async def _by_name(job: Job, dataset: Dataset, trustees: Sequence[str]) -> dict[str, bytes]:
    """Groups among the trustees of recipientPermissions: Exchange gives names and addresses, seldom ids. A name that
    several groups bear brings them all, and whoever judges sees that it is not clear. Raises ReadError."""
    found: dict[str, bytes] = {}
    select = ",".join(dataset.select)
    calls = [(trustee, f"/groups?$select={select}&$filter={quote(_named(trustee))}") for trustee in trustees]
    async for answers in batch(job.reader, calls, version="v1.0"):
        for answer in answers:
            if answer.error:
                raise answer.error
            page = decode_page(answer.body)
            records = page.records
            if page.link:
                async with aclosing(job.reader.pages(from_url(page.link), dataset.bucket, start=page.link)) as pages:
                    async for page in pages:
                        records += page.records
            for group in (shaped(record, dict[str, Any]) for record in records):
                found[str(group.get("id", "")).lower()] = _reshaped(group)
    return found


def _named(trustee: str) -> str:
    """A filter for the groups that Exchange may mean by this."""
    if _GUID.fullmatch(trustee):
        return f"id eq '{trustee}'"
    quoted = trustee.replace("'", "''")
    names = ("mail",) if "@" in trustee else ("displayName", "mailNickname")
    return " or ".join(f"{name} eq '{quoted}'" for name in names)


async def group_members(job: Job, dataset: Dataset, sink: Sink) -> Outcome:
    """`{"groupId", "id"}` per transitive user member, group by group in the order of `groups`. Hidden membership is
    told by `groups` and not read (Graph would show it as empty)."""
    source = "v1.0/groups/{id}/transitiveMembers/microsoft.graph.user"
    status = job.status("groups")
    if status.state in ("denied", "failed"):
        reason = f"groups was not read ({status.reason})"
        return Outcome(type(status)(dataset.name, status.state, 0, reason, status.permission, source))
    sink.once = Once(sink.lines, whole_line)
    ids = [group.id for group in job.records("groups", _Group) if _has_members(group)]
    error = await _all_members(job, dataset, sink.remaining(ids), sink)
    if error:
        return ended(dataset, sink, error, source)
    if not status.complete:
        return Outcome.cut(dataset, f"groups was not read whole: {status.reason}", source, sink.once.notes())
    return ended(dataset, sink, None, source)


def _has_members(group: _Group) -> bool:
    """Members that may be read."""
    return not group.error and (group.visibility or "").lower() != "hiddenmembership"


async def _all_members(job: Job, dataset: Dataset, groups: Sequence[str], sink: Sink) -> ReadError | None:
    """First pages 20 to a request, further ones each by its own. Returns why it ended early, None where all of it is
    read; a group that was deleted since has no members."""
    if groups and (link := sink.start(groups[0])):  # an earlier run stopped in the midst of this one
        error = await _more_members(job, dataset, groups[0], link, sink)
        if error and error.kind != "not-found":
            return error
        groups = groups[1:]
    query = f"$select={','.join(dataset.select)}&$top={dataset.page_size}&$count=true"
    calls = [(group, f"/groups/{group}/transitiveMembers/microsoft.graph.user?{query}") for group in groups]
    try:
        async for answers in batch(job.reader, calls, version="v1.0", cost=cost_of(dataset), headers=EVENTUAL):
            for answer in answers:
                error = answer.error or await _first_members(job, dataset, answer, sink)
                if error and error.kind != "not-found":
                    return error
    except ReadError as error:
        return error
    return None


async def _first_members(job: Job, dataset: Dataset, answer: InnerAnswer, sink: Sink) -> ReadError | None:
    page = decode_page(answer.body, f"{job.session.where.graph}/v1.0/")
    await sink.page(_memberships(answer.key, page.records), Place(answer.key, page.link))
    return await _more_members(job, dataset, answer.key, page.link, sink) if page.link else None


async def _more_members(job: Job, dataset: Dataset, group: str, link: str, sink: Sink) -> ReadError | None:
    async def keep(page: Page) -> None:
        await sink.page(_memberships(group, page.records), Place(group, page.link))

    return await job.reader.collection(
        from_url(link), dataset.bucket, keep, start=link, cost=cost_of(dataset), headers=EVENTUAL
    )


def _memberships(group: str, records: Sequence[bytes]) -> list[bytes]:
    return [encode({"groupId": group, "id": shaped(record, _Id).id}) for record in records]
