"""Applications that may send mail: with an application permission, with a delegated one, or declared by a sender.

https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto
"""

from __future__ import annotations

from contextlib import aclosing

import msgspec

from auditor.catalogue import EXCHANGE_APP_ID, GRAPH_APP_ID, MAIL_APP_ROLES, MAIL_SCOPES, Dataset
from auditor.collect.base import Job, Outcome, encode, ended, shaped
from auditor.collect.sink import Sink
from auditor.graph.refusal import ReadError
from auditor.graph.requests import configured, request_for

RESOURCES = (GRAPH_APP_ID, EXCHANGE_APP_ID)

MAIL_ROLE_IDS = frozenset(
    {
        "b633e1c5-b582-4048-a93e-9f11b44c7e96",  # Mail.Send
        "7146a1f0-8703-45b3-9eae-527a64c00995",  # SMTP.SendAsApp
        "ce81e10f-fda1-4348-8947-f7fdb6c649ad",  # SMTP.SendAsApp, as some tenants carry it
    }
)
"""Beside those that the resource itself lists under these names."""


class _Role(msgspec.Struct):
    id: str
    value: str | None = None


class _Principal(msgspec.Struct):
    id: str
    appId: str | None = None  # noqa: N815 - Graph's names
    appRoles: list[_Role] | None = None  # noqa: N815


class _Resource(msgspec.Struct):
    """A service principal whose roles apps hold: its object id, and the ids of those roles that let an app send."""

    id: str
    roles: list[str]


class _Assignment(msgspec.Struct):
    appRoleId: str | None = None  # noqa: N815
    principalId: str | None = None  # noqa: N815


class _Grant(msgspec.Struct):
    scope: str | None = None
    clientId: str | None = None  # noqa: N815


async def app_role_assignments(job: Job, dataset: Dataset, sink: Sink) -> Outcome:
    """Who holds Mail.Send on Graph or SMTP.SendAsApp on Exchange: the assignments as Graph returns them, in the order
    of the two resources."""
    source = "v1.0/servicePrincipals/{id}/appRoleAssignedTo of Microsoft Graph and Office 365 Exchange Online"
    notes: list[str] = []
    try:
        resources = shaped(encode(sink.place.memo), dict[str, _Resource]) or await _resources(job, dataset)
    except ReadError as error:
        return ended(dataset, sink, error, source)
    notes += [f"the tenant has no service principal of {app_id}" for app_id in RESOURCES if app_id not in resources]
    for app_id in sink.remaining([app_id for app_id in RESOURCES if app_id in resources]):
        stopped = await _assigned(job, dataset, app_id, resources, sink)
        if stopped:
            return ended(dataset, sink, stopped, source, notes)
    return ended(dataset, sink, None, source, notes)


async def _resources(job: Job, dataset: Dataset) -> dict[str, _Resource]:
    """Both resources by app id, with the roles that let an app send mail. Raises ReadError."""
    filter_ = " or ".join(f"appId eq '{app_id}'" for app_id in RESOURCES)
    request = configured(job.session.client.service_principals, select=("id", "appId", "appRoles"), filter_=filter_)
    found: dict[str, _Resource] = {}
    async with aclosing(job.reader.pages(request, dataset.bucket)) as pages:
        async for page in pages:
            for record in page.records:
                principal = shaped(record, _Principal)
                roles = {role.id.lower() for role in principal.appRoles or () if role.value in MAIL_APP_ROLES}
                found[(principal.appId or "").lower()] = _Resource(principal.id, sorted(MAIL_ROLE_IDS | roles))
    return found


async def _assigned(
    job: Job, dataset: Dataset, app_id: str, resources: dict[str, _Resource], sink: Sink
) -> ReadError | None:
    resource = resources[app_id]
    roles = set(resource.roles)

    def mail(records: list[bytes]) -> list[bytes]:
        return [record for record in records if (shaped(record, _Assignment).appRoleId or "").lower() in roles]

    builder = job.session.client.service_principals.by_service_principal_id(resource.id).app_role_assigned_to
    request = configured(builder, top=dataset.page_size)
    return await job.read(dataset, request, sink, step=app_id, memo=msgspec.to_builtins(resources), reshape=mail)


async def permission_grants(job: Job, dataset: Dataset, sink: Sink) -> Outcome:
    """Delegated grants whose scopes hold Mail.Send or SMTP.Send; Graph cannot filter by scope, so it is done here."""

    def mail(records: list[bytes]) -> list[bytes]:
        return [record for record in records if set((shaped(record, _Grant).scope or "").split()) & set(MAIL_SCOPES)]

    error = await job.read(dataset, request_for(job.session.client, dataset), sink, reshape=mail)
    return ended(dataset, sink, error, f"v1.0{dataset.path}, mail scopes only")


async def service_principals(job: Job, dataset: Dataset, sink: Sink) -> Outcome:
    """Those that may send mail, those that senders declare, and the two resources. Where it is not known who may send
    (assignments or grants not read whole), all of them: a superset misses nobody."""
    wanted = _principals(job)
    apps = {sender.oauth_app_id.lower() for sender in job.senders if sender.oauth_app_id} | set(RESOURCES)
    source = f"v1.0{dataset.path}, " + ("all" if wanted is None else "those that may send mail")

    def sending(records: list[bytes]) -> list[bytes]:
        return [record for record in records if wanted is None or _is_wanted(record, wanted, apps)]

    error = await job.read(dataset, request_for(job.session.client, dataset), sink, reshape=sending)
    return ended(dataset, sink, error, source)


def _principals(job: Job) -> set[str] | None:
    """Object ids of the clients that may send; None where that is not known."""
    if not (job.status("appRoleAssignments").complete and job.status("oauth2PermissionGrants").complete):
        return None
    holders = (entry.principalId for entry in job.records("appRoleAssignments", _Assignment))
    clients = (entry.clientId for entry in job.records("oauth2PermissionGrants", _Grant))
    return {identity.lower() for identity in (*holders, *clients) if identity}


def _is_wanted(record: bytes, principals: set[str], apps: set[str]) -> bool:
    principal = shaped(record, _Principal)
    return principal.id.lower() in principals or (principal.appId or "").lower() in apps
