from __future__ import annotations

from pathlib import Path

import pytest

from auditor.config import Config, LoadedConfig, Sender, TenantConfig
from auditor.errors import ConfigError, UsageError
from auditor.probe import plan, prepare
from auditor.probe.job import literal

CONFIG = LoadedConfig(Config(), Path(), "")
PUBLIC = TenantConfig(name="Contoso", tenant_id="contoso.example")
CUSTOM = TenantConfig(name="Own", tenant_id="own.example", cloud="custom", authority="https://login.example",
                      graph_url="https://graph.example", smtp_host="localhost", smtp_port=2525)  # fmt: skip


class NoKeyring:
    def get_password(self, service, username):
        return None


def job(tenant=PUBLIC, send_to="", **keys):
    sender = Sender(**({"name": "scanner", "account": "scanner@contoso.example"} | keys))
    (made,) = prepare(CONFIG, tenant, [sender], send_to, NoKeyring())
    return made


def test_what_is_not_declared_is_microsofts_own():
    made = job()
    assert (made.host, made.port, made.contact) == ("smtp.office365.com", 587, ("smtp.office365.com", 587))
    assert (made.login, made.from_, made.to) == ("scanner@contoso.example",) * 3
    assert not made.moved
    assert not made.send


@pytest.mark.parametrize(
    ("cloud", "host"),
    [("public", "smtp.office365.com"), ("gcc-high", "smtp.office365.us"), ("china", "smtp.partner.outlook.cn")],
)
def test_each_cloud_has_its_server(cloud, host):
    assert job(TenantConfig(name="Contoso", tenant_id="contoso.example", cloud=cloud)).host == host


def test_without_a_tenant_the_public_cloud_is_meant():
    assert job(None).host == "smtp.office365.com"


def test_a_cloud_whose_server_nobody_knows_asks_for_it():
    with pytest.raises(ConfigError, match="server: missing"):
        job(TenantConfig(name="Contoso", tenant_id="contoso.example", cloud="dod"))


def test_declared_settings_are_used_as_they_are():
    made = job(server="smtp://Mail.Example:25/", port=2525, username="login@contoso.example",
               from_="from@contoso.example")  # fmt: skip
    assert (made.host, made.port, made.login, made.from_) == (
        "mail.example", 2525, "login@contoso.example", "from@contoso.example",
    )  # fmt: skip


def test_a_custom_cloud_answers_for_every_server_and_the_declared_name_stays():
    made = job(CUSTOM, server="smtp.hve.mx.microsoft", egress_ips=("203.0.113.0/28",))
    assert (made.host, made.contact, made.moved) == ("smtp.hve.mx.microsoft", ("localhost", 2525), True)
    assert made.greeting == "[203.0.113.0]"
    assert any("localhost:2525" in line for line in plan(made))


def test_a_real_server_is_never_told_an_address_that_is_not_ours():
    assert job(egress_ips=("203.0.113.10",)).greeting == ""


@pytest.mark.parametrize(
    ("address", "written"),
    [("203.0.113.10", "[203.0.113.10]"), ("2001:db8::1", "[IPv6:2001:db8::1]"), ("fe80::1%eth0", "[IPv6:fe80::1]")],
)
def test_address_literals(address, written):
    assert literal(address) == written


@pytest.mark.parametrize(
    "keys",
    [
        {"account": "66666666-6666-6666-6666-666666666666"},
        {"from_": "no address"},
        {"from_": "a@b.example>\r\nRCPT TO:<c@d.example"},
        {"server": "two words"},
        {"server": "mail\r\n.example"},
        {"server": "x" * 64 + ".example"},
        {"server": "mail..example"},
        {"server": "2001:db8:::1"},
        {"route": "relay"},
    ],
)
def test_what_cannot_be_tried_is_told_before_anything_is_sent(keys):
    with pytest.raises(ConfigError, match="sender scanner: "):
        job(**keys)


@pytest.mark.parametrize("to", ["nobody", "a@b.example, c@d.example", "a@b.example\r\nDATA", "<a@b.example>"])
def test_a_recipient_is_one_address(to):
    with pytest.raises(UsageError, match="--send"):
        job(send_to=to)


def test_the_plan_says_what_will_be_done(monkeypatch):
    monkeypatch.setenv("SCANNER_PASSWORD", "a-secret-password")
    text = "\n".join(plan(job(password_env="SCANNER_PASSWORD", send_to="me@contoso.example")))
    for words in ("smtp.office365.com, port 587", "STARTTLS", "sign in once as scanner@contoso.example",
                  "$SCANNER_PASSWORD", "RCPT TO me@contoso.example", "send a short test message"):  # fmt: skip
        assert words in text
    assert "a-secret-password" not in text


def test_the_plan_says_that_no_message_is_sent():
    assert any("no message is sent" in line for line in plan(job()))


def test_no_password_is_counted_where_none_will_be_sent(monkeypatch):
    monkeypatch.setenv("SCANNER_PASSWORD", "a-secret-password")
    assert job(password_env="SCANNER_PASSWORD").password
    assert not job(password_env="SCANNER_PASSWORD", tls="none").password
    assert not job().password


def test_routes_without_a_sign_in_need_no_credential():
    made = job(server="contoso.mail.protection.outlook.com", port=25, route="relay")
    assert made.channel == "none"
    assert "no sign-in" in "\n".join(plan(made))
    graph = job(route="graph")
    assert not graph.on_the_wire
    assert plan(graph) == ["scanner: nothing; this sender uses Graph, not SMTP."]
