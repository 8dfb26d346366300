"""Tokens for the senders' own apps, and the Conditional Access that stands before them."""

from __future__ import annotations

import pytest

from auditor.demo.entra.workload import blocked_by_policy
from auditor.demo.smtp.apps import sender_apps
from auditor.demo.tenant import generate


def policy(object_ids, *, state="enabled", without=()):
    target = {"includeServicePrincipals": object_ids, "excludeServicePrincipals": list(without)}
    return {"state": state, "conditions": {"clientApplications": target}}


@pytest.mark.parametrize(
    ("policies", "blocked"),
    [
        ([], False),
        ([policy(["A"])], True),
        ([policy(["ServicePrincipalsInMyTenant"])], True),
        ([policy(["b"])], False),
        ([policy(["a"], state="enabledForReportingButNotEnforced")], False),
        ([policy(["a"], without=["a"])], False),
        ([{"state": "enabled", "conditions": {"clientApplications": None}}], False),
    ],
)
def test_an_enabled_policy_that_names_the_app_blocks_it(tenant, policies, blocked):
    tenant.graph["conditionalAccessPolicies"] = policies
    assert blocked_by_policy(tenant, "a") is blocked


@pytest.fixture
def company():
    return generate(accounts=100)


def ask(client, app, **changes):
    fields = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": app.secret,
              "scope": f"{client.emulator.exchange_url}/.default"} | changes  # fmt: skip
    url = f"{client.emulator.authority}/{client.emulator.tenant.tenant_id}/oauth2/v2.0/token"
    return client.http.post(url, data=fields)


def app_of(company, name):
    wanted = next(sender["oauth_app_id"] for sender in company.senders if sender["name"] == name)
    return next(app for app in sender_apps(company) if app.client_id == wanted)


def test_a_declared_app_gets_a_token_with_what_it_was_granted(serve, company):
    client = serve(company)
    app = app_of(company, "ticketing")
    token = ask(client, app).json()["access_token"]
    checked = client.emulator.tokens.check(f"Bearer {token}", client.emulator.exchange_url)
    assert (checked.app_id, checked.object_id, checked.roles) == (app.client_id, app.object_id, {"SMTP.SendAsApp"})


def test_another_apps_secret_is_a_wrong_one(serve, company):
    client = serve(company)
    answer = ask(client, app_of(company, "ticketing"), client_secret=company.app.secret)
    assert answer.json()["error_codes"] == [7000215]


def test_a_blocked_app_is_refused_where_it_asks_for_its_token(serve, company):
    answer = ask(serve(company), app_of(company, "parcel-labels"))
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [53003])


def test_an_app_that_is_switched_off_is_refused(serve, company):
    for row in company.graph["servicePrincipals"]:
        row["accountEnabled"] = False
    answer = ask(serve(company), app_of(company, "ticketing"))
    assert answer.json()["error_codes"] == [7000112]
