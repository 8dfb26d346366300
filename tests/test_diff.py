"""What changed between two runs: new, returned, changed, fixed, not checked and persisting mean what they say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.diff import BY_DATE, Comparison, FactChange, Run, compare, fact_changes

OLD, NEW = "2026-11-23T16:00:00Z", "2027-02-22T16:00:00Z"
READ = dict.fromkeys(
    ("users", "casMailboxes", "transportConfig", "conditionalAccessPolicies", "authenticationPolicies",
     "roleAssignments", "perUserMfa", "signIns"), "complete",
)  # fmt: skip


def fact(name: str, value: str, dataset: str = "") -> dict[str, str]:
    return {"name": name, "value": value, "dataset": dataset}


def finding(rule: str = "legacy-tls-allowed", key: str = "0", **more: Any) -> dict[str, Any]:
    return {
        "id": f"{rule}-{key}", "rule": rule, "severity": "medium", "outcome": "fail", "object_type": "tenant",
        "object_id": key, "object_name": f"Object {key}", "title": f"Title {key}", "first_seen": OLD, "accounts": [],
        "evidence": [fact("AllowLegacyTLSClients", "True", "transportConfig")], **more,
    }  # fmt: skip


def run(*findings: dict[str, Any], now: str = OLD, **more: Any) -> Run:
    return Run({one["id"]: one for one in findings}, **{"now": now, "datasets": READ, **more})


def one(comparison: Comparison) -> Any:
    (change,) = comparison.findings
    return change


class TestStanding:
    def test_as_before_is_persisting_since_it_was_first_seen(self) -> None:
        change = one(compare(run(finding()), run(finding(first_seen=""), now=NEW)))
        assert (change.kind, change.first_seen, change.facts) == ("persisting", OLD, ())

    def test_not_known_before_is_new_and_seen_first_now(self) -> None:
        change = one(compare(run(), run(finding(first_seen=""), now=NEW)))
        assert (change.kind, change.first_seen) == ("new", NEW)

    def test_each_difference_is_named_with_before_and_after(self) -> None:
        later = finding(severity="high", outcome="waived", evidence=[fact("AllowLegacyTLSClients", "False")])
        change = one(compare(run(finding()), run(later, now=NEW)))
        assert change.kind == "changed"
        assert change.facts == (
            FactChange("severity", "medium", "high"),
            FactChange("outcome", "fail", "waived"),
            FactChange("AllowLegacyTLSClients", "True", "False"),
        )

    def test_where_settings_were_read_and_how_old_they_are_is_no_change(self) -> None:
        read = [fact("readFrom", text) for text in (f"Exchange export, {OLD}", f"Graph configuration snapshot, {NEW}")]
        before, later = finding(evidence=[read[0]]), finding(evidence=[read[1]])
        assert one(compare(run(before), run(later, now=NEW))).kind == "persisting"
        assert one(compare(run(finding(evidence=[])), run(later, now=NEW))).kind == "persisting"

    def test_facts_that_come_or_go_have_one_empty_side(self) -> None:
        changed, aged = fact_changes([fact("a", "1"), fact("b", "2")], [fact("b", "2"), fact("c", "3")])
        assert changed == [FactChange("a", "1", ""), FactChange("c", "", "3")]
        assert aged == []

    def test_a_later_time_alone_is_no_change(self) -> None:
        before = finding(evidence=[fact("smtpLastSuccess", "2026-11-20T08:00:00Z")])
        later = finding(evidence=[fact("smtpLastSuccess", "2027-02-19T08:00:00Z")])
        change = one(compare(run(before), run(later, now=NEW)))
        assert change.kind == "persisting"
        assert change.aged == (FactChange("smtpLastSuccess", "2026-11-20T08:00:00Z", "2027-02-19T08:00:00Z"),)

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ([fact("modifiedDateTime", OLD)], [fact("modifiedDateTime", NEW)]),
            ([fact("smtpLastSuccess", f"a {OLD}")], [fact("smtpLastSuccess", f"b {NEW}")]),
            ([], [fact("smtpLastSuccess", NEW)]),
            ([fact("smtpLastSuccess", OLD)], []),
        ],
    )
    def test_a_time_that_is_set_or_a_use_that_is_new_is_one(self, before: list[Any], after: list[Any]) -> None:
        change = one(compare(run(finding(evidence=before)), run(finding(evidence=after), now=NEW)))
        assert change.kind == "changed"

    def test_log_entries_count_when_they_come_not_when_they_leave_the_window(self) -> None:
        created, deleted = fact("auditEvent", "2026 created"), fact("auditEvent", "2027 deleted")
        changed, aged = fact_changes([created], [deleted])
        assert changed == [FactChange("auditEvent", "", "2027 deleted")]
        assert aged == [FactChange("auditEvent", "2026 created", "")]
        assert fact_changes([created], []) == ([], [FactChange("auditEvent", "2026 created", "")])

    def test_members_are_compared_though_their_number_is_the_same(self) -> None:
        names = {"a": ("anna@x.example", "user", "false", "open"), "b": ("bert@x.example", "user", "false", "open")}
        change = one(
            compare(
                run(finding(accounts=["a"], evidence=[fact("accountNames", "anna")]), accounts=names),
                run(finding(accounts=["b"], evidence=[fact("accountNames", "bert")]), now=NEW, accounts=names),
            )
        )
        assert change.facts == (
            FactChange("accounts that joined", "", "bert@x.example"),
            FactChange("accounts that left", "anna@x.example", ""),
        )

    def test_many_members_are_counted(self) -> None:
        change = one(compare(run(finding()), run(finding(accounts=[f"{n:02}" for n in range(13)]), now=NEW)))
        assert change.facts[0].after.endswith("08, 09 and 3 more")

    def test_what_the_calendar_brought_is_said(self) -> None:
        before = finding(evidence=[fact("basicToday", "open"), fact("basic-auth-retirement", "not yet")])
        after = [fact("basicToday", "conditional"), fact("basic-auth-retirement", "now")]
        assert one(compare(run(before), run(finding(evidence=after), now=NEW))).note == BY_DATE
        after.append(fact("account", "another"))
        assert one(compare(run(before), run(finding(evidence=after), now=NEW))).note == ""

    def test_evidence_that_one_run_does_not_hold_is_not_compared(self) -> None:
        assert one(compare(run(finding(evidence=None, accounts=None)), run(finding(), now=NEW))).kind == "persisting"


class TestGone:
    def test_a_fix_is_one_when_everything_behind_it_was_read(self) -> None:
        comparison = compare(run(finding()), run(now=NEW))
        change = one(comparison)
        assert (change.kind, change.last_seen, change.first_seen) == ("fixed", OLD, OLD)
        assert comparison.gone[change.id]["state"] == "fixed"

    @pytest.mark.parametrize("state", ["denied", "failed", "cut", "not-asked"])
    @pytest.mark.parametrize("dataset", ["transportConfig", "users"])
    def test_without_its_data_it_could_not_be_checked(self, state: str, dataset: str) -> None:
        change = one(compare(run(finding()), run(now=NEW, datasets=READ | {dataset: state})))
        assert change.kind == "not-checked"
        assert change.note == f"Not read whole this time: {dataset} ({state})."

    def test_data_that_its_evidence_names_count_too(self) -> None:
        before = finding("sender-blocked", object_type="sender", evidence=[fact("x", "y", "casMailboxes, signIns")])
        senders = {"0": {"verdict": "open"}}
        lost = READ | {"signIns": "denied"}
        assert one(compare(run(before), run(now=NEW, datasets=lost, senders=senders))).kind == "not-checked"
        assert one(compare(run(before), run(now=NEW, senders=senders))).kind == "fixed"

    @pytest.mark.parametrize("state", ["denied", "not-asked"])
    def test_data_that_were_missing_already_are_not_behind_it(self, state: str) -> None:
        lacking = READ | {"transportConfig": state}
        before = finding(evidence=[])
        assert one(compare(run(before, datasets=lacking), run(now=NEW, datasets=lacking))).kind == "fixed"
        cut = READ | {"transportConfig": "cut"}
        assert one(compare(run(before, datasets=cut), run(now=NEW, datasets=cut))).kind == "not-checked"

    def test_where_nobody_knows_what_was_read_nothing_is_a_fix(self) -> None:
        assert one(compare(run(finding()), run(now=NEW, datasets={}))).kind == "not-checked"

    def test_a_rule_that_is_no_more_is_no_fix(self) -> None:
        assert "no such rule" in one(compare(run(finding("retired-rule")), run(now=NEW))).note

    @pytest.mark.parametrize(
        ("senders", "words"),
        [
            ({}, "no longer declared"),
            ({"0": {"verdict": "missing"}}, "account was not found"),
            ({"0": {"verdict": "unknown"}}, "verdict is unknown"),
        ],
    )
    def test_a_sender_that_was_not_judged_is_not_fixed(self, senders: dict[str, Any], words: str) -> None:
        before = finding("sender-blocked", object_type="sender", evidence=[])
        change = one(compare(run(before), run(now=NEW, senders=senders)))
        assert change.kind == "not-checked"
        assert words in change.note

    def test_an_exposure_that_became_unknown_is_not_closed(self) -> None:
        before = finding("exposed-account", object_type="account", accounts=["0"], evidence=[])
        unknown = {"0": ("anna@x.example", "user", "false", "unknown")}
        change = one(compare(run(before), run(now=NEW, accounts=unknown)))
        assert (change.kind, change.note) == (
            "not-checked", "The exposure is unknown this time of: anna@x.example.",
        )  # fmt: skip
        closed = {"0": ("anna@x.example", "user", "false", "closed")}
        assert one(compare(run(before), run(now=NEW, accounts=closed))).kind == "fixed"
        deleted = one(compare(run(before), run(now=NEW, accounts={})))
        assert (deleted.kind, deleted.note) == ("fixed", "The account no longer exists.")


def chain(*runs: Run) -> list[Comparison]:
    """Each run compared with the one before it, which knows what those before it said."""
    told: list[Comparison] = []
    before = runs[0]
    for after in runs[1:]:
        told.append(compare(before, after))
        seen = {change.id: change.first_seen for change in told[-1].findings}
        known = {key: {**value, "first_seen": seen[key]} for key, value in after.findings.items()}
        before = Run(known, told[-1].gone, now=after.now, datasets=after.datasets)
    return told


class TestChain:
    DAYS = ("2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z", "2026-10-01T00:00:00Z")

    def test_what_was_fixed_and_stands_again_has_returned(self) -> None:
        first, second, third, fourth = self.DAYS
        told = chain(run(finding(first_seen=first), now=first), run(now=second), run(now=third),
                     run(finding(first_seen=""), now=fourth))  # fmt: skip
        assert [[change.kind for change in each.findings] for each in told] == [["fixed"], [], ["returned"]]
        change = one(told[2])
        assert (change.first_seen, change.note) == (first, "It was not found on 2026-04-01.")
        assert told[2].gone == {}

    def test_what_could_not_be_checked_has_not_returned(self) -> None:
        first, second, third, fourth = self.DAYS
        lost = READ | {"transportConfig": "denied"}
        told = chain(run(finding(first_seen=first), now=first), run(now=second, datasets=lost),
                     run(now=third, datasets=lost), run(finding(first_seen=""), now=fourth))  # fmt: skip
        assert [one(each).kind for each in told] == ["not-checked", "not-checked", "persisting"]
        assert "could not be checked on 2026-04-01" in one(told[2]).note
        assert one(told[2]).first_seen == first

    def test_it_is_fixed_when_its_data_are_read_again_without_it(self) -> None:
        first, second, third, fourth = self.DAYS
        lost = READ | {"transportConfig": "denied"}
        told = chain(run(finding(first_seen=first), now=first), run(now=second, datasets=lost), run(now=third),
                     run(now=fourth))  # fmt: skip
        assert [[change.kind for change in each.findings] for each in told] == [["not-checked"], ["fixed"], []]
        assert one(told[1]).last_seen == first

    def test_what_changed_while_nobody_could_look_is_named(self) -> None:
        first, second, third, _ = self.DAYS
        lost = READ | {"transportConfig": "denied"}
        told = chain(run(finding(first_seen=first), now=first), run(now=second, datasets=lost),
                     run(finding(severity="high"), now=third))  # fmt: skip
        assert (one(told[1]).kind, one(told[1]).facts) == ("changed", (FactChange("severity", "medium", "high"),))

    def test_a_newer_run_that_knows_more_than_the_older_is_believed(self) -> None:
        change = one(compare(run(), run(finding(first_seen="2026-01-01T00:00:00Z"), now=NEW)))
        assert change.kind == "returned"


class TestObjects:
    def test_senders_accounts_policies_and_datasets_that_came_went_and_changed(self) -> None:
        old = run(
            senders={"s": {"name": "scanner", "verdict": "blocked"}, "t": {"name": "till", "verdict": "open"}},
            accounts={"a": ("anna", "user", "false", "open"), "b": ("bert", "user", "false", "open")},
            policies={"p": {"name": "Block", "state": "enabled", "modified": "x"}},
        )
        new = run(
            now=NEW,
            senders={"s": {"name": "scanner", "verdict": "open"}, "u": {"name": "ups", "verdict": "open"}},
            accounts={"a": ("anna", "user", "true", "closed"), "c": ("carl", "user", "false", "open")},
            policies={"p": {"name": "Block", "state": "disabled", "modified": "x"}},
            datasets=READ | {"signIns": "denied"},
        )
        comparison = compare(old, new)
        told = [(thing.subject, thing.kind, thing.name, *(fact.name for fact in thing.facts))
                for thing in comparison.objects]  # fmt: skip
        assert told == [
            ("sender", "changed", "scanner", "verdict"),
            ("sender", "removed", "till", "verdict"),
            ("sender", "new", "ups", "verdict"),
            ("account", "changed", "anna", "is_admin", "exposure"),
            ("account", "removed", "bert", "kind", "is_admin", "exposure"),
            ("account", "new", "carl", "kind", "is_admin", "exposure"),
            ("policy", "changed", "Block", "state"),
            ("dataset", "changed", "signIns", "state"),
        ]
        assert comparison.not_compared == ()

    def test_what_one_run_does_not_hold_is_said(self) -> None:
        comparison = compare(run(accounts={}), run(now=NEW, accounts=None, senders={}, datasets={}))
        assert comparison.objects == ()
        assert comparison.not_compared == ("senders", "accounts", "policies", "datasets")


def findings_of(keys: frozenset[int], severities: dict[int, str]) -> list[dict[str, Any]]:
    return [finding(key=str(key), severity=severities[key]) for key in keys]


@given(
    st.frozensets(st.integers(0, 8)), st.frozensets(st.integers(0, 8)),
    st.lists(st.sampled_from(["low", "high"]), min_size=18, max_size=18),
)  # fmt: skip
def test_every_finding_of_either_run_has_exactly_one_word(
    old: frozenset[int], new: frozenset[int], severities: list[str]
) -> None:
    before, after = dict(enumerate(severities[:9])), dict(enumerate(severities[9:]))
    comparison = compare(run(*findings_of(old, before)), run(*findings_of(new, after), now=NEW))
    kinds = {int(change.id.rpartition("-")[2]): change.kind for change in comparison.findings}
    assert len(comparison.findings) == len(kinds) == sum(comparison.counts.values())
    assert {key for key, kind in kinds.items() if kind == "fixed"} == old - new == {
        int(key.rpartition("-")[2]) for key in comparison.gone
    }  # fmt: skip
    assert all(kinds[key] == ("persisting" if before[key] == after[key] else "changed") for key in old & new)
    assert {kinds[key] for key in new - old} <= {"new", "returned"}
    again = compare(run(*findings_of(new, after), now=NEW), run(*findings_of(new, after), now=NEW))
    assert {change.kind for change in again.findings} <= {"persisting"}
