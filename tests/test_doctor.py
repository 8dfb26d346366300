"""What the token carries against what the catalogue needs, told against the emulated tenant."""

from __future__ import annotations

import asyncio
import copy

import msgspec
import pytest

from auditor.catalogue import CATALOGUE, CONFIGURATION, CONFIGURATION_TYPES, EXCHANGE, EXCHANGE_DATASETS
from auditor.config import load
from auditor.demo.server import Emulator
from auditor.demo.settings import write_config
from auditor.demo.tenant import generate
from auditor.doctor import examine, render
from auditor.errors import SignInError


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    tenant = generate(accounts=95, seed=7, scenario="default", quarter=1, now=None)
    with Emulator(tenant, tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture
def emulator(served):
    before = copy.deepcopy(served.tenant.app)
    yield served
    served.tenant.app = before


@pytest.fixture
def config(emulator, tmp_path):
    write_config(emulator.tenant, emulator, tmp_path / "config.toml")
    return load(tmp_path / "config.toml")


def _examine(config, source="admin-api", also=()):
    exchange = msgspec.structs.replace(config.config.exchange, source=source, also=also, export_path="files")
    config = msgspec.structs.replace(config, config=msgspec.structs.replace(config.config, exchange=exchange))
    return asyncio.run(examine(config, config.config.tenants[0]))


def _access(report):
    return {entry.dataset: entry.access for entry in report.datasets}


def test_with_every_permission_everything_is_open_and_nothing_is_read(config, emulator):
    report = _examine(config)
    assert set(report.permissions) == emulator.tenant.app.graph_roles
    assert report.exchange_permissions == (EXCHANGE,)
    assert {name for name, access in _access(report).items() if access != "open"} == {"smtpAuthClients", "smtpReplies"}
    assert report.missing == ()
    assert report.surplus == ()
    assert emulator.requests.count("graph") == emulator.requests.count("exchange") == 0


@pytest.mark.parametrize(
    "permission", ["Policy.Read.All", "User.Read.All", "AuditLog.Read.All", "Application.Read.All"]
)
def test_a_missing_permission_names_its_datasets_and_the_blockers_behind_them(config, emulator, permission):
    emulator.tenant.app.graph_roles.discard(permission)
    report = _examine(config)
    missing = {entry.dataset: entry for entry in report.missing}
    direct = {dataset.name for dataset in CATALOGUE if dataset.permission == permission and not dataset.accepted}
    assert direct <= set(missing)
    for name in direct:
        assert missing[name].remedy == f"Grant {permission} and give admin consent."
        for blocker in missing[name].blockers:
            assert name in report.unknown_blockers[blocker]
    text = render(report)
    assert f"Grant {permission}" in text


def test_what_rests_on_something_closed_is_closed_as_well(config, emulator):
    emulator.tenant.app.graph_roles.discard("User.Read.All")
    access = _access(_examine(config))
    assert access["users"] == access["perUserMfa"] == access["authenticationMethods"] == "missing"
    assert access["organization"] == "open"


def test_blockers_that_policies_decide_stay_unknown_without_them(config, emulator):
    emulator.tenant.app.graph_roles.discard("Policy.Read.All")
    unknown = _examine(config).unknown_blockers
    assert "security-defaults" in unknown
    assert "conditional-access" in unknown


def test_permissions_that_are_not_needed_are_told_with_what_to_grant_first(config, emulator):
    roles = emulator.tenant.app.graph_roles
    roles |= {"Directory.Read.All", "MailboxSettings.Read", "ConfigurationMonitoring.ReadWrite.All"}
    roles.discard("Domain.Read.All")
    report = _examine(config)
    surplus = {entry.permission: entry.instead for entry in report.surplus}
    assert set(surplus) == {"Directory.Read.All", "MailboxSettings.Read", "ConfigurationMonitoring.ReadWrite.All"}
    assert surplus["Directory.Read.All"] == ("Domain.Read.All",)
    assert _access(report)["domains"] == "open"
    assert "Directory.Read.All, after granting Domain.Read.All" in render(report)


def test_exchange_by_each_way(config, emulator):
    for source, access in (("export", "open"), ("none", "not-asked")):
        found = _access(_examine(config, source))
        assert {found[name] for name in EXCHANGE_DATASETS} == {access}
    emulator.tenant.app.exchange_roles = set()
    found = _access(_examine(config))
    assert {found[name] for name in EXCHANGE_DATASETS} == {"missing"}
    assert "Global Reader" in render(_examine(config))


def test_configuration_snapshots_name_their_permission_only_where_they_are_chosen(config, emulator):
    whole = set(CONFIGURATION_TYPES) - {"mailboxes"}
    assert CONFIGURATION not in render(_examine(config, "none")) + render(_examine(config, "admin-api"))
    report = _examine(config, "configuration-snapshot")
    missing = {entry.dataset: entry.remedy for entry in report.missing}
    assert missing.keys() == whole
    assert all(CONFIGURATION in remedy and "ReadWrite" not in remedy for remedy in missing.values())
    assert _access(report)["mailboxes"] == _access(report)["recipientPermissions"] == "not-asked"
    emulator.tenant.app.graph_roles.add(CONFIGURATION)
    report = _examine(config, "configuration-snapshot")
    assert {name for name in EXCHANGE_DATASETS if _access(report)[name] == "open"} == whole
    assert report.surplus == ()
    assert [entry.permission for entry in _examine(config, "admin-api").surplus] == [CONFIGURATION]


def test_the_right_to_take_snapshots_opens_them_and_is_told_to_be_given_back(config, emulator):
    emulator.tenant.app.graph_roles.add("ConfigurationMonitoring.ReadWrite.All")
    report = _examine(config, "configuration-snapshot")
    assert _access(report)["transportConfig"] == "open"
    [surplus] = report.surplus
    assert (surplus.permission, surplus.instead) == ("ConfigurationMonitoring.ReadWrite.All", (CONFIGURATION,))


def test_ways_together_open_what_each_of_them_opens(config, emulator):
    emulator.tenant.app.graph_roles.add(CONFIGURATION)
    emulator.tenant.app.exchange_roles = set()
    access = _access(_examine(config, "admin-api", also=("configuration-snapshot",)))
    assert access["transportConfig"] == "open"
    assert access["recipientPermissions"] == "missing"
    access = _access(_examine(config, "configuration-snapshot", also=("export",)))
    assert {access[name] for name in EXCHANGE_DATASETS} == {"open"}


def test_no_permission_at_all_is_told_not_raised(config, emulator):
    emulator.tenant.app.graph_roles = set()
    text = render(_examine(config, "none"))
    assert "Permissions held:\n  none" in text


def test_a_sign_in_that_fails_is_raised(config, emulator):
    emulator.tenant.app.secret_expired = True
    with pytest.raises(SignInError):
        _examine(config)


def test_the_text_holds_no_secret(config, emulator):
    text = render(_examine(config))
    assert emulator.tenant.app.secret not in text
    assert "eyJ" not in text
