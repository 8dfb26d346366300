"""Applications that may send mail: with an application permission, with a delegated one, or declared by a sender.

https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from auditor.catalogue import EXCHANGE_APP_ID, GRAPH_APP_ID, MAIL_APP_ROLES, MAIL_SCOPES, Dataset
from auditor.collect.base import Job, Keep, Outcome, ended, shaped
from auditor.graph.reader import Reading
from auditor.graph.refusal import ReadError
from auditor.graph.requests import configured, request_for
from auditor.graph.throttle import resource_units

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


class _Assignment(msgspec.Struct):
    appRoleId: str | None = None  # noqa: N815
    principalId: str | None = None  # noqa: N815


class _Grant(msgspec.Struct):
    scope: str | None = None
    clientId: str | None = None  # noqa: N815


async def app_role_assignments(job: Job, dataset: Dataset, keep: Keep) -> Outcome:
    """Who holds Mail.Send on Graph or SMTP.SendAsApp on Exchange: the assignments as Graph returns them, in the order
    of the two resources."""
    source = "v1.0/servicePrincipals/{id}/appRoleAssignedTo of Microsoft Graph and Office 365 Exchange Online"
    kept = 0
    notes: list[str] = []
    try:
        resources = await _resources(job, dataset)
        for app_id in RESOURCES:
            resource = resources.get(app_id)
            if resource is None:
                notes.append(f"the tenant has no service principal of {app_id}")
                continue
            reading = await _assigned(job, dataset, resource, keep)
            kept += reading.records
            notes += reading.notes
            if reading.error:
                return ended(dataset, Reading(kept, reading.error, notes), source)
    except ReadError as error:
        return ended(dataset, Reading(kept, error, notes), source)
    return Outcome.complete(dataset, source, notes)


async def _resources(job: Job, dataset: Dataset) -> dict[str, _Principal]:
    """Both resources' service principals by app id, with their roles."""
    filter_ = " or ".join(f"appId eq '{app_id}'" for app_id in RESOURCES)
    builder = job.session.client.service_principals
    request = configured(builder, select=("id", "appId", "appRoles"), filter_=filter_)
    found: dict[str, _Principal] = {}
    async for records in job.reader.pages(request, dataset.bucket):
        for record in records:
            principal = shaped(record, _Principal)
            found[(principal.appId or "").lower()] = principal
    return found


async def _assigned(job: Job, dataset: Dataset, resource: _Principal, keep: Keep) -> Reading:
    roles = MAIL_ROLE_IDS | {role.id.lower() for role in resource.appRoles or () if role.value in MAIL_APP_ROLES}
    kept = 0

    def mail(records: Sequence[bytes]) -> None:
        nonlocal kept
        found = [record for record in records if (shaped(record, _Assignment).appRoleId or "").lower() in roles]
        kept += len(found)
        keep(found)

    builder = job.session.client.service_principals.by_service_principal_id(resource.id).app_role_assigned_to
    cost = resource_units("/appRoleAssignedTo", selects=False, top=dataset.page_size)
    reading = await job.reader.collection(configured(builder, top=dataset.page_size), dataset.bucket, mail, cost=cost)
    return Reading(kept, reading.error, reading.notes)


async def permission_grants(job: Job, dataset: Dataset, keep: Keep) -> Outcome:
    """Delegated grants whose scopes hold Mail.Send or SMTP.Send; Graph cannot filter by scope, so it is done here."""
    kept = 0

    def mail(records: Sequence[bytes]) -> None:
        nonlocal kept
        found = [record for record in records if set((shaped(record, _Grant).scope or "").split()) & set(MAIL_SCOPES)]
        kept += len(found)
        keep(found)

    cost = resource_units(dataset.path, selects=False, top=dataset.page_size)
    reading = await job.reader.collection(request_for(job.session.client, dataset), dataset.bucket, mail, cost=cost)
    return ended(dataset, Reading(kept, reading.error, reading.notes), f"v1.0{dataset.path}, mail scopes only")


async def service_principals(job: Job, dataset: Dataset, keep: Keep) -> Outcome:
    """Those that may send mail, those that senders declare, and the two resources. Where it is not known who may send
    (assignments or grants not read whole), all of them: a superset misses nobody."""
    wanted = _principals(job)
    apps = {sender.oauth_app_id.lower() for sender in job.config.config.senders if sender.oauth_app_id} | set(RESOURCES)
    source = f"v1.0{dataset.path}, " + ("all" if wanted is None else "those that may send mail")
    kept = 0

    def sending(records: Sequence[bytes]) -> None:
        nonlocal kept
        found = [record for record in records if wanted is None or _is_wanted(record, wanted, apps)]
        kept += len(found)
        keep(found)

    reading = await job.reader.collection(request_for(job.session.client, dataset), dataset.bucket, sending)
    return ended(dataset, Reading(kept, reading.error, reading.notes), source)


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
