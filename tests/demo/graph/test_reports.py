from __future__ import annotations

import csv
import io
import re

import pytest

from auditor.demo.graph.directory import Directory
from auditor.demo.graph.reports import Downloads
from auditor.demo.wire import Sealer

EMAIL_APPS = "/reports/getEmailAppUsageUserDetail(period='D180')"
MAILBOXES = "/reports/getMailboxUsageDetail(period='D7')"
AS_JSON = f"/beta{MAILBOXES}?$format=application/json"


def download(client, path=EMAIL_APPS):
    redirect = client.graph(path)
    assert redirect.status_code == 302
    assert redirect.headers["Location"].startswith(client.emulator.reports_url)
    return client.http.get(redirect.headers["Location"])


def rows(response):
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


def test_the_csv_lies_behind_a_redirect_to_another_host(client):
    (row,) = rows(download(client))
    assert row["User Principal Name"] == "user1@contoso.example"
    assert row["Display Name"] == 'User, "One"'
    assert (row["SMTP App"], row["IMAP4 App"], row["Report Period"]) == ("Yes", "", "180")


def test_the_download_refuses_a_token_and_has_no_use_for_one(client):
    location = client.graph(EMAIL_APPS).headers["Location"]
    refused = client.http.get(location, headers={"Authorization": "Bearer anything"})
    assert refused.status_code == 400
    assert client.http.get(location).status_code == 200


def test_an_invented_address_is_refused(client):
    assert client.http.get(f"{client.emulator.reports_url}/data/download/invented").status_code == 403
    token = client.graph("/users?$top=1").json()["@odata.nextLink"].split("$skiptoken=")[1]
    assert client.http.get(f"{client.emulator.reports_url}/data/download/{token}").status_code == 403


def test_an_address_expires(serve, tenant):
    client = serve(tenant)
    client.emulator.tokens.clock = lambda: 1_000.0
    late = Downloads(Directory(tenant), Sealer(b"key"), "https://localhost:4", lambda: 1_000.0)
    token = late.address("getEmailAppUsageUserDetail", "D7").rsplit("/", 1)[1]
    assert Sealer(b"key").open(token)["until"] == 1_300.0
    assert Sealer(b"other key").open(token) is None


@pytest.mark.parametrize("path", [EMAIL_APPS.replace("D180", "D8"), MAILBOXES.replace("D7", "all")])
def test_a_period_that_does_not_exist_is_refused(client, path):
    response = client.graph(path)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "BadRequest")


def test_beta_gives_json_in_pages(client):
    pages = client.walk(f"{AS_JSON}&$top=2")
    assert [len(page) for page in pages] == [2, 1]
    assert pages[0][0] == {
        "userPrincipalName": "user1@contoso.example",
        "displayName": "User 1",
        "recipientType": "User",
        "isDeleted": False,
        "reportPeriod": "7",
    }


def test_the_csv_of_mailboxes_does_not_tell_their_type(client):
    found = rows(download(client, MAILBOXES))
    assert [row["User Principal Name"] for row in found] == [f"user{n}@contoso.example" for n in (1, 2, 3)]
    assert "recipientType" not in found[0]


def test_rows_stored_by_column_come_as_json_too(client):
    path = "/beta/reports/getEmailAppUsageUserDetail(period='D180')?$format=application/json"
    (row,) = client.graph(path).json()["value"]
    assert (row["smtpApp"], row["userPrincipalName"], row["reportPeriod"]) == ("Yes", "user1@contoso.example", "180")


def test_concealed_names_join_with_nothing(serve, tenant):
    tenant.concealed_names = True
    client = serve(tenant)
    (row,) = rows(download(client))
    (entry, *_) = client.graph(AS_JSON).json()["value"]
    for name in (row["User Principal Name"], row["Display Name"], entry["userPrincipalName"], entry["displayName"]):
        assert re.fullmatch("[0-9A-F]{32}", name)
    assert row["User Principal Name"] == entry["userPrincipalName"], "one account, one hash"
    assert row["SMTP App"] == "Yes"
    assert tenant.graph["emailAppUsage"][0]["User Principal Name"] == "user1@contoso.example"
