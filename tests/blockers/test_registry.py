"""The registry: the same set everywhere, in one order, with records that a person can act on."""

from __future__ import annotations

import importlib
import pkgutil
import re

import auditor.blockers
from auditor.blockers import BLOCKERS, BY_ID, needs
from auditor.blockers.base import Blocker, Cases
from auditor.catalogue import BY_NAME
from auditor.replies import by_id
from auditor.states import State
from auditor.verdict import DECIDING_ORDER

HELPERS = {"base", "columns", "names", "routes"}


def test_the_registry_is_the_contracts_list_in_the_order_of_work():
    assert tuple(blocker.id for blocker in BLOCKERS) == DECIDING_ORDER
    assert list(BY_ID) == list(DECIDING_ORDER)


def test_every_module_is_one_blocker_named_after_its_id():
    modules = {info.name for info in pkgutil.iter_modules(auditor.blockers.__path__)} - HELPERS
    assert modules == {blocker.id.replace("-", "_") for blocker in BLOCKERS}
    for name in modules:
        module = importlib.import_module(f"auditor.blockers.{name}")
        assert module.BLOCKER.id == name.replace("_", "-")
        assert module.__doc__


def test_records_are_whole():
    for blocker in BLOCKERS:
        assert blocker.title
        assert blocker.remedy.endswith(".")
        assert blocker.remedy_risk.endswith(".")
        assert all(url.startswith("https://learn.microsoft.com/") for url in blocker.source)
        assert blocker.source
        assert set(blocker.datasets) <= set(BY_NAME)
        assert blocker.channels <= {"basic", "oauth"}
        assert blocker.channels


def test_no_remedy_is_the_bad_advice_that_guides_give():
    for blocker in BLOCKERS:
        text = blocker.remedy.lower()
        assert "app password" not in text
        assert not re.search(r"(turn|switch)\S* (off )?security defaults( off)?\b", text)
        assert "set-transportconfig" not in text


def test_channels_are_the_contracts():
    both = {"mailbox", "licence", "smtp-auth-switch", "sender-settings", "send-as", "sending-limits"}
    for blocker in BLOCKERS:
        expected = {"basic", "oauth"} if blocker.id in both else {"oauth"} if blocker.id == "oauth-grant" else {"basic"}
        assert blocker.channels == expected


def test_needs_is_derived_from_the_records():
    table = needs()
    assert table["casMailboxes"] == ("smtp-auth-switch",)
    assert "conditional-access" in table["groupMembers"]
    assert {(name, one) for name, ids in table.items() for one in ids} == {
        (dataset, blocker.id) for blocker in BLOCKERS for dataset in blocker.datasets
    }


def test_senders_only_blockers_do_not_concern_anybody_else(make, tools):
    tenant = make(tools.base("ann", "bob"))
    states = tools.states(tenant, [])
    for blocker in BLOCKERS:
        if blocker.senders_only:
            assert states[blocker.id] == ["not_applicable"] * 2


def test_reasons_hold_sentences_and_known_replies(demo):
    """Over the whole demo: every reason is one sentence, and every reply is in the catalogue."""
    for scenario in ("default", "security-defaults", "no-exchange", "after-retirement"):
        company = demo(scenario)
        tenant = company.tenant()
        cases = Cases.of(tenant, company.senders)
        for blocker in BLOCKERS:
            for reason in blocker.judge(tenant, cases).reasons:
                assert reason.text[0].isupper()
                assert reason.text.endswith(".")
                assert not reason.reply or blocker.id in by_id(reason.reply).blockers
                assert set(reason.datasets) <= set(BY_NAME)
                if reason.state == State.CLEAR:
                    assert not reason.reply


def test_a_tenant_without_accounts(make, tools):
    records = tools.base()
    records["users"] = []
    assert all(not states for states in tools.states(make(records), []).values())


def test_an_unread_tenant_is_unknown_and_never_clear_or_blocked(make, tools):
    """Only `users` was read: whatever needs more is unknown."""
    records = {"users": tools.base("ann")["users"]}
    states = {name: found[0] for name, found in tools.states(make(records), []).items()}
    known = {"account-state": "clear", "basic-auth-retirement": "clear"}
    for blocker in BLOCKERS:
        expected = "not_applicable" if blocker.senders_only else known.get(blocker.id, "unknown")
        assert states[blocker.id] == expected, blocker.id


def test_every_blocker_is_a_pure_record():
    assert all(isinstance(blocker, Blocker) for blocker in BLOCKERS)
