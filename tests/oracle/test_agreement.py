"""The engine says what the oracle says: every blocker, both verdicts, exposure, guessing and the deciding blocker."""

from __future__ import annotations

from collections import Counter

import whole_oracle
from hypothesis import HealthCheck, given, settings

EXAMPLES = 1600

BLOCKS, UNKNOWN, COND, CLEAR, N_A = "blocks", "unknown", "conditional", "clear", "not_applicable"
ALL = {BLOCKS, UNKNOWN, COND, CLEAR, N_A}
VERDICTS = {"blocked", UNKNOWN, COND, "open", N_A}
REACHED = {
    "mailbox": ALL - {COND}, "licence": ALL, "smtp-auth-switch": ALL - {COND}, "account-state": ALL - {COND},
    "authentication-policy": ALL - {COND}, "credential": ALL, "per-user-mfa": ALL - {BLOCKS},
    "security-defaults": ALL - {COND}, "conditional-access": ALL, "basic-auth-retirement": ALL,
    "sender-settings": ALL, "send-as": ALL, "sending-limits": ALL, "oauth-grant": ALL,
    "basic": VERDICTS, "oauth": VERDICTS, "exposure": {"open", "limited", UNKNOWN, "closed"},
    "password_guessing": {"open", UNKNOWN, "closed"}, "sender": {"true", "false"},
    "deciding_blocker": {"", *whole_oracle.ORDER} - {"per-user-mfa", "licence"},
}  # fmt: skip
"""Every answer that the contract knows for each column: agreement says nothing about one that never came up. Per-user
MFA never blocks, and where a licence does, the missing mailbox comes before it."""


def test_engine_and_oracle_agree_on_twenty_thousand_pairs(tenants, both_sides, table_row):
    """A pair is an account in a tenant; equal ones (the same choices of both) count once."""
    pairs = set()
    answers = {name: Counter() for name in REACHED}

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
              suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])  # fmt: skip
    @given(tenant=tenants)
    def agree(tenant):
        (found, found_senders), (told, told_senders) = both_sides(tenant)
        assert found.keys() == told.keys()
        for account, row in told.items():
            assert found[account] == row, f"{account}: {tenant.of(account)}"
        assert found_senders == told_senders, tenant.senders
        if told:
            pairs.update((tenant.tenant_choices, person) for person in tenant.person_choices)
        for name, counted in answers.items():
            counted.update(row[name] for row in (*told.values(), *told_senders) if name in row)

    agree()
    table_row("engine and oracle agree", {"different pairs of account and tenant": f"{len(pairs):,}"})
    assert len(pairs) >= 20_000
    assert {name: set(counted) for name, counted in answers.items()} == REACHED
