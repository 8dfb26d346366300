from __future__ import annotations

import pytest

LEGACY = "smtp-legacy.office365.com"
TABLE = [
    ({}, "clear"),
    ({"server": "smtp.office365.com"}, "clear"),
    ({"server": "SMTP.Office365.com."}, "clear"),
    ({"server": "smtp.office365.com", "port": 25}, "clear"),
    ({"port": 465}, "blocks"),
    ({"port": 465, "tls": "implicit"}, "blocks"),
    ({"port": 2525}, "unknown"),
    ({"tls": "none"}, "blocks"),
    ({"tls": "implicit"}, "blocks"),
    ({"server": "outlook.office365.com"}, "unknown"),
    ({"server": "smtp-mail.outlook.com"}, "unknown"),
    ({"server": "mail.contoso.example"}, "unknown"),
    ({"server": "192.0.2.4"}, "conditional"),
    ({"server": "2001:db8::4"}, "conditional"),
    ({"server": "smtp.hve.mx.microsoft"}, "clear"),
    ({"username": "ann@contoso.example"}, "clear"),
    ({"username": "ANN@contoso.example"}, "clear"),
    ({"username": "ann.alias@contoso.example"}, "conditional"),
    ({"server": LEGACY}, "blocks"),
    # the weightiest wins
    ({"server": "192.0.2.4", "port": 465}, "blocks"),
    ({"server": "outlook.office365.com", "username": "badge"}, "unknown"),
    ({"server": LEGACY, "username": "badge"}, "blocks"),
]


@pytest.mark.parametrize(("settings", "expected"), TABLE)
def test_settings(says, settings, expected):
    assert says("sender-settings", settings=settings) == expected


@pytest.mark.parametrize(
    ("value", "cloud", "expected"),
    [(True, "public", "clear"), (False, "public", "blocks"), (None, "public", "unknown"), (True, "gcc-high", "unknown"),
     (False, "dod", "blocks")],
)  # fmt: skip
def test_the_endpoint_for_old_tls_hangs_on_the_tenant(says, value, cloud, expected):
    def change(records):
        records["transportConfig"][0]["AllowLegacyTLSClients"] = value

    assert says("sender-settings", change, settings={"server": LEGACY}, cloud=cloud) == expected


def test_an_unread_tenant_matters_only_for_old_tls(says):
    lost = ("transportConfig",)
    assert says("sender-settings", settings={"server": LEGACY}, without=lost) == "unknown"
    assert says("sender-settings", settings={}, without=lost) == "clear"


@pytest.mark.parametrize("cloud", ["gcc-high", "dod", "china"])
def test_hosts_of_national_clouds_are_not_verified(says, cloud):
    assert says("sender-settings", settings={"server": "smtp.office365.com"}, cloud=cloud) == "unknown"
