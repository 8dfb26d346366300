"""A tenant too large to be held in memory, on the wire: every page as the small way would give it."""

from __future__ import annotations

import csv
import io

import pytest

from auditor.demo.conditions import Conditions
from auditor.demo.conditions.faults import FaultPlan, Truncated
from auditor.demo.rows import Rows
from auditor.demo.tenant import build, generate

ACCOUNTS = build.MADE_AT_ONCE + 1
USERS = "/users?$select=id,userPrincipalName,assignedPlans,perUserMfaState&$top=999"


@pytest.fixture(scope="module")
def company():
    return generate(accounts=ACCOUNTS)


@pytest.fixture
def large(serve, company):
    assert isinstance(company.graph["users"], Rows)
    return serve(company)


def test_users_come_page_by_page_with_real_plan_counts(large):
    pages = large.walk(USERS)
    assert [len(page) for page in pages] == [999] * 5 + [6]
    users = [user for page in pages for user in page]
    assert len({user["id"] for user in users}) == ACCOUNTS
    assert {user["perUserMfaState"] for user in users} >= {"disabled", "enabled", "enforced"}
    counts = [len(user["assignedPlans"]) for user in users if user["assignedPlans"]]
    assert max(counts) >= 81
    assert sum(counts) / len(counts) > 45
    assert "perUserMfaState" not in large.graph("/users?$top=1").json()["value"][0]


def test_one_user_by_id_and_by_name(large, company):
    row = company.graph["users"][4321]
    for key in (row["id"], row["userPrincipalName"]):
        found = large.graph(f"/users/{key}?$select=id,userPrincipalName,perUserMfaState").json()
        assert (found["id"], found["userPrincipalName"]) == (row["id"], row["userPrincipalName"])
    assert large.graph(f"/users/{row['id']}/authentication/methods").json()["value"]
    assert large.graph("/users/00000000-0000-4000-8000-000000000000").status_code == 404


def test_members_of_a_group_with_all_that_is_inside(large, company):
    [group] = [group["id"] for group in company.graph["groups"] if group["displayName"] == "All Employees"]
    path = f"/groups/{group}/transitiveMembers/microsoft.graph.user?$select=id&$count=true&$top=999"
    found = [user["id"] for page in large.walk(path, ConsistencyLevel="eventual") for user in page]
    groups = company.group_members
    departments = list(groups[group])
    teams = [inner for outer in departments for inner in groups[outer] if inner in groups]
    expected = {one for name in (*departments, *teams) for one in groups[name]} - {*departments, *teams}
    assert len(found) == len(set(found)) > 3000
    assert set(found) == expected


def test_exchanges_lists_come_page_by_page(large, company):
    for cmdlet, dataset in (("Get-CASMailbox", "casMailboxes"), ("Get-User", "exchangeUsers"),
                            ("Get-Mailbox", "mailboxes")):  # fmt: skip
        names, url = [], ""
        while url is not None:
            page = large.cmdlet(cmdlet, {"ResultSize": "Unlimited"}, url=url).json()
            names += [row["Guid"] for row in page["value"]]
            url = page.get("@odata.nextLink")
        assert names == [row["Guid"] for row in company.exchange[dataset]], cmdlet


def report(client):
    location = client.graph("/reports/getEmailAppUsageUserDetail(period='D180')").headers["Location"]
    return client.http.get(location)


def test_a_long_report_is_streamed_whole(large, company):
    answer = report(large)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    stored = company.graph["emailAppUsage"]
    assert [row["User Principal Name"] for row in rows] == [row["User Principal Name"] for row in stored]
    assert {row["Report Period"] for row in rows} == {"180"}


def test_a_streamed_report_can_be_cut_too(serve, company):
    client = serve(company, Conditions(faults=FaultPlan(faults=(Truncated(service="reports", at=0.5),))))
    cut, whole = report(client), report(client)
    assert len(cut.content) == len(whole.content) // 2
    assert whole.content.startswith(cut.content)


def test_registration_and_usage_rows(large, company):
    for path, dataset in (
        ("/reports/authenticationMethods/userRegistrationDetails?$top=999", "userRegistrationDetails"),
        ("/beta/reports/getMailboxUsageDetail(period='D7')?$format=application/json&$top=999", "mailboxUsage"),
    ):
        rows = [row["userPrincipalName"] for page in large.walk(path) for row in page]
        assert rows == [row["userPrincipalName"] for row in company.graph[dataset]]
