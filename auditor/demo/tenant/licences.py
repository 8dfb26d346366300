"""Products, their service plans, and what a licence assignment looks like on a user.

Ids of SKUs and of the Exchange and Entra plans are Microsoft's ("Product names and service plan identifiers for
licensing", learn.microsoft.com/entra/identity/users/licensing-service-plan-reference); the other plans of a product
carry invented but stable ids, so that an account has as many plans as in life.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from auditor.demo.tenant.ids import Clock, Ids

Json = dict[str, Any]
List = list[Json] | msgspec.Raw
Lists = tuple[List, List, List]

EXCHANGE_PLANS = {
    "EXCHANGE_S_STANDARD": "9aaf7827-d63c-4b61-89c3-182f06f82e5c",
    "EXCHANGE_S_ENTERPRISE": "efb87545-963c-4e0d-99df-69c6916d9eb0",
    "EXCHANGE_S_DESKLESS": "4a82b400-a79f-41a4-b4e2-e94f5787b113",
    "EXCHANGE_S_FOUNDATION": "113feb6c-3fe4-4440-bddc-54d774bf0318",
    "EXCHANGE_S_ARCHIVE_ADDON": "176a09a6-7ec5-4039-ac02-b2791c6ba793",
    "EXCHANGE_ANALYTICS": "34c0d7a0-a70f-4668-9238-47f9fc208882",
    "MIP_S_Exchange": "cd31b152-6326-4d1b-ae1b-997b625182e6",
}

ENTRA_PLANS = {
    "AAD_PREMIUM": "41781fb2-bc02-4b7c-bd55-b576c07bb09d",
    "AAD_PREMIUM_P2": "eec0eb4f-6444-4f95-aba0-50c24d67f998",
}

_SERVICES = ("SharePoint", "MicrosoftCommunicationsOnline", "TeamspaceAPI", "MicrosoftOffice", "RMSOnline", "SCO",
             "PowerAppsService", "ProcessSimple", "Sway", "YammerEnterprise", "WhiteboardServices", "To-Do",
             "MicrosoftStream", "ProjectWorkManagement", "OfficeForms", "Deskless", "Bing", "WindowsDefenderATP",
             "MicrosoftThreatProtection", "LearningAppServiceInTeams")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sku:
    """A product: `exchange` and `entra` name its plans above; `plans` is how many it carries in all."""

    part: str
    id: str
    plans: int
    exchange: tuple[str, ...] = ()
    entra: tuple[str, ...] = ()
    units: int = 0
    capability: str = "Enabled"
    provisioning: str = "Success"
    """of its Exchange plan, as `subscribedSkus` shows it"""


SKUS = {
    sku.part: sku
    for sku in (
        Sku("SPE_E3", "05e9a617-0261-4cee-bb44-138d3ef5d965", 53,
            ("EXCHANGE_S_ENTERPRISE", "MIP_S_Exchange"), ("AAD_PREMIUM",)),
        Sku("SPE_E5", "06ebc4ee-1bb5-47dd-8120-11324bc54e06", 81,
            ("EXCHANGE_S_ENTERPRISE", "EXCHANGE_ANALYTICS", "MIP_S_Exchange"), ("AAD_PREMIUM", "AAD_PREMIUM_P2")),
        Sku("SPB", "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46", 58,
            ("EXCHANGE_S_STANDARD", "EXCHANGE_S_FOUNDATION", "EXCHANGE_S_ARCHIVE_ADDON"), ("AAD_PREMIUM",)),
        Sku("ENTERPRISEPACK", "6fd2c87f-b296-42f0-b197-1e91e994b900", 47, ("EXCHANGE_S_ENTERPRISE",),
            capability="Suspended"),
        Sku("STANDARDPACK", "18181a46-0d4e-45cd-891e-60aabd171b4e", 37, ("EXCHANGE_S_STANDARD",)),
        Sku("SPE_F1", "66b55226-6b4f-492c-910c-a3b7a3c9d993", 41, ("EXCHANGE_S_DESKLESS",), ("AAD_PREMIUM",)),
        Sku("M365_F1", "44575883-256e-4a79-9da4-ebe9acabe2b2", 24, ("EXCHANGE_S_FOUNDATION",), ("AAD_PREMIUM",)),
        Sku("M365_F1_COMM", "50f60901-3181-4b75-8a2c-4c8e4c1d5a72", 26, ("EXCHANGE_S_DESKLESS",), ("AAD_PREMIUM",)),
        Sku("DESKLESSPACK", "4b585984-651b-448a-9e53-3b10f069cf7f", 27, ("EXCHANGE_S_DESKLESS",)),
        Sku("EXCHANGESTANDARD", "4b9405b0-7788-4568-add1-99614e613b69", 3, ("EXCHANGE_S_STANDARD",)),
        Sku("EXCHANGEENTERPRISE", "19ec0d23-8335-4cbd-94ac-6050e30712fa", 4, ("EXCHANGE_S_ENTERPRISE",),
            provisioning="PendingProvisioning"),
        Sku("EXCHANGEDESKLESS", "80b2d799-d2ba-4d2a-8842-fb0d0f3a4b82", 2, ("EXCHANGE_S_DESKLESS",)),
        Sku("O365_BUSINESS", "cdd28e44-67e3-425e-be4c-737fab2899d3", 12, ("EXCHANGE_S_FOUNDATION",)),
        Sku("O365_BUSINESS_PREMIUM", "f245ecc8-75af-4f8e-b61f-27d8114de5f3", 34, ("EXCHANGE_S_STANDARD",)),
        Sku("O365_BUSINESS_ESSENTIALS", "3b555118-da6a-4418-894f-7df1e2096870", 27, ("EXCHANGE_S_STANDARD",)),
    )
}  # fmt: skip

SUITE = 30
"""plans from which on a product is one of the large ones"""

SMALL_BUSINESS = {"SPE_E3": "O365_BUSINESS_PREMIUM", "SPE_E5": "O365_BUSINESS_PREMIUM",
                  "SPB": "O365_BUSINESS_PREMIUM", "SPE_F1": "DESKLESSPACK", "M365_F1": "O365_BUSINESS",
                  "M365_F1_COMM": "EXCHANGEDESKLESS"}  # fmt: skip
"""What a company without Entra ID P1 owns in place of products that include it."""


@dataclass(frozen=True, slots=True)
class Licence:
    """One SKU on one account. `state` and `error` as in licenseAssignmentStates; `group`: key of the group it comes
    from; `off`: names of plans switched off; `capability`: of the assigned plans."""

    sku: str
    off: tuple[str, ...] = ()
    state: str = "Active"
    error: str = "None"
    group: str = ""
    capability: str = "Enabled"


Licences = tuple[Licence, ...]


@dataclass
class Licensing:
    """Turns licences into Graph's three lists. Accounts with equal licences share the same list objects: a tenant of
    100,000 accounts has 80 plans each, but only a few dozen different sets. `least`: how many plans a suite (a product
    of SUITE plans or more) carries at least; `rendered`: as JSON, written once."""

    ids: Ids
    clock: Clock
    least: int = 0
    rendered: bool = False
    _plans: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    _lists: dict[tuple[Licences, tuple[str, ...]], Lists] = field(default_factory=dict)

    def plans(self, part: str) -> list[tuple[str, str, str]]:
        """(name, servicePlanId, service) of each plan of a product."""
        if part not in self._plans:
            sku = SKUS[part]
            known = [(name, EXCHANGE_PLANS[name], "exchange") for name in sku.exchange]
            known += [(name, ENTRA_PLANS[name], "AADPremiumService") for name in sku.entra]
            filler = []
            count = max(sku.plans, self.least) if sku.plans >= SUITE else sku.plans
            for number in range(count - len(known)):
                service = _SERVICES[number % len(_SERVICES)]
                name = f"{service.upper().replace('-', '_')}_PLAN_{number // len(_SERVICES) + 1}"
                filler.append((name, self.ids.uuid(f"plan:{name}"), service))
            self._plans[part] = filler[: len(filler) // 2] + known + filler[len(filler) // 2 :]
        return self._plans[part]

    def lists(self, licences: Licences, deleted: tuple[str, ...] = ()) -> Lists:
        """(assignedLicenses, assignedPlans, licenseAssignmentStates); `deleted` names Exchange plans held long ago."""
        key = (licences, deleted)
        if key not in self._lists:
            lists = self._build(licences, deleted)
            written = [msgspec.Raw(msgspec.json.encode(one)) for one in lists] if self.rendered else lists
            self._lists[key] = (written[0], written[1], written[2])
        return self._lists[key]

    def assigned_plans(self, licences: Licences) -> list[Json]:
        return self._build(licences, ())[1]

    def _build(self, licences: Licences, deleted: tuple[str, ...]) -> tuple[list[Json], list[Json], list[Json]]:
        assigned: list[Json] = []
        plans: list[Json] = []
        states: list[Json] = []
        for licence in licences:
            off = [plan_id for name, plan_id, _ in self.plans(licence.sku) if name in licence.off]
            states.append(self._state(licence, off))
            if licence.state in ("Active", "ActiveWithError"):
                assigned.append({"disabledPlans": off, "skuId": SKUS[licence.sku].id})
                plans += [
                    self._plan(plan_id, service, "Deleted" if plan_id in off else licence.capability)
                    for _, plan_id, service in self.plans(licence.sku)
                ]
        plans += [self._plan(EXCHANGE_PLANS[name], "exchange", "Deleted", 1400) for name in deleted]
        return assigned, plans, states

    def _plan(self, plan_id: str, service: str, capability: str, days: int = 420) -> Json:
        return {
            "assignedDateTime": self.clock.ago(days),
            "capabilityStatus": capability,
            "service": service,
            "servicePlanId": plan_id,
        }

    def _state(self, licence: Licence, off: list[str]) -> Json:
        return {
            "skuId": SKUS[licence.sku].id,
            "assignedByGroup": self.ids.uuid(f"group:{licence.group}") if licence.group else None,
            "disabledPlans": off,
            "state": licence.state,
            "error": licence.error,
            "lastUpdatedDateTime": self.clock.ago(420),
        }

    def subscribed(self, tenant_id: str, name: str, holders: Iterable[tuple[Licences, int]]) -> list[Json]:
        """subscribedSkus: one row per product in use. `holders`: which licences how many accounts hold."""
        used: dict[str, int] = {}
        for licences, count in holders:
            for licence in licences:
                used[licence.sku] = used.get(licence.sku, 0) + count * (licence.state != "Error")
        return [self._subscribed(SKUS[part], used[part], tenant_id, name) for part in SKUS if part in used]

    def _subscribed(self, sku: Sku, used: int, tenant_id: str, name: str) -> Json:
        units = used + max(5, used // 20)
        enabled = sku.capability == "Enabled"
        return {
            "accountId": tenant_id,
            "accountName": name,
            "appliesTo": "User",
            "capabilityStatus": sku.capability,
            "consumedUnits": used,
            "id": f"{tenant_id}_{sku.id}",
            "skuId": sku.id,
            "skuPartNumber": sku.part,
            "subscriptionIds": [self.ids.uuid(f"subscription:{sku.part}")],
            "prepaidUnits": {
                "enabled": units if enabled else 0,
                "lockedOut": 0,
                "suspended": 0 if enabled else units,
                "warning": 0,
            },
            "servicePlans": [
                {
                    "servicePlanId": plan_id,
                    "servicePlanName": plan,
                    "provisioningStatus": sku.provisioning if service == "exchange" else "Success",
                    "appliesTo": "User",
                }
                for plan, plan_id, service in self.plans(sku.part)
            ],
        }
