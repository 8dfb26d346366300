"""accounts.csv: the contract's columns, and what stands in them."""

from __future__ import annotations

import pytest

from auditor import accounts
from auditor.blockers import BLOCKERS
from auditor.replies import by_id
from auditor.states import State
from auditor.verdict import DECIDING_ORDER


def table(judgement) -> dict[str, dict[str, str]]:
    """User principal name's local part → its row."""
    rows = [dict(zip(accounts.COLUMNS, row, strict=True)) for row in accounts.rows(judgement)]
    return {row["user_principal_name"].partition("@")[0]: row for row in rows}


def test_columns_are_the_contracts(root):
    contract = root.parent / "shared" / "contract" / "contract.md"
    if not contract.is_file():
        pytest.skip("the contract is not beside this checkout")
    text = contract.read_text(encoding="utf-8")
    ids = text[text.index("Blocker ids: ") :].partition(".")[0]
    assert [part.strip("` \n") for part in ids.removeprefix("Blocker ids: ").split(",")] == list(accounts.BLOCKER_IDS)
    section = text[text.index("## accounts.csv") : text.index("Blocker ids: ")]
    assert all(f"`{column}`" in section for column in accounts.COLUMNS[:23])


def test_one_column_per_blocker():
    assert set(accounts.BLOCKER_IDS) == {blocker.id for blocker in BLOCKERS} == set(DECIDING_ORDER)
    assert accounts.COLUMNS[-14:] == accounts.BLOCKER_IDS
    assert len(set(accounts.COLUMNS)) == len(accounts.COLUMNS)


def test_a_row_whole(world):
    world.add("anna", switch=False, admin=True, methods=("mobilePhone", "fido2SecurityKey"), smtp_app=True)
    world.sign_in("anna", 50126, days=3)
    world.sign_in("anna", 50126, days=2)
    world.sign_in("anna", 50053, days=2.5)
    world.sign_in("anna", days=1)
    row = table(world.judge(world.sender("anna")).judgement)["anna"]
    assert row == {
        "user_id": "id-anna",
        "user_principal_name": "anna@contoso.example",
        "display_name": "anna",
        "kind": row["kind"],
        "is_admin": "true",
        "sender": "true",
        "basic": "open",
        "oauth": "unknown",
        "breaks_at_retirement": "true",
        "deciding_blocker": "",
        "likely_replies": "",
        "safest_exit": "oauth-app-only",
        "exposure": "open",
        "password_guessing": "open",
        "smtp_last_success": "2026-11-22T16:00:00Z",
        "smtp_last_failure": "2026-11-21T16:00:00Z",
        "smtp_failure_codes": "50126 50053",
        "smtp_evidence": "last success 2026-11-22T16:00:00Z in signIns; SMTP use reported in emailAppUsage or "
        "smtpAuthClients; last refusal 2026-11-21T16:00:00Z in signIns",
        "mfa_registered": "true",
        "methods_registered": "fido2SecurityKey, mobilePhone",
        "methods_as_of": "2026-11-22T16:00:00Z",
        "per_user_mfa": "disabled",
        "password_last_changed": "2026-11-13T16:00:00Z",
        "account-state": "clear",
        "mailbox": "clear",
        "licence": "clear",
        "smtp-auth-switch": "clear",
        "authentication-policy": "clear",
        "credential": "clear",
        "per-user-mfa": "clear",
        "security-defaults": "clear",
        "conditional-access": "clear",
        "sender-settings": "clear",
        "send-as": "clear",
        "sending-limits": "not_applicable",
        "oauth-grant": "unknown",
        "basic-auth-retirement": "clear",
    }


def test_no_registration_row_is_unknown_never_not_registered(world):
    world.add("anna", registered=None)
    world.add("bert", registered=False)
    rows = table(world.judge().judgement)
    assert (rows["anna"]["mfa_registered"], rows["anna"]["methods_registered"]) == ("unknown", "unknown")
    assert (rows["bert"]["mfa_registered"], rows["bert"]["methods_registered"]) == ("false", "")


def test_unread_roles_are_unknown(world):
    world.add("anna", admin=True)
    world.lose("roleAssignments")
    assert table(world.judge().judgement)["anna"]["is_admin"] == "unknown"


@pytest.mark.parametrize(
    ("lost", "text"),
    [
        ([], "no use seen in 30 days in signIns, 180 in emailAppUsage"),
        (["signIns"], "no use seen in 180 days in emailAppUsage; signIns not read in full (denied)"),
        (["emailAppUsage"], "no use seen in 30 days in signIns; emailAppUsage not read in full (denied)"),
        (
            ["signIns", "emailAppUsage"],
            "no source of SMTP use was read; signIns not read in full (denied); "
            "emailAppUsage not read in full (denied)",
        ),
    ],
)
def test_evidence_names_sources_and_windows(world, lost, text):
    world.add("anna")
    for dataset in lost:
        world.lose(dataset)
    assert table(world.judge().judgement)["anna"]["smtp_evidence"] == text


def test_evidence_never_says_unused(demo):
    for scenario in ("default", "no-exchange"):
        for row in accounts.rows(demo(scenario).judgement):
            assert "unused" not in row[accounts.COLUMNS.index("smtp_evidence")]


def test_likely_replies_are_those_of_all_standing_blockers(world):
    world.add("anna", switch=True, accountEnabled=False)
    row = table(world.judge().judgement)["anna"]
    reply = by_id("smtp-auth-disabled-mailbox")
    assert row["likely_replies"] == (
        f"smtp-auth-switch: {reply.code} Authentication unsuccessful, {reply.text} ({reply.confidence})"
        " | account-state: not documented"
    )
    assert row["deciding_blocker"] == "smtp-auth-switch"


def test_rows_are_sorted_and_agree_with_the_verdicts(demo):
    judgement = demo().judgement
    rows = list(accounts.rows(judgement))
    assert [row[0] for row in rows] == sorted(judgement.tenant.accounts.id)
    for row in rows:
        cells = dict(zip(accounts.COLUMNS, row, strict=True))
        blocking = [blocker for blocker in DECIDING_ORDER if cells[blocker] == State.BLOCKS.word]
        assert cells["deciding_blocker"] == (blocking[0] if blocking else "")
        assert len(cells["likely_replies"].split(" | ")) == len(blocking) or not blocking
        assert all(cells[column] in {"true", "false"} for column in ("sender",))


def test_a_row_of_several_senders_explains_itself(world):
    world.add("anna", switch=False)
    judgement = world.judge(world.sender("anna"), world.sender("anna", name="other", port=465)).judgement
    row = table(judgement)["anna"]
    assert row["sender-settings"] == "blocks"
    assert row["deciding_blocker"] == "sender-settings"
    cases = list(judgement.sender_cases())
    assert accounts.case_replies(judgement, cases[0]) == ""
    assert accounts.case_replies(judgement, cases[1]) == row["likely_replies"]


def test_without_users_there_are_no_rows(world):
    world.lose("users")
    assert list(accounts.rows(world.judge().judgement)) == []
