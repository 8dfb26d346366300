"""The catalogue names every dataset of the contract and agrees with Graph's own description."""

from __future__ import annotations

import json
import re

import pytest

from auditor.catalogue import BY_NAME, CATALOGUE, EXCHANGE_DATASETS, ROLE_IDS, USER_PROPERTIES

CONTRACT = """
organization domains subscribedSkus identitySecurityDefaultsEnforcementPolicy authenticationMethodsPolicy
conditionalAccessPolicies namedLocations authenticationStrengthPolicies roleDefinitions users userRegistrationDetails
authenticationMethods perUserMfa groups groupMembers roleAssignments signIns directoryAudits emailAppUsage mailboxUsage
servicePrincipals appRoleAssignments oauth2PermissionGrants transportConfig organizationConfig casMailboxes
authenticationPolicies exchangeUsers mailboxes recipientPermissions mailboxPermissions exchangeServicePrincipals
managementRoleAssignments managementScopes applicationAccessPolicies inboundConnectors acceptedDomains hveAccounts
smtpAuthClients smtpReplies whatIf
""".split()  # noqa: SIM905 - as the contract lists them, and `whatIf`, which was added


def test_every_dataset_of_the_contract_once():
    assert sorted(dataset.name for dataset in CATALOGUE) == sorted(CONTRACT)
    assert len(BY_NAME) == len(CATALOGUE)


def test_every_permission_has_its_role_id():
    assert {dataset.permission for dataset in CATALOGUE if dataset.permission} == set(ROLE_IDS)
    assert all(re.fullmatch(r"[0-9a-f-]{36}", value) for value in ROLE_IDS.values())


def test_permissions_that_are_never_asked_for():
    asked = {dataset.permission for dataset in CATALOGUE}
    assert not asked & {"Directory.Read.All", "MailboxSettings.Read", "ConfigurationMonitoring.ReadWrite.All"}
    assert not [name for name in asked if "Write" in name]


def test_exchange_is_only_read():
    assert all(BY_NAME[name].path.startswith("Get-") for name in EXCHANGE_DATASETS)


@pytest.fixture(scope="module")
def description(shared):
    return json.loads((shared / "contract" / "graph-openapi.json").read_bytes())


def test_least_permissions_are_graphs_own(description):
    compared = 0
    for dataset in CATALOGUE:
        operation = description["paths"].get(dataset.path.replace("{id}", "{user-id}"), {}).get("get")
        least = operation.get("x-permission-least") if operation else None
        if least:
            compared += 1
            assert any(name in least for name in (dataset.permission, *dataset.accepted)), (dataset.name, least)
    assert compared >= 12


def test_selected_user_properties_exist(description):
    properties: set[str] = set()

    def gather(schema):
        properties.update(schema.get("properties", {}))
        for part in schema.get("allOf", []):
            target = part.get("$ref", "").rpartition("/")[2]
            gather(description["components"]["schemas"][target] if target else part)

    gather(description["components"]["schemas"]["microsoft.graph.user"])
    assert set(USER_PROPERTIES) <= properties
