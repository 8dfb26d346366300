"""Remediation: every rule and blocker has steps, and each says where, how, what it risks and how it is undone."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from auditor.blockers import BLOCKERS
from auditor.cli import COMMANDS
from auditor.findings import RULES
from auditor.report import remediation
from auditor.report.cells import Link
from auditor.report.steps import CENTERS, STEPS, Step

ALL = {step for steps in STEPS.values() for step in steps}

CMDLETS = {
    "Add-MailboxPermission", "Add-RecipientPermission", "Connect-ExchangeOnline", "Format-List", "Get-Mailbox",
    "Get-MessageTraceV2", "Get-Recipient", "Invoke-MgGraphRequest", "New-AuthenticationPolicy", "New-InboundConnector",
    "New-ManagementRoleAssignment", "New-ManagementScope", "New-ServicePrincipal", "Remove-AuthenticationPolicy",
    "Remove-InboundConnector", "Remove-MailboxPermission", "Remove-ManagementRoleAssignment", "Remove-ManagementScope",
    "Remove-RecipientPermission", "Remove-ServicePrincipal", "Set-CASMailbox", "Set-OrganizationConfig",
    "Set-TransportConfig", "Set-User", "Test-NetConnection",
}  # fmt: skip
"""Cmdlets that Microsoft documents; a new one is looked up there before it is added here."""


def rows(evaluation: object) -> list[dict[str, object]]:
    names = [field.header for field in remediation.FIELDS]
    written = remediation.remediation_rows(evaluation)  # type: ignore[arg-type]
    return [dict(zip(names, row, strict=True)) for row in written]


def test_every_rule_and_every_blocker_has_steps_and_nothing_else() -> None:
    assert set(STEPS) == {rule.id for rule in RULES} | {blocker.id for blocker in BLOCKERS}
    assert all(STEPS.values())


@pytest.mark.parametrize("step", sorted(ALL, key=lambda step: step.what), ids=lambda step: step.what[:40])
def test_a_step_says_where_how_at_what_risk_and_how_to_undo_it(step: Step) -> None:
    assert all((step.what, step.where, step.command, step.risk, step.undo))
    used = set(re.findall(r"\b[A-Z][a-z]+-[A-Z][A-Za-z0-9]+\b", f"{step.command} {step.undo}"))
    assert used <= CMDLETS
    own = set(re.findall(r"\bauditor ([a-z-]+)", f"{step.command} {step.undo}"))
    assert own <= set(COMMANDS)
    assert step.command.count("{") == step.command.count("}")
    assert step.command.count("'") % 2 == 0


CHANGING = re.compile(r"^(Set|New|Add|Remove)-|-Method (PATCH|DELETE)|assignLicense")


def test_what_changes_the_tenant_is_undone_by_a_command_or_a_page_and_has_a_risk() -> None:
    changing = [step for step in ALL if CHANGING.search(step.command)]
    assert len(changing) > 20
    for step in changing:
        assert not step.risk.startswith("None: "), step.what
        assert not step.undo.startswith("Nothing"), step.what


def test_admin_centers_are_known_by_the_first_words_of_the_way() -> None:
    addresses = {step.address for step in ALL}
    assert addresses == {*CENTERS.values(), ""}
    for step in ALL:
        assert bool(step.address) == any(step.where.startswith(name) for name in CENTERS)


BAD_ADVICE = (
    r"(disable|turn off|switch off) security defaults",
    r"(use|make|create) an app password",
    r"SmtpClientAuthenticationDisabled \$false`? (for|on|in) the (whole )?organi[sz]ation",
)


def test_no_step_gives_the_known_bad_advice() -> None:
    for step in ALL:
        for pattern in BAD_ADVICE:
            assert not re.search(pattern, f"{step.what} {step.command}", re.IGNORECASE), step.what
    opening = [step for step in ALL if step.command.startswith("Set-TransportConfig") and "$false" in step.command]
    assert {step.command for step in opening} == {"Set-TransportConfig -AllowLegacyTLSClients $false"}


def test_the_sheet_holds_each_rule_that_found_something_and_every_blocker(make: SimpleNamespace) -> None:
    references = tuple(f"https://learn.microsoft.com/{number}" for number in range(4))
    findings = [
        make.finding("exposed-account", object_id="1", accounts=(0, 1), references=references),
        make.finding("exposed-account", object_id="2", accounts=(1, 2)),
        make.finding("sender-blocked", severity="critical"),
    ]
    told = rows(make.evaluation(findings))
    assert list(dict.fromkeys(row["Id"] for row in told)) == [
        "sender-blocked", "exposed-account", *(blocker.id for blocker in BLOCKERS),
    ]  # fmt: skip
    several = [row for row in told if row["Id"] == "exposed-account"]
    assert [row["Step"] for row in several] == list(range(1 + len(STEPS["exposed-account"])))
    assert {(row["Findings"], row["Accounts"]) for row in several} == {(2, 3)}
    rule = next(rule for rule in RULES if rule.id == "exposed-account")
    assert (several[0]["What to do"], several[0]["Risk"]) == (rule.remedy, rule.remedy_risk)
    assert all(row["PowerShell"] and row["Where"] and row["How to undo it"] for row in several[1:])
    assert several[2]["Admin center"] == Link("https://admin.microsoft.com", "https://admin.microsoft.com")
    assert several[0]["Reference 1"] == Link(references[0], references[0])
    assert several[0]["More references"] == "\n".join(references[2:])


def test_a_finding_that_stands_alone_keeps_its_own_remedy(make: SimpleNamespace) -> None:
    first, *_ = rows(make.evaluation([make.finding("sender-blocked", title="One", remedy="Only this.")]))
    assert (first["Title"], first["What to do"]) == ("One", "Only this.")


def test_links_lead_to_the_first_row_of_a_rule_also_in_a_second_sheet(make: SimpleNamespace) -> None:
    findings = [make.finding("sender-blocked", severity="critical"), make.finding("data-problem")]
    size = 1 + len(STEPS["sender-blocked"])
    assert remediation.remediation_targets(findings, 100)["data-problem"] == f"#'Remediation'!A{size + 2}"
    assert remediation.remediation_targets(findings, size + 1)["data-problem"] == "#'Remediation (2)'!A2"


def test_only_https_references_become_links() -> None:
    assert remediation.link("https://learn.microsoft.com/x") == Link(
        "https://learn.microsoft.com/x", "https://learn.microsoft.com/x"
    )
    assert remediation.link("MC786329") == "MC786329"
    assert remediation.link("file:///etc/passwd") == "file:///etc/passwd"
