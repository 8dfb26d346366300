"""The objects have the types that Graph's own OpenAPI description gives them."""

from __future__ import annotations

import pytest
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from auditor.demo.tenant import SCENARIOS

TYPES = {
    "organization": "organization",
    "domains": "domain",
    "subscribedSkus": "subscribedSku",
    "identitySecurityDefaultsEnforcementPolicy": "identitySecurityDefaultsEnforcementPolicy",
    "authenticationMethodsPolicy": "authenticationMethodsPolicy",
    "conditionalAccessPolicies": "conditionalAccessPolicy",
    "namedLocations": "namedLocation",
    "authenticationStrengthPolicies": "authenticationStrengthPolicy",
    "roleDefinitions": "unifiedRoleDefinition",
    "users": "user",
    "userRegistrationDetails": "userRegistrationDetails",
    "groups": "group",
    "roleAssignments": "unifiedRoleAssignment",
    "signIns": "signIn",
    "servicePrincipals": "servicePrincipal",
}

SAMPLE = 130
"""records checked of each dataset: all special accounts and some filler"""


@pytest.fixture(scope="module")
def validator(openapi):
    def make(schema):
        document = {"$ref": f"#/components/schemas/{schema}", "components": openapi["components"]}
        return OAS30Validator(document, format_checker=oas30_format_checker)

    return make


def problems(validator, records):
    return [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for record in records
        for error in validator.iter_errors(record)
    ]


def schema_of(openapi, record, name):
    kind = str(record.get("@odata.type", "")).lstrip("#")
    return kind if kind in openapi["components"]["schemas"] else f"microsoft.graph.{name}"


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("dataset", sorted(TYPES))
def test_types(dataset, scenario, tenants, validator, openapi):
    stored = tenants[scenario].graph[dataset]
    records = ([stored] if isinstance(stored, dict) else stored)[:SAMPLE]
    by_schema = {}
    for record in records:
        by_schema.setdefault(schema_of(openapi, record, TYPES[dataset]), []).append(record)
    for schema, found in by_schema.items():
        assert problems(validator(schema), found) == [], schema


@pytest.mark.parametrize("dataset", sorted(TYPES))
def test_properties_are_known(dataset, tenant, openapi):
    """Nothing is in an object that Graph's description does not name (a check against typing errors)."""
    schemas = openapi["components"]["schemas"]

    def known(name):
        found = set()
        for part in schemas[name].get("allOf", [schemas[name]]):
            found |= set(part.get("properties", {}))
            if "$ref" in part:
                found |= known(part["$ref"].rpartition("/")[2])
        return found

    stored = tenant.graph[dataset]
    for record in ([stored] if isinstance(stored, dict) else stored)[:SAMPLE]:
        extra = set(record) - known(schema_of(openapi, record, TYPES[dataset])) - {"@odata.type"}
        assert not extra, dataset


def test_authentication_methods(tenant, validator, openapi):
    rows = [row for methods in list(tenant.methods.values())[:SAMPLE] for row in methods]
    assert {row["@odata.type"] for row in rows} > {"#microsoft.graph.passwordAuthenticationMethod"}
    for row in rows:
        assert problems(validator(row["@odata.type"].lstrip("#")), [row]) == []


def test_a_wrong_type_would_be_found(tenant, validator):
    broken = tenant.graph["users"][0] | {"accountEnabled": "yes"}
    assert problems(validator("microsoft.graph.user"), [broken])
