from __future__ import annotations

import pytest

from auditor.demo.exchange import cmdlets


def guid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def values(response):
    assert response.status_code == 200, response.text
    return response.json()["value"]


def failed(response, status, text, kind=""):
    """The service's error form: the head says nothing, the inner exception tells."""
    error = response.json()["error"]
    assert (response.status_code, error["message"]) == (status, "Invalid Operation"), response.text
    inner = error["innererror"]["internalexception"]
    assert text in inner["message"]
    assert kind in inner["type"]
    assert error["details"][0]["message"] == inner["message"]


def test_a_single_object_keeps_its_nulls(client):
    assert values(client.cmdlet("Get-TransportConfig")) == [
        {"SmtpClientAuthenticationDisabled": True, "AllowLegacyTLSClients": None}
    ]


def test_cmdlet_names_ignore_letter_case(client):
    assert values(client.cmdlet("get-transportconfig")) == values(client.cmdlet("Get-TransportConfig"))


@pytest.mark.parametrize("prefer", ["odata.maxpagesize=700", ""])
def test_a_walk_by_post_gives_each_object_exactly_once(client, prefer):
    parameters = {"ResultSize": "Unlimited"}
    response = client.cmdlet("Get-CASMailbox", parameters, Prefer=prefer, query="?$select=Guid")
    found, pages = values(response), 1
    while link := response.json().get("@odata.nextLink"):
        response = client.cmdlet("Get-CASMailbox", parameters, url=link, Prefer=prefer)
        found += values(response)
        pages += 1
    assert found == [{"Guid": guid(number)} for number in range(2300)]
    assert pages == (4 if prefer else 3)


def test_a_next_link_is_only_good_for_its_own_command(client):
    link = client.cmdlet("Get-CASMailbox", {"ResultSize": "Unlimited"}).json()["@odata.nextLink"]
    failed(client.cmdlet("Get-Mailbox", {"ResultSize": "Unlimited"}, url=link), 400, "page token")
    failed(client.cmdlet("Get-CASMailbox", {"ResultSize": 5000}, url=link), 400, "page token")
    failed(client.cmdlet("Get-CASMailbox", {"ResultSize": "Unlimited"}, url=link[:-3] + "AAA"), 400, "page token")
    bearer = {"Authorization": f"Bearer {client.token(client.emulator.exchange_url)}"}
    assert client.http.get(link, headers=bearer).status_code == 405


def test_without_a_result_size_a_thousand_come_and_a_warning(client):
    response = client.cmdlet("Get-CASMailbox")
    assert len(values(response)) == 1000
    assert "@odata.nextLink" not in response.json()
    assert "There are more results available" in response.json()["@adminapi.warnings"][0]
    assert client.cmdlet("Get-CASMailbox", {"ResultSize": "unlimited"}).json()["@adminapi.warnings"] == []
    assert len(values(client.cmdlet("Get-CASMailbox", {"ResultSize": 3}))) == 3


@pytest.mark.parametrize("size", ["many", 0, -1, None])
def test_a_result_size_that_is_none_is_refused(client, size):
    failed(client.cmdlet("Get-CASMailbox", {"ResultSize": size}), 400, "ResultSize", "ParameterBindingException")


def test_select_takes_columns_and_leaves_nulls(client):
    found = values(
        client.cmdlet("Get-CASMailbox", {"ResultSize": 3}, query="?$select=SmtpClientAuthenticationDisabled,No")
    )
    assert found == [{"SmtpClientAuthenticationDisabled": state} for state in (None, True, False)]


def test_mailbox_permissions_need_a_mailbox(client):
    failed(client.cmdlet("Get-MailboxPermission"), 400, "mandatory parameters: Identity", "ParameterBindingException")
    for identity in ("user2@contoso.example", guid(2), guid(1102), "USER2"):
        (found,) = values(client.cmdlet("Get-MailboxPermission", {"Identity": identity, "ResultSize": "Unlimited"}))
        assert found["AccessRights"] == ["FullAccess"]
        assert found["User"] == "S-1-5-21-1"
    failed(client.cmdlet("Get-MailboxPermission", {"Identity": "gone"}), 404, "'gone' couldn't be found",
           "ManagementObjectNotFoundException")  # fmt: skip


def test_identity_picks_one_object(client):
    (found,) = values(client.cmdlet("Get-Mailbox", {"Identity": "user2@contoso.example"}))
    assert found["RecipientTypeDetails"] == "SharedMailbox"
    failed(client.cmdlet("Get-User", {"Identity": "gone"}), 404, "couldn't be found")


def test_the_other_parameters(client):
    assert [row["UserPrincipalName"] for row in values(client.cmdlet("Get-MailUser", {"HVEAccount": True}))] == [
        "hve@contoso.example"
    ]
    assert [row["UserPrincipalName"] for row in values(client.cmdlet("Get-MailUser"))] == ["guest@contoso.example"]
    roles = values(client.cmdlet("Get-ManagementRoleAssignment", {"Role": "Application SMTP.SendAsApp"}))
    assert [row["Identity"] for row in roles] == ["one"]
    kinds = values(client.cmdlet("Get-Mailbox", {"RecipientTypeDetails": ["SharedMailbox", "RoomMailbox"]}))
    assert [row["Identity"] for row in kinds] == ["user2"]
    assert len(values(client.cmdlet("Get-RecipientPermission", {"ResultSize": "Unlimited"}))) == 1
    assert values(client.cmdlet("Get-RecipientPermission", {"Identity": "user1@contoso.example"})) == []


def test_an_unknown_parameter_fails(client):
    failed(client.cmdlet("Get-TransportConfig", {"ResultSize": "Unlimited"}), 400, "parameter name 'ResultSize'")


@pytest.mark.parametrize("name", ["Set-CASMailbox", "Get-Nothing", ""])
def test_an_unknown_cmdlet_fails(client, name):
    failed(client.cmdlet(name), 404, "is not recognized as the name of a cmdlet", "CommandNotFoundException")


def test_every_cmdlet_answers(client):
    for cmdlet in cmdlets.CMDLETS.values():
        parameters = dict.fromkeys(cmdlet.mandatory, "user1@contoso.example")
        assert client.cmdlet(cmdlet.name, parameters).status_code == 200, cmdlet.name


def test_without_the_permission_it_is_401(serve, tenant):
    tenant.app.exchange_roles = set()
    response = serve(tenant).cmdlet("Get-TransportConfig")
    assert (response.status_code, response.content) == (401, b"")


def test_without_a_directory_role_it_is_403_of_nul_bytes(serve, tenant):
    tenant.app.directory_role = False
    response = serve(tenant).cmdlet("Get-TransportConfig")
    assert response.status_code == 403
    assert set(response.content) == {0}


def test_a_token_for_graph_does_not_open_exchange(client):
    token = client.token(client.emulator.graph_url)
    response = client.cmdlet("Get-TransportConfig", Authorization=f"Bearer {token}")
    assert response.status_code == 401
    assert "audience" in response.headers["WWW-Authenticate"]


def test_another_organisation_is_refused(client):
    url = f"{client.emulator.exchange_url}/adminapi/beta/{guid(1)}/InvokeCommand"
    assert client.cmdlet("Get-TransportConfig", url=url).status_code == 403


@pytest.mark.parametrize("anchor", ["", "APP:someone@contoso.example"])
def test_a_request_without_its_anchor_cannot_be_routed(client, anchor):
    failed(client.cmdlet("Get-TransportConfig", X_AnchorMailbox=anchor), 400, "X-AnchorMailbox")


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"{}", b'{"CmdletInput": {}}', b'{"CmdletInput": {"CmdletName": "Get-User", "Parameters": 1}}'],
)
def test_a_malformed_body_is_refused(client, content):
    tenant = client.emulator.tenant.tenant_id
    response = client.http.post(
        f"{client.emulator.exchange_url}/adminapi/beta/{tenant}/InvokeCommand",
        content=content,
        headers={
            "Authorization": f"Bearer {client.token(client.emulator.exchange_url)}",
            "X-AnchorMailbox": f"UPN:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{tenant}",
        },
    )
    failed(response, 400, "")


def _calls(client, *calls, **more):
    """A batch of (id, cmdlet, parameters), each call with what it needs."""
    path = f"/adminapi/beta/{client.emulator.tenant.tenant_id}"
    headers = {"X-AnchorMailbox": f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{path}"}
    requests = [
        {"id": number, "method": "POST", "url": f"{client.emulator.exchange_url}{path}/InvokeCommand?$select=Guid",
         "headers": headers, "body": {"CmdletInput": {"CmdletName": name, "Parameters": parameters}}, **more}
        for number, name, parameters in calls
    ]  # fmt: skip
    bearer = {"Authorization": f"Bearer {client.token(client.emulator.exchange_url)}"}
    return client.http.post(f"{client.emulator.exchange_url}{path}/$batch", json={"requests": requests}, headers=bearer)


def test_a_batch_answers_each_call_as_if_it_came_alone(client):
    response = _calls(
        client,
        ("a", "Get-CASMailbox", {"ResultSize": "Unlimited"}),
        ("b", "Get-MailboxPermission", {"Identity": "nobody@nowhere.example"}),
        ("c", "Remove-Mailbox", {}),
    )
    assert response.status_code == 200
    first, second, third = response.json()["responses"]
    alone = client.cmdlet("Get-CASMailbox", {"ResultSize": "Unlimited"}, query="?$select=Guid").json()
    assert (first["id"], first["status"], first["body"]["value"]) == ("a", 200, alone["value"])
    link = first["body"]["@odata.nextLink"]
    assert values(client.cmdlet("Get-CASMailbox", {"ResultSize": "Unlimited"}, url=link))
    assert (second["status"], third["status"]) == (404, 404)
    assert "couldn't be found" in second["body"]["error"]["innererror"]["internalexception"]["message"]


@pytest.mark.parametrize(
    "more", [{"method": "GET"}, {"url": 7}, {"url": "/adminapi/beta/another-tenant/InvokeCommand"}, {"id": "same"}]
)
def test_a_batch_of_another_form_is_refused(client, more):
    calls = [("1", "Get-TransportConfig", {}), ("2", "Get-TransportConfig", {})]
    assert _calls(client, *calls, **more).status_code == 400


def test_a_batch_holds_one_to_ten_calls(client):
    def status(count):
        return _calls(client, *((str(number), "Get-TransportConfig", {}) for number in range(count))).status_code

    assert [status(count) for count in (0, 10, 11)] == [400, 200, 400]
