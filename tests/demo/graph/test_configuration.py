"""Tenant configuration management as the emulator serves it."""

from __future__ import annotations

JOBS = "/admin/configurationManagement/configurationSnapshotJobs"
EVERYTHING = "?$select=id,status,resources,resourceLocation,errorDetails"


def test_some_properties_only_come_by_name(client):
    [job] = client.walk(JOBS)[0]
    assert "resourceLocation" not in job
    assert "errorDetails" not in job
    [job] = client.walk(JOBS + EVERYTHING)[0]
    assert job["errorDetails"] == ["one mailbox could not be read"]


def test_partly_successful_is_hidden_from_clients_that_did_not_ask(client):
    assert client.walk(JOBS)[0][0]["status"] == "unknownFutureValue"
    assert client.walk(JOBS, Prefer="include-unknown-enum-members")[0][0]["status"] == "partiallySuccessful"


def test_a_snapshot_holds_what_its_job_names_and_no_null(client, serve, tenant):
    place = client.walk(JOBS + EVERYTHING)[0][0]["resourceLocation"].partition("/v1.0")[2]
    [transport] = client.graph(place).json()["resources"]
    assert transport["properties"]["SmtpClientAuthenticationDisabled"] is True
    tenant.configuration_jobs[0]["resources"] = ["microsoft.exchange.CASMailboxSettings"]
    found = serve(tenant).graph(place).json()["resources"]
    switches = [one["properties"]["SmtpClientAuthenticationDisabled"] for one in found]
    assert len(switches) == len(tenant.exchange["casMailboxes"])
    assert set(switches) == {True, False}


def test_a_snapshot_that_no_job_brought_is_not_there(client):
    response = client.graph("/admin/configurationManagement/configurationSnapshots('nothing')")
    assert response.status_code == 404
    assert client.graph(JOBS + "?$top=1").status_code == 400
