from __future__ import annotations

from types import SimpleNamespace

from auditor.report.order import by_urgency


def test_standing_before_waived_then_severity_certainty_reach_and_id(make: SimpleNamespace) -> None:
    expected = [
        make.finding("a-critical", severity="critical"),
        make.finding("b-high", accounts=(1, 2)),
        make.finding("c-high", accounts=(1,)),
        make.finding("c-high-unsure", outcome="unknown", accounts=(1, 2, 3)),
        make.finding("d-low", severity="low"),
        make.finding("d-low", severity="low", object_id="other"),
        make.finding("a-waived", severity="critical", outcome="waived"),
    ]
    expected[4:6] = sorted(expected[4:6], key=lambda finding: finding.id)
    assert by_urgency(reversed(expected)) == expected
