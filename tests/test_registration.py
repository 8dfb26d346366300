"""What `init` writes is read by the program itself, and never asks for more than the catalogue needs."""

from __future__ import annotations

import re

import pytest

from auditor.catalogue import CATALOGUE, EXCHANGE, ROLE_IDS
from auditor.config import load
from auditor.graph.clouds import CLOUDS
from auditor.registration import config_template, consent_link, exchange_need, needed, steps

NEVER = ("ConfigurationMonitoring.ReadWrite.All", "MailboxSettings.Read", "Directory.Read.All")


def test_the_permissions_are_those_of_the_catalogue():
    wanted = {dataset.permission for dataset in CATALOGUE} - {"", EXCHANGE}
    assert {need.name for need in needed()} == wanted
    assert exchange_need().role_id == ROLE_IDS[EXCHANGE]


def test_required_ones_come_first_and_only_pure_evidence_is_optional():
    flags = [need.optional for need in needed()]
    assert flags == sorted(flags)
    optional = {dataset.name for dataset in CATALOGUE if dataset.optional}
    for need in needed():
        assert need.optional == set(need.datasets).issubset(optional)


@pytest.mark.parametrize("name", NEVER)
def test_what_is_never_asked_for(name):
    assert name not in steps()
    assert not any(need.name == name for need in needed())


@pytest.mark.parametrize(
    "way", ["az ad app permission add", "New-MgServicePrincipalAppRoleAssignment", "IN THE PORTAL"]
)
def test_each_way_names_every_permission(way):
    text = steps()
    assert way in text
    part = next(part for part in re.split(r"\n(?=[A-Z ,()]{6,}\n|WITH |IN THE )", text) if way in part)
    for need in needed():
        assert need.role_id in part or need.name in part


def test_nothing_that_writes_is_granted():
    granted = {need.name for need in needed()}
    assert not [name for name in granted if "Write" in name]


@pytest.mark.parametrize("cloud", sorted(CLOUDS))
def test_links_follow_the_cloud(cloud):
    link = consent_link(cloud, "tid", "cid")
    assert link == f"{CLOUDS[cloud].authority}/tid/adminconsent?client_id=cid"
    assert CLOUDS[cloud].portal in steps(cloud)


def test_the_config_is_read_by_the_program(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(config_template(), encoding="utf-8")
    config = load(path).config
    assert config.tenants[0].client_secret_env == "AUDITOR_CLIENT_SECRET"
    assert config.exchange.source == "none"


def test_what_is_switched_off_is_read_as_well(tmp_path):
    """Every commented setting is one that the program knows, once its comment is taken away."""
    kept = [line for line in config_template().splitlines() if not re.match(r"#\w+ = |#\[\[", line)]
    senders = [line[1:] for line in config_template().splitlines() if re.match(r"#\[\[senders|#(?!certificate|client|managed|federated|export)\w+ = ", line)]  # fmt: skip  # noqa: E501
    path = tmp_path / "config.toml"
    path.write_text("\n".join([*kept, *senders]), encoding="utf-8")
    assert load(path).config.senders[0].account == "scanner@contoso.com"
