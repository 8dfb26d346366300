"""Conditional Access for workload identities: it acts where an app asks for a token.

https://learn.microsoft.com/entra/identity/conditional-access/workload-identity
"""

from __future__ import annotations

from auditor.demo.model import DemoTenant


def blocked_by_policy(tenant: DemoTenant, object_id: str) -> bool:
    """An enabled policy names the app's service principal and does not except it; block is the only control it has."""
    wanted = object_id.lower()
    for policy in tenant.graph.get("conditionalAccessPolicies", ()):
        target = (policy.get("conditions") or {}).get("clientApplications") or {}
        included = {str(one).lower() for one in target.get("includeServicePrincipals") or ()}
        excluded = {str(one).lower() for one in target.get("excludeServicePrincipals") or ()}
        named = wanted in included or "serviceprincipalsinmytenant" in included
        if policy.get("state") == "enabled" and named and wanted not in excluded:
            return True
    return False
