"""Does Conditional Access refuse a sign-in by SMTP with a password? Answered by the tenant's own What If action, for
the one sign-in at hand, and never by the auditor's engine.

An SMTP client is a client of type "other" that tells neither platform nor device. The emulated sign-ins carry no risk
and come from the tenant's own country. Any grant control of a policy that applies refuses: such a client can meet none.
"""

from __future__ import annotations

from dataclasses import replace

from auditor.demo.graph.directory import Directory
from auditor.demo.graph.what_if import evaluate
from auditor.demo.model import DemoTenant

EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
HOME = "CH"


def refuses(tenant: DemoTenant, user_id: str, address: str) -> bool:
    """`address` is the IP address that the client comes from, empty where it is none that Entra would see."""
    honest = replace(tenant, what_if_disagrees=set())
    found = evaluate(
        Directory(honest),
        {
            "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": user_id},
            "signInContext": {
                "@odata.type": "#microsoft.graph.applicationContext",
                "includeApplications": [EXCHANGE_ONLINE],
            },
            "signInConditions": {
                "clientAppType": "other",
                "country": HOME,
                "ipAddress": address or NOWHERE,
                "deviceInfo": {},
                "authenticationFlow": {"transferMethod": "none"},
                "signInRiskLevel": "none",
                "userRiskLevel": "none",
                "insiderRiskLevel": "none",
            },
            "appliedPoliciesOnly": True,
        },
    )
    return any(policy["state"] == "enabled" and _asks(policy.get("grantControls")) for policy in found)


NOWHERE = "192.0.2.1"
"""stands for an address that no named location holds"""


def _asks(grant: object) -> bool:
    """Any control at all; a policy with session controls only asks for nothing."""
    if not isinstance(grant, dict):
        return False
    lists = ("builtInControls", "customAuthenticationFactors", "termsOfUse")
    return any(grant.get(name) for name in lists) or grant.get("authenticationStrength") is not None
