"""Where a policy acts: named locations against the egress addresses that a sender declares."""

from __future__ import annotations

import pytest


def ip(*ranges, trusted=False):
    return {"@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": trusted,
            "ipRanges": [{"cidrAddress": cidr} for cidr in ranges]}  # fmt: skip


LOCATIONS = {
    "office": ip("203.0.113.0/24", "2001:db8::/32", trusted=True),
    "lab": ip("198.51.100.0/25"),
    "land": {"@odata.type": "#microsoft.graph.countryNamedLocation", "countriesAndRegions": ["CH"]},
    "gsa": {"@odata.type": "#microsoft.graph.compliantNetworkNamedLocation"},
    "span": {"@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": False,
             "ipRanges": [{"lowerAddress": "192.0.2.10", "upperAddress": "192.0.2.20"}]},
    "broken": ip("x"),
    "empty": {"@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": False, "ipRanges": None},
    "hand-made": {"ipRanges": [{"cidrAddress": "192.0.2.0/24"}], "isTrusted": False},
    "hand-made-land": {"countriesAndRegions": ["CH"]},
}  # fmt: skip
IN, OUT, V6 = ("203.0.113.9",), ("192.0.2.99",), ("2001:db8::9",)
ALL = ["All"]


def place(include=ALL, exclude=()):
    return {"locations": {"includeLocations": list(include), "excludeLocations": list(exclude)}}


TABLE = [
    (place(), (), "blocks"),
    (place(), IN, "blocks"),
    ({"locations": {"includeLocations": [], "excludeLocations": []}}, (), "blocks"),
    (place(ALL, ["office"]), (), "conditional"),
    (place(ALL, ["office"]), IN, "clear"),
    (place(ALL, ["OFFICE"]), V6, "clear"),
    (place(ALL, ["office"]), OUT, "blocks"),
    (place(ALL, ["office"]), IN + OUT, "conditional"),
    (place(ALL, ["office"]), IN + V6, "clear"),
    (place(ALL, ["office"]), ("203.0.113.128/25",), "clear"),
    (place(ALL, ["lab"]), ("198.51.100.0/24",), "conditional"),
    (place(["office"]), (), "conditional"),
    (place(["office"]), ("::ffff:203.0.113.9",), "blocks"),  # IPv4 in IPv6 dress
    (place(["office"]), ("::ffff:192.0.2.99",), "clear"),
    (place(["BrandNew"]), (), "unknown"),
    (place(ALL, ["office", "BrandNew"]), (), "unknown"),
    (place(["11111111-2222-4333-8444-555555555555"]), (), "conditional"),
    (place(["office"]), IN, "blocks"),
    (place(["office"]), OUT, "clear"),
    (place(["office", "lab"]), OUT, "clear"),
    (place(["span"]), ("192.0.2.15",), "blocks"),
    (place(["span"]), ("192.0.2.21",), "clear"),
    (place(["AllTrusted"]), (), "conditional"),
    (place(["AllTrusted"]), IN, "blocks"),
    (place(["AllTrusted"]), OUT, "conditional"),  # MFA trusted IPs are not shown
    (place(["AllTrusted"]), ("198.51.100.9",), "conditional"),
    (place(ALL, ["AllTrusted"]), IN, "clear"),
    (place(ALL, ["AllTrusted"]), OUT, "conditional"),
    (place(ALL, ["AllTrusted", "lab"]), ("198.51.100.9",), "clear"),
    (place(["land"]), IN, "conditional"),
    (place(["land"]), (), "conditional"),
    (place(ALL, ["land"]), IN, "conditional"),
    (place(ALL, ["land", "office"]), IN, "clear"),
    (place(["gsa"]), IN, "unknown"),
    (place(["gone-1"]), IN, "unknown"),
    (place(["gone-1", "office"]), IN, "blocks"),
    (place(ALL, ["gone-1", "office"]), IN, "clear"),
    (place(["broken"]), IN, "unknown"),
    (place(["empty"]), IN, "unknown"),
    (place(["hand-made"]), OUT, "blocks"),
    (place(["hand-made-land"]), OUT, "conditional"),
    (place(ALL, ALL), (), "clear"),
    ({"locations": {"includeLocations": [], "excludeLocations": ["office"]}}, (), "unknown"),
    ({"locations": {"includeLocations": "All"}}, (), "unknown"),
    ({"locations": ["All"]}, (), "unknown"),
    (place() | {"locations": {"includeLocations": ["All"], "brandNew": ["x"]}}, (), "unknown"),
    ({"locations": {"includeLocations": ["All"], "excludeLocations": ["office"], "brandNew": ["x"]}}, IN, "clear"),
]


@pytest.mark.parametrize(("conditions", "ips", "expected"), TABLE)
def test_location(state, conditions, ips, expected):
    assert state({"conditions": conditions}, ips=ips, locations=LOCATIONS) == expected


UNREAD = [
    (place(), IN, "blocks"),
    (place(ALL, ["office"]), (), "conditional"),
    (place(ALL, ["office"]), IN, "unknown"),
    (place(["AllTrusted"]), OUT, "unknown"),
]


@pytest.mark.parametrize(("conditions", "ips", "expected"), UNREAD)
def test_named_locations_that_were_not_read_decide_only_where_an_address_is_declared(state, conditions, ips, expected):
    lost = frozenset({"namedLocations"})
    assert state({"conditions": conditions}, ips=ips, locations=LOCATIONS, missing=lost) == expected


def test_a_trusted_location_that_cannot_be_read_leaves_all_trusted_unknown(state):
    broken = {"odd": {"@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": True, "ipRanges": "x"}}
    assert state({"conditions": place(["AllTrusted"])}, ips=OUT, locations=broken) == "unknown"
    unsure = {"odd": ip("192.0.2.0/24") | {"isTrusted": None}}
    assert state({"conditions": place(["AllTrusted"])}, ips=OUT, locations=unsure) == "unknown"


def test_exposure_never_uses_a_declared_address(build):
    """The account's own case comes without a place, also where a sender on it declares one."""
    world = build["World"](policies=(build["policy"](conditions=place(ALL, ["office"])),), locations=LOCATIONS)
    assert build["reason_of"](world, ips=OUT).state.word == "blocks"
    assert build["reason_of"](world).state.word == "conditional"
