"""Laws that hold for every tenant, whole evaluations compared: the same tenant told differently is judged the same."""

from __future__ import annotations

import copy
import random
from types import SimpleNamespace

import numpy as np
import whole_tenants
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from whole_accounts import addresses, ever_had_plan, exchange_row

from auditor.access import Match, judge, reach
from auditor.blockers.base import Cases
from auditor.states import State
from auditor.verdict import EXPOSURE_WORDS

LAW = settings(max_examples=120, deadline=None, derandomize=True, database=None,
               suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large,
                                      HealthCheck.function_scoped_fixture])  # fmt: skip


def changed(tenant, change):
    """The same tenant with its records changed in place."""
    other = copy.deepcopy(tenant)
    change(other)
    for name, records in other.records.items():
        if other.entries[name]["state"] == "complete":
            other.entries[name]["records"] = len(records)
    return other


def told(evaluation):
    """Everything that the order of records must not change: states, verdicts and findings, by account id."""
    judgement = evaluation.judgement
    ids = judgement.tenant.accounts.id
    rows = {}
    for row, account in enumerate(ids):
        states = [int(judgement.row_states(blocker)[row]) for blocker in judgement.columns]
        rows[account] = (
            states, int(judgement.basic[row]), int(judgement.oauth[row]), int(judgement.exposure[row]),
            judgement.password_guessing[row], judgement.breaks_at_retirement[row],
        )  # fmt: skip
    senders = [
        ([int(column.states[case]) for column in judgement.columns.values()], judgement.safest_exit[case])
        for case in judgement.sender_cases()
    ]
    findings = {finding.id: (finding.outcome, finding.severity, {ids[row] for row in finding.accounts})
                for finding in evaluation.findings}  # fmt: skip
    assert len(findings) == len(evaluation.findings)
    return rows, senders, findings


def written_out(evaluation):
    """What people read of the findings."""
    return [(finding.title, finding.evidence, finding.remedy) for finding in evaluation.findings]


@LAW
@given(data=st.data(), seed=st.integers(0, 1000))
def test_the_order_of_records_does_not_matter(tenants, evaluated, data, seed):
    tenant = data.draw(tenants)

    def shuffle(other):
        for records in other.records.values():
            random.Random(seed).shuffle(records)

    before, after = evaluated(tenant), evaluated(changed(tenant, shuffle))
    assert told(after) == told(before)
    assert written_out(after) == written_out(before)


@LAW
@given(data=st.data(), seed=st.integers(0, 1000))
def test_repeated_records_change_nothing(tenants, evaluated, data, seed):
    tenant = data.draw(tenants)

    def repeat(other):
        for records in other.records.values():
            records += random.Random(seed).choices(records, k=3) if records else []

    before, after = evaluated(tenant), evaluated(changed(tenant, repeat))
    assert told(after) == told(before)
    assert written_out(after) == written_out(before)


CASELESS = {
    "id", "userPrincipalName", "mail", "groupId", "principalId", "roleDefinitionId", "templateId", "includeUsers",
    "excludeUsers", "includeGroups", "excludeGroups", "includeRoles", "excludeRoles", "includeApplications",
    "excludeApplications", "includeLocations", "excludeLocations", "includeServicePrincipals",
    "excludeServicePrincipals", "ExternalDirectoryObjectId", "UserPrincipalName", "PrimarySmtpAddress", "Identity",
    "Trustee", "User", "App", "appId", "AppId", "ObjectId", "clientId", "appRoleId", "skuId", "disabledPlans",
    "servicePlanId", "AuthenticationPolicy", "DefaultAuthenticationPolicy", "Name", "Guid", "DistinguishedName",
}  # fmt: skip
"""Properties that hold ids, addresses and names, which Microsoft compares without letter case."""


def swapped(value, key=""):
    if isinstance(value, dict):
        return {name: swapped(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [swapped(inner, key) for inner in value]
    if isinstance(value, str) and key == "proxyAddresses":
        scheme, colon, rest = value.partition(":")
        return scheme + colon + rest.swapcase()  # capitals in the scheme tell the primary address
    return value.swapcase() if isinstance(value, str) and key in CASELESS else value


@LAW
@given(data=st.data())
def test_letter_case_of_ids_and_addresses_does_not_matter(tenants, evaluated, data):
    tenant = data.draw(tenants)

    def swap(other):
        other.records = swapped(other.records)
        for sender in other.senders:
            sender |= {key: sender[key].swapcase() for key in ("account", "from", "username", "server", "oauth_app_id")}

    assert told(evaluated(changed(tenant, swap))) == told(evaluated(tenant))


ON_EXCHANGE = set(whole_tenants.ON_EXCHANGE)
EXEMPT = {"smtpReplies"}
EVIDENCE = {"signIns", "emailAppUsage", "smtpAuthClients"}
"""Pure evidence may only add (contract)."""


def agreed(tenant):
    """No other source shows a mailbox that Exchange's own list or the directory rules out: where that was not read the
    contract lets the others speak, so the law can hold only for sources that do not contradict each other."""
    evidence = SimpleNamespace(rows=tenant.records.__getitem__)
    read = tenant.entries["mailboxes"]["state"] == "complete"
    without = [
        user for user in tenant.records["users"]
        if (read and not exchange_row(evidence, "mailboxes", user)) or not (ever_had_plan(user) or addresses(user))
    ]  # fmt: skip
    names = {user["userPrincipalName"].lower() for user in without}
    tenant.records["mailboxUsage"] = [row for row in tenant.records["mailboxUsage"]
                                      if row["userPrincipalName"] not in names]  # fmt: skip
    for described in filter(None, (exchange_row(evidence, "exchangeUsers", user) for user in without)):
        described["RecipientTypeDetails"] = "MailUser"


@LAW
@given(data=st.data(), how=st.sampled_from(("denied", "cut", "failed", "not-asked")))
def test_taking_data_away_turns_a_state_only_into_unknown(tenants, evaluated, data, how):
    tenant = data.draw(tenants)
    lost = data.draw(st.sampled_from(sorted(set(tenant.records) - EXEMPT - ({"users"} if how != "cut" else set()))))
    # once no Exchange data at all was asked for, the contract lets the usage report decide alone
    assume(
        lost not in ON_EXCHANGE or any(tenant.entries[name]["state"] != "not-asked" for name in ON_EXCHANGE - {lost})
    )
    tenant = changed(tenant, agreed)
    before = evaluated(tenant).judgement
    after = evaluated(changed(tenant, lambda other: other.lose(lost, how))).judgement
    for blocker, column in before.columns.items():
        now = after.columns[blocker].states
        assert np.all((now == column.states) | (now == State.UNKNOWN)), (blocker, lost)
    for was, now in ((before.basic_cases, after.basic_cases), (before.oauth_cases, after.oauth_cases)):
        assert np.all((now == was) | (now == State.UNKNOWN)), lost
    unknown = EXPOSURE_WORDS.index("unknown")
    if lost != "perUserMfa":  # unread it is left out of the exposure, and said (contract)
        assert np.all((after.exposure == before.exposure) | (after.exposure == unknown)), lost
    for words in ("password_guessing", "breaks_at_retirement"):
        if words == "breaks_at_retirement" and lost in EVIDENCE:
            continue
        for was, now in zip(getattr(before, words), getattr(after, words), strict=True):
            assert now in (was, "unknown"), (words, lost)


EXCLUSIONS = (
    ("users", "excludeUsers", ["account-3", "All"]), ("users", "excludeUsers", ["GuestsOrExternalUsers"]),
    ("users", "excludeUsers", ["somethingNew"]), ("users", "excludeGroups", ["group-read-1"]),
    ("users", "excludeGroups", ["group-hidden-1", "group-missing-1"]), ("users", "excludeRoles", ["admin-1"]),
    ("applications", "excludeApplications", ["other-1", "future"]),
    ("applications", "excludeApplications", ["Office365"]),
    ("locations", "excludeLocations", ["office"]), ("locations", "excludeLocations", ["land", "AllTrusted"]),
    ("locations", "excludeLocations", ["gone"]),
)  # fmt: skip


@LAW
@given(data=st.data(), exclusion=st.sampled_from(EXCLUSIONS),
       place=st.sampled_from([(), ("203.0.113.7",), ("203.0.113.7", "198.51.100.7")]))  # fmt: skip
def test_an_exclusion_never_widens_what_a_policy_reaches(tenants, loaded, data, exclusion, place):
    """More excluded: whom the policy misses it goes on missing, and whom it reaches then it reached before."""
    tenant = data.draw(tenants)
    section, key, entries = exclusion

    def exclude(other):
        for policy in other.records["conditionalAccessPolicies"]:
            condition = (policy["conditions"] or {}).get(section)
            if condition:
                condition[key] = [*condition.get(key, []), *entries]

    before = reach(loaded(tenant), egress_ips=place)
    after = reach(loaded(changed(tenant, exclude)), egress_ips=place)
    assert len(before.policies) == len(after.policies)
    for was, now in zip(before.policies, after.policies, strict=True):
        assert np.all(now.match[was.match == Match.MISSES] == Match.MISSES)
        assert np.all(was.match[now.match == Match.REACHES] == Match.REACHES)


@LAW
@given(data=st.data())
def test_another_policy_never_weakens_what_conditional_access_says(tenants, loaded, data):
    """Over several policies the strongest wins; one that is off or reports only changes nothing."""
    tenant = data.draw(tenants)
    assume(tenant.records["conditionalAccessPolicies"])
    off = data.draw(st.sampled_from((None, "disabled", "enabledForReportingButNotEnforced")))

    def without_last(other):
        other.records["conditionalAccessPolicies"].pop()

    def with_last_off(other):
        if off:
            other.records["conditionalAccessPolicies"][-1]["state"] = off

    fewer, more = states(loaded(changed(tenant, without_last))), states(loaded(changed(tenant, with_last_off)))
    assert np.all(more == fewer) if off else np.all(more >= fewer)


def states(tenant):
    return judge(tenant, Cases.of(tenant, ())).states
