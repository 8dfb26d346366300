"""Catalogue entries as requests of the SDK: its builders write path, query and encoding, we send and read bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from auditor.catalogue import Dataset

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation
    from msgraph.graph_service_client import GraphServiceClient

_BUILDERS: Final[Mapping[str, Callable[[GraphServiceClient], Any]]] = {
    "organization": lambda c: c.organization,
    "domains": lambda c: c.domains,
    "subscribedSkus": lambda c: c.subscribed_skus,
    "identitySecurityDefaultsEnforcementPolicy": lambda c: c.policies.identity_security_defaults_enforcement_policy,
    "authenticationMethodsPolicy": lambda c: c.policies.authentication_methods_policy,
    "conditionalAccessPolicies": lambda c: c.identity.conditional_access.policies,
    "namedLocations": lambda c: c.identity.conditional_access.named_locations,
    "authenticationStrengthPolicies": lambda c: c.policies.authentication_strength_policies,
    "roleDefinitions": lambda c: c.role_management.directory.role_definitions,
    "users": lambda c: c.users,
    "perUserMfa": lambda c: c.users,
    "userRegistrationDetails": lambda c: c.reports.authentication_methods.user_registration_details,
    "roleAssignments": lambda c: c.role_management.directory.role_assignments,
    "signIns": lambda c: c.audit_logs.sign_ins,
    "directoryAudits": lambda c: c.audit_logs.directory_audits,
    "emailAppUsage": lambda c: c.reports.get_email_app_usage_user_detail_with_period("D180"),
    "servicePrincipals": lambda c: c.service_principals,
    "oauth2PermissionGrants": lambda c: c.oauth2_permission_grants,
}


def request_for(
    client: GraphServiceClient, dataset: Dataset, *, filter_: str = "", top: int | None = None
) -> RequestInformation:
    """The first request of a dataset of Graph v1.0, with its `$select` and `$top`. `top` replaces the catalogue's."""
    return configured(
        _BUILDERS[dataset.name](client), select=dataset.select, top=top or dataset.page_size, filter_=filter_
    )


def configured(
    builder: Any,
    *,
    select: Sequence[str] = (),
    top: int | None = None,
    filter_: str = "",
    count: bool = False,
    headers: Mapping[str, str] | None = None,
) -> RequestInformation:
    """A builder's GET with query parameters; only those that are given are set, so that nothing is sent needlessly."""
    from kiota_abstractions.base_request_configuration import RequestConfiguration

    configuration: Any = RequestConfiguration()
    wanted = {"select": list(select) or None, "top": top, "filter": filter_ or None, "count": count or None}
    if any(value is not None for value in wanted.values()):
        parameters = getattr(type(builder), f"{type(builder).__name__}GetQueryParameters")()
        for name, value in wanted.items():
            if value is not None:
                setattr(parameters, name, value)
        configuration.query_parameters = parameters
    for name, value in (headers or {}).items():
        configuration.headers.add(name, value)
    info: RequestInformation = builder.to_get_request_information(configuration)
    return info


def from_url(url: str, headers: Mapping[str, str] | None = None) -> RequestInformation:
    """A GET of an address as it is: a nextLink, or a path of beta, which the SDK has no builders for."""
    from kiota_abstractions.method import Method
    from kiota_abstractions.request_information import RequestInformation

    info = RequestInformation(method=Method.GET)
    info.url = url
    info.headers.try_add("Accept", "application/json")
    for name, value in (headers or {}).items():
        info.headers.add(name, value)
    return info


def beta_url(graph: str, path: str, query: Mapping[str, str]) -> str:
    """An address of beta; values are encoded, the `$` of the names is not."""
    parameters = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    return f"{graph}/beta{path}" + (f"?{parameters}" if parameters else "")


def post_json(url: str, body: bytes) -> RequestInformation:
    from kiota_abstractions.method import Method
    from kiota_abstractions.request_information import RequestInformation

    info = RequestInformation(method=Method.POST)
    info.url = url
    info.headers.try_add("Accept", "application/json")
    info.headers.try_add("Content-Type", "application/json")
    info.content = body
    return info
