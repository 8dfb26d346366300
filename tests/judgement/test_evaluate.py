"""evaluate: order, waivers, the previous run, coverage, and the same bytes for the same inputs."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from auditor.catalogue import CATALOGUE
from auditor.config import ExchangeConfig, TenantConfig, Waiver
from auditor.errors import ConfigError, UsageError
from auditor.evaluate import Previous
from auditor.findings import evidence_text, to_json
from auditor.findings.base import finding_id
from auditor.previous import load_previous
from auditor.triage import Triage

KEYS = [
    "id", "rule", "severity", "outcome", "object_type", "object_id", "object_name", "title", "evidence", "remedy",
    "remedy_risk", "references", "controls", "first_seen", "change", "accounts",
]  # fmt: skip


def document(evaluation) -> bytes:
    return json.dumps([to_json(finding, evaluation.judgement) for finding in evaluation.findings]).encode()


def previous(evaluation) -> Previous:
    return Previous({finding.id: to_json(finding, evaluation.judgement) for finding in evaluation.findings})


@pytest.mark.parametrize("scenario", ["default", "security-defaults", "no-exchange", "after-retirement"])
def test_ids_are_unique_stable_and_sorted(demo, scenario):
    evaluation = demo(scenario)
    ids = [finding.id for finding in evaluation.findings]
    assert ids == sorted(set(ids))
    tenant_id = evaluation.judgement.tenant.tenant_id
    assert ids == [finding_id(f.rule, tenant_id, f.object_id) for f in evaluation.findings]


def test_the_form_of_findings_json(demo):
    evaluation = demo()
    known = set(evaluation.judgement.tenant.accounts.id)
    for finding in evaluation.findings:
        form = to_json(finding, evaluation.judgement)
        assert list(form) == KEYS
        assert form["evidence"]
        assert all(set(fact) == {"name", "value", "dataset"} for fact in form["evidence"])
        assert set(form["accounts"]) <= known
        assert form["change"] == "new"
        assert form["first_seen"] == "2026-11-23T16:00:00Z"
        assert form["evidence"][0]["name"] in evidence_text(finding)


def test_the_same_inputs_give_the_same_bytes(world):
    world.add("anna", switch=False, admin=True)
    world.add("bert", switch=False, smtp_app=True)
    senders = (world.sender("bert"), world.sender("gone"))
    assert document(world.judge(*senders)) == document(world.judge(*senders))


def test_object_ids_ignore_letter_case_in_the_finding_id():
    assert finding_id("rule", "T", "AbC") == finding_id("rule", "t", "aBc")
    assert finding_id("rule", "t", "a") != finding_id("rule", "t", "b")


class TestPrevious:
    def test_new_persisting_changed_gone(self, world):
        world.add("anna", switch=False, admin=True)
        first = world.judge()
        later = datetime(2026, 12, 1, tzinfo=UTC)
        again = world.judge(now=later, previous=previous(first))
        [anna] = [finding for finding in again.findings if finding.rule == "exposed-account"]
        assert anna.change == "persisting"
        assert anna.first_seen == "2026-11-23T16:00:00Z"
        world.data["userRegistrationDetails"][-1]["isMfaRegistered"] = False
        world.add("bert", switch=False)
        third = world.judge(now=later, previous=previous(first))
        [anna] = [
            finding for finding in third.findings if finding.rule == "exposed-account" and "anna" in finding.title
        ]
        assert anna.change == "changed", "its evidence differs"
        assert anna.first_seen == "2026-11-23T16:00:00Z"
        [bert] = [finding for finding in third.findings if "bert" in finding.title]
        assert (bert.change, bert.first_seen) == ("new", "2026-12-01T00:00:00Z")
        world.data["casMailboxes"][-1]["SmtpClientAuthenticationDisabled"] = True
        fourth = world.judge(now=later, previous=previous(third))
        assert not [finding for finding in fourth.findings if "bert" in finding.title]

    def test_a_previous_run_of_a_later_moment_is_told(self, world):
        world.add("anna", switch=False)
        later = Previous({}, now="2027-01-01T00:00:00Z")
        evaluation = world.judge(previous=later)
        assert {finding.change for finding in evaluation.findings} == {"new"}
        assert "later moment (2027-01-01T00:00:00Z)" in evaluation.remarks[-1].text

    def test_triage_of_an_id_that_no_run_knows_is_told_with_what_it_said(self, world):
        world.add("anna", switch=False)
        [known] = [found.id for found in world.judge().findings if found.rule == "exposed-account"]
        typed = {known: Triage(status="Fixed"), "x-0": Triage(owner="Ann"), "y-0": Triage()}
        evaluation = world.judge(previous=Previous({}, triage=typed))
        assert evaluation.triage == {known: Triage(status="Fixed")}
        assert [(remark.finding, remark.text) for remark in evaluation.remarks] == [
            ("x-0", "No run knows this finding, so its triage was not carried over (Owner: Ann)."),
            (known, "Status is Fixed, but it still stands."),
        ]

    def test_a_status_that_a_waiver_of_the_config_overrules_is_told(self, world):
        world.add("anna", switch=False)
        [known] = [found.id for found in world.judge().findings if found.rule == "exposed-account"]
        waiver = Waiver(rule="exposed-account", owner="o", reason="r", until="2027-01-01")
        evaluation = world.judge(previous=Previous({}, triage={known: Triage(status="In progress")}), waivers=(waiver,))
        assert [remark.text for remark in evaluation.remarks] == [
            "Status is In progress, but a waiver of the config accepts it.",
        ]
        assert [use.use for use in evaluation.waivers] == ["used"]

    def test_a_run_of_another_tenant_is_refused_by_id_or_by_its_findings(self, world):
        world.add("anna", switch=False)
        mine = world.judge()
        tenant_id = mine.judgement.tenant.tenant_id
        with pytest.raises(UsageError, match="another tenant"):
            world.judge(previous=Previous({}, tenant_id="other"))
        world.judge(previous=Previous({}, tenant_id=tenant_id.upper()))
        foreign = {
            key: {**found, "id": finding_id(found["rule"], "other", found["object_id"])}
            for key, found in previous(mine).findings.items()
        }
        with pytest.raises(UsageError, match="by the ids of its findings"):
            world.judge(previous=Previous({found["id"]: found for found in foreign.values()}))

    def test_a_waiver_is_a_change_of_outcome(self, world):
        world.add("anna", switch=False)
        first = world.judge()
        waiver = Waiver(rule="exposed-account", owner="o", reason="r", until="2027-01-01")
        [finding] = [f for f in world.judge(previous=previous(first), waivers=(waiver,)).findings
                     if f.rule == "exposed-account"]  # fmt: skip
        assert (finding.outcome, finding.change) == ("waived", "changed")

    def test_load_reads_a_runs_folder_or_file(self, tmp_path):
        (tmp_path / "findings.json").write_text(json.dumps({"findings": [{"id": "a-1", "severity": "low"}]}))
        assert load_previous(tmp_path).findings == {"a-1": {"id": "a-1", "severity": "low"}}
        assert load_previous(tmp_path / "findings.json") == load_previous(tmp_path)

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (None, "cannot be read"),
            ("{", "no JSON"),
            ("[]", "no list under `findings`"),
            ('{"findings": 3}', "no list under `findings`"),
            ('{"findings": [{"rule": "x"}]}', r"findings\[0\] has no `id`"),
        ],
    )
    def test_load_refuses_what_is_no_run(self, tmp_path, text, problem):
        if text is not None:
            (tmp_path / "findings.json").write_text(text)
        with pytest.raises(UsageError, match=problem):
            load_previous(tmp_path)


class TestWaivers:
    def outcome(self, world, until="2026-12-31", obj="", rule="exposed-account", **more):
        waiver = Waiver(rule=rule, object=obj, owner="it@contoso.example", reason="being moved", until=until)
        [finding] = [f for f in world.judge(waivers=(waiver,), **more).findings if f.rule == "exposed-account"]
        return finding

    def test_a_waiver_marks_and_never_hides(self, world):
        world.add("anna", switch=False)
        finding = self.outcome(world)
        assert finding.outcome == "waived"
        assert "until 2026-12-31: it@contoso.example, being moved" in evidence_text(finding)

    @pytest.mark.parametrize("obj", ["id-anna", "ID-ANNA", "Anna@contoso.example", ""])
    def test_objects_by_id_or_name(self, world, obj):
        world.add("anna", switch=False)
        assert self.outcome(world, obj=obj).outcome == "waived"

    def test_by_finding_id(self, world):
        world.add("anna", switch=False)
        assert self.outcome(world, obj=self.outcome(world, obj="nobody").id).outcome == "waived"

    @pytest.mark.parametrize("more", [{"obj": "bert@contoso.example"}, {"rule": "legacy-tls-allowed"}])
    def test_another_object_or_rule_is_not_waived(self, world, more):
        world.add("anna", switch=False)
        assert self.outcome(world, **more).outcome == "fail"

    def test_the_last_day_counts_and_the_next_does_not(self, world):
        world.add("anna", switch=False)
        day = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
        assert self.outcome(world, now=day).outcome == "waived"
        lapsed = self.outcome(world, now=datetime(2027, 1, 1, tzinfo=UTC))
        assert lapsed.outcome == "fail"
        assert "lapsed on 2026-12-31" in evidence_text(lapsed)

    def test_no_day_of_the_calendar(self, world):
        world.add("anna", switch=False)
        with pytest.raises(ConfigError, match=r"waivers\[0\].until: `2026-13-01`"):
            self.outcome(world, until="2026-13-01")


class TestCoverage:
    def test_a_row_for_every_dataset_in_catalogue_order(self, demo):
        rows = demo().coverage
        assert [row.dataset for row in rows] == [dataset.name for dataset in CATALOGUE]
        assert all(row.remedy == "" for row in rows if row.state == "complete")
        assert all(row.remedy for row in rows if row.state != "complete")

    def test_a_gap_counts_accounts_and_names_what_opens_it(self, world):
        world.add("anna", switch=False)
        world.lose("identitySecurityDefaultsEnforcementPolicy", permission="Policy.Read.All")
        rows = {row.dataset: row for row in world.judge().coverage}
        row = rows["identitySecurityDefaultsEnforcementPolicy"]
        assert (row.state, row.unknown_accounts, row.decides) == ("denied", 2, ("security-defaults",))
        assert "Policy.Read.All" in row.remedy
        assert rows["users"].unknown_accounts == 0

    @pytest.mark.parametrize(
        ("dataset", "state", "permission", "words"),
        [
            ("casMailboxes", "denied", "Exchange.ManageAsApp", "Global Reader"),
            ("casMailboxes", "not-asked", "", "exchange-script"),
            ("userRegistrationDetails", "denied", "Entra ID P1", "no permission helps"),
            ("users", "cut", "", "--resume"),
            ("signIns", "not-asked", "", "Optional"),
            ("domains", "not-asked", "", "Domain.Read.All"),
        ],
    )
    def test_what_closes_a_gap(self, world, dataset, state, permission, words):
        world.lose(dataset, state, permission)
        rows = {row.dataset: row for row in world.judge().coverage}
        assert words in rows[dataset].remedy

    @pytest.mark.parametrize(
        ("entry", "words"),
        [
            ({"state": "cut", "source": "Exchange export by an administrator: a.json"}, "export casMailboxes again"),
            ({"state": "cut", "source": "Graph configuration snapshot: x of y"}, "name a further source"),
            ({"state": "complete", "source": "export", "as_of": "2026-01-01T00:00:00Z"}, "export casMailboxes again"),
            ({"state": "denied", "permission": "ConfigurationMonitoring.Read.All"}, "on Microsoft Graph"),
            ({"state": "denied", "permission": "View-Only Configuration for the administrator"}, "Export again with"),
        ],
    )
    def test_what_closes_a_gap_of_exchange_follows_its_source(self, world, entry, words):
        world.add("anna", switch=False)
        world.states["casMailboxes"] = entry
        [remedy] = [row.remedy for row in world.judge().coverage if row.dataset == "casMailboxes"]
        assert words in remedy
        assert "--resume" not in remedy


def test_the_configs_cloud_counts_for_a_hand_made_folder(world):
    world.add("anna", switch=False)
    snapshot = world.write()
    (snapshot.folder / "manifest.json").unlink()
    tenant = TenantConfig(name="t", tenant_id="t", cloud="china")
    evaluation = world.judge_folder(snapshot.folder, tenants=(tenant,))
    assert evaluation.judgement.tenant.cloud == "china"
    assert world.judge(tenants=(tenant,)).judgement.tenant.cloud == "public", "the manifest knows better"


def test_old_exports_follow_the_config(world):
    world.add("anna", switch=False)
    world.states["casMailboxes"] = {"state": "complete", "source": "export", "as_of": "2026-10-01T00:00:00Z"}
    old = world.judge()
    assert not old.judgement.tenant.complete("casMailboxes")
    assert world.judge(exchange=ExchangeConfig(max_age_days=90)).judgement.tenant.complete("casMailboxes")


def test_with_several_tenants_a_sender_is_judged_in_its_own(world):
    """By its key, else by the account, else by the domain; where nothing tells, it is judged and missing."""
    world.add("anna", switch=False)
    world.data["organization"][0]["verifiedDomains"] = [{"name": "Contoso.example", "isDefault": True}]
    tenants = (
        TenantConfig(name="Contoso", tenant_id=world.tenant_id),
        TenantConfig(name="Fabrikam", tenant_id="22222222-2222-4222-8222-222222222222"),
    )
    senders = (
        world.sender("anna"),
        world.sender("gone"),
        world.sender("theirs", account="scanner@fabrikam.example"),
        world.sender("named", account="scanner@fabrikam.example", tenant="contoso"),
        world.sender("other", account="anna@contoso.example", tenant="Fabrikam"),
        world.sender("by id", account="33333333-3333-4333-8333-333333333333"),
    )

    def here(**organization):
        world.data["organization"][0] |= organization
        judgement = world.judge(*senders, tenants=tenants).judgement
        assert [sender.name for sender in judgement.missing_senders] == [
            sender.name for sender in judgement.senders if sender.name != "anna" and sender.name != "other"
        ]
        return [sender.name for sender in judgement.senders]

    assert here() == ["anna", "gone", "named", "by id"]
    assert here(verifiedDomains=None) == ["anna", "gone", "theirs", "named", "by id"]
    alone = world.judge(*senders, tenants=tenants[:1]).judgement
    assert [sender.name for sender in alone.senders] == [sender.name for sender in senders]


def test_a_tenant_that_the_config_names_by_its_domain_has_its_senders(world):
    world.data["organization"][0]["verifiedDomains"] = [{"name": "contoso.example"}]
    tenants = (
        TenantConfig(name="A", tenant_id="contoso.example"),
        TenantConfig(name="B", tenant_id="fabrikam.example"),
    )
    mine, theirs = world.sender("anna", tenant="A"), world.sender("bert", tenant="B")
    assert world.judge(mine, theirs, tenants=tenants).judgement.senders == (mine,)
