"""The location condition: is the sender's place inside it?

Places are the egress IP addresses (or ranges) that the config declares. `AllTrusted` takes in every trusted IP location
and also the MFA trusted IPs, which Graph does not show; countries are found by a database that this program does not
have. Source: https://learn.microsoft.com/entra/identity/conditional-access/concept-assignment-network
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any

from auditor.access.model import Match, Outcome
from auditor.access.shapes import Malformed, foreign, is_word, lower, section, strange, strings
from auditor.tenant import Tenant

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Place = tuple[Network, ...]
"""Egress addresses; the empty tuple means that none is declared."""

CONDITION = "conditions.locations"
DATASET = "namedLocations"
KNOWN = ("includeLocations", "excludeLocations")


class Inside(IntEnum):
    """Is a place inside a location? The number is the strength in an OR over locations."""

    OUT = 0
    DEPENDS = 1
    UNKNOWN = 2
    IN = 3


def place_of(egress_ips: Iterable[str]) -> Place:
    """Declared addresses and ranges; the config has checked that each is one."""
    return tuple(_plain(ipaddress.ip_network(text.strip(), strict=False)) for text in egress_ips)


def _plain(network: Network) -> Network:
    """An IPv4 address in IPv6 dress (`::ffff:203.0.113.7`) is that IPv4 address."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    return network if mapped is None else ipaddress.ip_network(f"{mapped}/{network.prefixlen - 96}")


def location_outcome(tenant: Tenant, conditions: Mapping[str, Any], place: Place) -> Outcome:
    """How the location condition takes in a place. Several addresses that differ leave it conditional."""
    try:
        locations = section(conditions, "locations")
        if locations is None:
            return Outcome(Match.REACHES, CONDITION, "no location condition")
        include, exclude = lower(strings(locations, KNOWN[0])), lower(strings(locations, KNOWN[1]))
    except Malformed as problem:
        return strange(CONDITION, str(problem))
    new = foreign(locations, KNOWN)
    if not (include or exclude or new):
        return Outcome(Match.REACHES, CONDITION, "no location condition")
    if not place:
        return _anywhere(tenant, include, exclude, new)
    outcomes = {_one(tenant, include, exclude, new, network) for network in place}
    if len(outcomes) == 1:
        return outcomes.pop()
    matches = {outcome.match for outcome in outcomes}
    if len(matches) == 1 or Match.UNKNOWN in matches:
        wanted = Match.UNKNOWN if Match.UNKNOWN in matches else matches.pop()
        return min((outcome for outcome in outcomes if outcome.match == wanted), key=lambda outcome: outcome.detail)
    return Outcome(Match.CONDITIONAL, CONDITION, "it takes in some of the sender's egress addresses and not others")


def _anywhere(tenant: Tenant, include: list[str], exclude: list[str], new: list[str]) -> Outcome:
    """No place is declared."""
    words = [token for token in (*include, *exclude) if is_word(token) and token not in ("all", "alltrusted")]
    if tenant.complete(DATASET):
        new = new + [word for word in words if word not in tenant.named_locations]
    if "all" in exclude:
        return Outcome(Match.MISSES, f"{CONDITION}.excludeLocations", "every place is excluded")
    if new or not include:
        return strange(CONDITION, f"its value is not known ({', '.join(new) or 'nothing is included'})")
    if "all" in include and not exclude:
        return Outcome(Match.REACHES, CONDITION, "every place is included")
    detail = "it depends on the place, and no egress IP address is declared"
    return Outcome(Match.CONDITIONAL, CONDITION, detail, (), tuple(sorted({*include, *exclude} - {"all"})))


def _one(tenant: Tenant, include: list[str], exclude: list[str], new: list[str], network: Network) -> Outcome:
    inside = {token: _inside(tenant, token, network) for token in {*include, *exclude}}
    excluded = max((inside[token] for token in exclude), default=Inside.OUT)
    included = max((inside[token] for token in include), default=Inside.OUT)
    if excluded == Inside.IN:
        ids = tuple(sorted(token for token in exclude if inside[token] == Inside.IN))
        return Outcome(Match.MISSES, f"{CONDITION}.excludeLocations", "the egress address is excluded", (), ids)
    if new or not include:
        return strange(CONDITION, f"its value is not known ({', '.join(new) or 'nothing is included'})")
    if included == Inside.OUT:
        return Outcome(Match.MISSES, f"{CONDITION}.includeLocations", "the egress address is not included")
    doubtful = [token for token in exclude if inside[token] == excluded and excluded != Inside.OUT]
    if included != Inside.IN:
        doubtful += [token for token in include if inside[token] == included]
    ids = tuple(sorted(set(doubtful)))
    if Inside.UNKNOWN in (excluded, included):
        datasets = () if tenant.complete(DATASET) else (DATASET,)
        return Outcome(Match.UNKNOWN, CONDITION, "a location of it could not be read", datasets, ids)
    if Inside.DEPENDS in (excluded, included):
        detail = "it depends on a place that cannot be told from the egress address"
        return Outcome(Match.CONDITIONAL, CONDITION, detail, (), ids)
    return Outcome(Match.REACHES, CONDITION, "the egress address is included")


def _inside(tenant: Tenant, token: str, network: Network) -> Inside:
    if token == "all":
        return Inside.IN
    if not tenant.complete(DATASET):
        return Inside.UNKNOWN
    if token == "alltrusted":
        return _all_trusted(tenant, network)
    location = tenant.named_locations.get(token)
    return Inside.UNKNOWN if location is None else _named(location, network)


def _all_trusted(tenant: Tenant, network: Network) -> Inside:
    """IN a trusted named location; else it depends on the MFA trusted IPs, which Graph does not show."""
    strongest = Inside.DEPENDS
    for location in tenant.named_locations.values():
        trusted = location.get("isTrusted")
        if trusted is False or (trusted is not True and kind_of(location) != "ipNamedLocation"):
            continue
        inside = _named(location, network)
        if inside == Inside.IN and trusted is True:
            return Inside.IN
        if inside == Inside.UNKNOWN or (inside == Inside.IN and trusted is not True):
            strongest = Inside.UNKNOWN
    return strongest


def kind_of(location: Mapping[str, Any]) -> str:
    """The type's last name; a hand-made object without one is told by its properties."""
    kind = str(location.get("@odata.type", "")).rpartition(".")[2]
    if kind:
        return kind
    return "countryNamedLocation" if "countriesAndRegions" in location else "ipNamedLocation"


def _named(location: Mapping[str, Any], network: Network) -> Inside:
    kind = kind_of(location)
    if kind == "countryNamedLocation":
        return Inside.DEPENDS
    if kind != "ipNamedLocation":
        return Inside.UNKNOWN
    ranges = location.get("ipRanges")
    if not isinstance(ranges, list):
        return Inside.UNKNOWN
    return max((_in_range(item, network) for item in ranges), default=Inside.OUT)


def _in_range(item: Any, network: Network) -> Inside:
    ends = bounds(item)
    if ends is None:
        return Inside.UNKNOWN
    first, last = ends
    if first.version != network.version:
        return Inside.OUT
    low, high = int(network.network_address), int(network.broadcast_address)
    if int(first) <= low and high <= int(last):
        return Inside.IN
    return Inside.OUT if high < int(first) or int(last) < low else Inside.DEPENDS


def _text(value: object) -> str:
    """Whatever is no text is no address: a number would be read as one."""
    return value if isinstance(value, str) else ""


def bounds(item: Any) -> tuple[Address, Address] | None:
    """First and last address of a range, given as CIDR or by its two ends."""
    try:
        if "cidrAddress" in item:
            cidr = ipaddress.ip_network(_text(item["cidrAddress"]), strict=False)
            return cidr.network_address, cidr.broadcast_address
        first, last = (ipaddress.ip_address(_text(item[end])) for end in ("lowerAddress", "upperAddress"))
        return (first, last) if first.version == last.version else None
    except (TypeError, ValueError, KeyError):
        return None
