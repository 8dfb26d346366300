from __future__ import annotations

from types import SimpleNamespace

from auditor.config import Sender
from auditor.report.figures import figures

SENDERS = (
    Sender(name="a", account="person0@contoso.example"),
    Sender(name="b", account="person1@contoso.example", auth="oauth"),
    Sender(name="c", account="nobody@contoso.example"),
)


def test_accounts_are_counted_by_verdict_and_exposure(make: SimpleNamespace) -> None:
    found = figures(make.evaluation(count=11, senders=SENDERS))
    assert found.accounts == 11
    assert found.verdicts == {
        "blocked": (3, 3), "unknown": (2, 2), "conditional": (2, 2), "open": (2, 2), "not_applicable": (2, 2),
    }  # fmt: skip
    # exposure goes round closed, limited, unknown, open; account 1 is the administrator, 0 and 1 are senders
    assert found.exposure == {"open": (2, 0, 0), "limited": (3, 1, 1), "unknown": (3, 0, 0), "closed": (3, 0, 1)}


def test_senders_are_counted_by_the_channel_they_use(make: SimpleNamespace) -> None:
    found = figures(make.evaluation(senders=SENDERS))
    assert (found.senders, found.senders_missing) == (3, 1)
    assert found.senders_by_verdict == {"blocked": 1, "unknown": 0, "conditional": 0, "open": 1, "not_applicable": 0}
    assert (found.breaking, found.breaking_unknown) == (1, 0)


def test_findings_are_counted_by_severity_and_outcome(make: SimpleNamespace) -> None:
    findings = [
        make.finding("a", severity="critical"),
        make.finding("b", severity="critical", outcome="waived"),
        make.finding("c", severity="info", outcome="unknown"),
    ]
    found = figures(make.evaluation(findings)).findings
    assert found == {
        "critical": (1, 0, 1), "high": (0, 0, 0), "medium": (0, 0, 0), "low": (0, 0, 0), "info": (0, 1, 0),
    }  # fmt: skip


def test_the_first_things_to_do_are_one_per_rule_and_never_waived(make: SimpleNamespace) -> None:
    findings = [
        make.finding("waived", severity="critical", outcome="waived"),
        make.finding("note", severity="info"),
        *(make.finding("many", severity="critical", object_id=f"o{n}", accounts=(n, n + 1)) for n in range(3)),
        *(make.finding(f"rule{n}", severity="low") for n in range(6)),
    ]
    actions = figures(make.evaluation(findings)).actions
    assert len(actions) == 5
    assert actions[0].finding.rule == "many"
    assert (actions[0].more, actions[0].accounts) == (2, 4)
    assert not {"waived", "note"} & {action.finding.rule for action in actions}


def test_gaps_are_gathered_by_cause(make: SimpleNamespace) -> None:
    found = figures(make.evaluation([], "casMailboxes", "signIns"))
    (gap,) = found.gaps
    assert gap.datasets == ("signIns", "casMailboxes")
    assert (gap.state, gap.blockers, gap.unknown_accounts) == ("denied", ("mailbox",), 2)
    assert found.datasets_asked - found.datasets_complete == 2


def test_nothing_read_gives_zeros(make: SimpleNamespace) -> None:
    found = figures(make.evaluation([], "users", count=0))
    assert found.accounts == 0
    assert set(found.verdicts.values()) == {(0, 0)}
    assert set(found.exposure.values()) == {(0, 0, 0)}
    assert found.actions == ()
