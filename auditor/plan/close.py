"""The mirror of opening: sets of changes that close basic SMTP for everyone but the declared senders, each judged, with
what it would stop.

Three ways, strongest first. An authentication policy refuses before Microsoft Entra checks the password, so it ends the
guessing too. The SMTP AUTH switch turns the protocol off, for OAuth as well; whether it acts before the password is
checked is not documented. Conditional Access stops the use of a password, but acts after it was checked, so that a
refused sign-in still tells whether the password is right.

Use that was not seen is never told as "unused": each source has a window, and some were not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

import numpy as np

from auditor.accounts import SmtpEvidence
from auditor.blockers.base import Channel
from auditor.blockers.names import plain
from auditor.blockers.routes import WITHOUT_SMTP_AUTH, route_of
from auditor.config import Sender
from auditor.plan.candidates import NEW_POLICY
from auditor.plan.model import Closing, ClosingPlan, Loss
from auditor.states import VERDICT_WORDS, State
from auditor.tenant import INHERIT, NO, UNREAD, YES, AuthenticationPolicy, Tenant
from auditor.verdict import CLOSED, EXPOSURE_WORDS, RETIREMENT, Judgement, smtp_use_seen
from auditor.what_if import Change, WhatIf, what_if
from auditor.what_if.conditional_access import LegacyBlocked
from auditor.what_if.exchange import (
    AssignedAuthenticationPolicy,
    AuthenticationPolicySmtp,
    DefaultAuthenticationPolicy,
    MailboxSwitch,
    OrganisationSwitch,
)

REFUSING = "Refuse basic SMTP"
"""The name of a refusing authentication policy where the tenant has none."""
USAGE_DAYS = 180
"""The window of the e-mail app usage report as it is asked for."""
GUESSING = (
    "Conditional Access stops the use of a password, not the guessing: it acts after the password was checked, so a "
    "refused sign-in still tells whether it is right. An authentication policy that refuses basic SMTP closes that too."
)

DEFAULTS = (
    "Security defaults refuse basic authentication for the whole tenant already. Whether they do so before or after "
    "the password is checked is not documented; an authentication policy closes the guessing for sure."
)
RETIRED = (
    "Exchange Online was seen refusing basic authentication for client submission (550 5.7.30). An administrator can "
    "switch it on again, and then whatever stands open here is open: close it all the same."
)


def closing_plan(before: Judgement, senders: Sequence[Sender]) -> ClosingPlan:
    """How to close basic SMTP for everyone but the declared senders with basic authentication."""
    kept = tuple(sender for sender in senders if _is_kept(before.tenant, sender))
    refused = before.tenant.security_defaults == YES
    ways = [_by_authentication_policy, _by_switch, *([] if refused else [_by_conditional_access])]
    closings = [way(before, senders, kept) for way in ways]
    return ClosingPlan(
        kept=kept,
        closings=tuple(closing for closing in closings if closing is not None),
        windows=SmtpEvidence(before).nothing,
        guessing=GUESSING,
        remark=DEFAULTS if refused else RETIRED if _retired(before) else "",
    )


def _retired(before: Judgement) -> bool:
    """The whole tenant was seen refused by the announced change."""
    column = before.columns[RETIREMENT]
    return before.cases.accounts > 0 and column.reason(0).state == State.BLOCKS


def _is_kept(tenant: Tenant, sender: Sender) -> bool:
    """A declared sender that needs basic SMTP, with an account in the tenant."""
    return sender.auth == "basic" and route_of(sender) not in WITHOUT_SMTP_AUTH and tenant.find(sender.account) >= 0


def _rows(tenant: Tenant, senders: Iterable[Sender]) -> list[int]:
    return sorted({tenant.find(sender.account) for sender in senders})


def _by_authentication_policy(before: Judgement, senders: Sequence[Sender], kept: Sequence[Sender]) -> Closing | None:
    changes = tuple(_policy_changes(before.tenant, _rows(before.tenant, kept)))
    text = (
        "A policy that refuses basic SMTP becomes the organisation's default; the declared senders with basic "
        "authentication get one that allows it. It refuses before the password is checked, so the guessing ends too; "
        "OAuth is not touched. Takes up to 24 hours."
    )
    return _judged("Authentication policy", text, changes, before, senders, kept)


def _policy_changes(tenant: Tenant, kept: Sequence[int]) -> Iterator[Change]:
    refusing = _policy_of(tenant, NO, REFUSING)
    allowing = _policy_of(tenant, YES, NEW_POLICY)
    known = tenant.authentication_policies
    assigned = tenant.accounts.authentication_policy
    opened = [row for row in kept if not _decided(known, assigned[row])]
    closed = [row for row in _others(tenant, kept)
              if assigned[row] not in ("", "unread") and not _refuses(known, assigned[row])]  # fmt: skip
    default = not _refuses(known, tenant.default_authentication_policy)
    if (default or closed) and refusing.new:
        yield refusing
    if opened and allowing.new:
        yield allowing
    if default:
        yield DefaultAuthenticationPolicy(refusing.policy_key, refusing.name)
    for row in opened:
        yield _assigned(tenant, row, allowing)
    for row in closed:
        yield _assigned(tenant, row, refusing)


def _others(tenant: Tenant, kept: Sequence[int]) -> list[int]:
    mask = np.ones(len(tenant.accounts), dtype=np.bool_)
    mask[list(kept)] = False
    found: list[int] = np.flatnonzero(mask).tolist()
    return found


def _policy_of(tenant: Tenant, allow: int, new: str) -> AuthenticationPolicySmtp:
    """A policy of the tenant that allows (or refuses) basic SMTP, the default first; else a new one."""
    fits = {key: policy.name for key, policy in tenant.authentication_policies.items() if policy.allow_smtp == allow}
    if not fits:
        return AuthenticationPolicySmtp(plain(new), new, allow == YES, new=True)
    key = min(fits, key=lambda key: (key != tenant.default_authentication_policy, key))
    return AuthenticationPolicySmtp(key, fits[key], allow == YES)


def _decided(known: Mapping[str, AuthenticationPolicy], key: str) -> bool:
    """The account has a policy of its own, and it was read: what it says today stays."""
    return key in known and known[key].allow_smtp != UNREAD


def _refuses(known: Mapping[str, AuthenticationPolicy], key: str) -> bool:
    return key in known and known[key].allow_smtp == NO


def _assigned(tenant: Tenant, row: int, policy: AuthenticationPolicySmtp) -> Change:
    accounts = tenant.accounts
    return AssignedAuthenticationPolicy(
        accounts.id[row], accounts.user_principal_name[row], policy.policy_key, policy.name
    )


def _by_switch(before: Judgement, senders: Sequence[Sender], kept: Sequence[Sender]) -> Closing | None:
    """Senders with OAuth over SMTP need the switch as well, so they keep it."""
    tenant = before.tenant
    submitting = [sender for sender in senders if route_of(sender) == "client-submission"]
    needing = {row for row in _rows(tenant, submitting) if row >= 0}
    text = (
        "SMTP AUTH goes off for the organisation and for every mailbox that no declared sender uses; the declared "
        "senders' mailboxes get a setting of their own. It turns the protocol off, for OAuth as well. Whether it acts "
        "before the password is checked is not documented."
    )
    return _judged("SMTP AUTH switch", text, tuple(_switch_changes(tenant, needing)), before, senders, kept)


def _switch_changes(tenant: Tenant, needing: Set[int]) -> Iterator[Change]:
    accounts, organisation = tenant.accounts, tenant.org_smtp_auth_disabled
    if organisation != YES:
        yield OrganisationSwitch(on=False)
    for row in range(len(accounts)):
        switch = int(accounts.smtp_auth_disabled[row])
        account = accounts.id[row], accounts.user_principal_name[row]
        missing = tenant.complete("mailboxes") and not accounts.mailbox[row]
        if row in needing:
            on_today = switch == UNREAD or (switch == INHERIT and organisation != YES)
            if on_today and not missing:
                yield MailboxSwitch(*account, "on")
        elif switch == NO and not missing:
            yield MailboxSwitch(*account, "inherit")


def _by_conditional_access(before: Judgement, senders: Sequence[Sender], kept: Sequence[Sender]) -> Closing | None:
    accounts = before.tenant.accounts
    rows = _rows(before.tenant, kept)
    change = LegacyBlocked(tuple((accounts.id[row], accounts.user_principal_name[row]) for row in rows))
    text = (
        "A new policy blocks legacy authentication for everybody but the declared senders (Microsoft Entra ID P1). It "
        "stops the use of a password; the guessing goes on, because the policy acts after the password was checked."
    )
    return _judged("Conditional Access", text, (change,), before, senders, kept)


def _judged(
    title: str,
    text: str,
    changes: tuple[Change, ...],
    before: Judgement,
    senders: Sequence[Sender],
    kept: Sequence[Sender],
) -> Closing | None:
    """None where nothing has to be changed."""
    if not changes:
        return None
    answer = what_if(before, senders, changes)
    others = _others(before.tenant, _rows(before.tenant, kept))
    stopped = _stopped(answer, others)
    used = smtp_use_seen(before.tenant)
    hidden = (before.tenant.accounts.smtp_app_used == UNREAD) & before.tenant.complete("emailAppUsage")
    seen = [row for row in stopped if used[row] == YES]
    unseen = [row for row in stopped if used[row] == UNREAD or (used[row] == NO and hidden[row])]
    return Closing(
        title=title,
        text=text,
        changes=changes,
        notes=answer.notes,
        exposure=(_words(before.exposure, others), _words(answer.after.exposure, others)),
        password_guessing=(
            dict(Counter(before.password_guessing[row] for row in others)),
            dict(Counter(answer.after.password_guessing[row] for row in others)),
        ),
        left=tuple(row for row in others if answer.after.exposure[row] != CLOSED),
        senders=tuple(_senders_lost(answer)),
        users=tuple(_loss(answer, row) for row in seen),
        unseen=tuple(unseen),
        quiet=tuple(row for row in stopped if row not in {*seen, *unseen}),
    )


def _words(codes: np.ndarray[tuple[int], np.dtype[np.uint8]], rows: Sequence[int]) -> dict[str, int]:
    return dict(Counter(EXPOSURE_WORDS[codes[row]] for row in rows))


def _stopped(answer: WhatIf, rows: Sequence[int]) -> list[int]:
    """Accounts that are no declared sender and whose basic SMTP, or OAuth, is newly blocked."""
    before, after = answer.before, answer.after
    newly = (before.basic != State.BLOCKS) & (after.basic == State.BLOCKS)
    newly |= (before.oauth != State.BLOCKS) & (after.oauth == State.BLOCKS)
    return [row for row in rows if newly[row] and not before.is_sender(row)]


def _loss(answer: WhatIf, row: int) -> Loss:
    before, after = answer.before, answer.after
    codes: dict[Channel, tuple[int, int]] = {
        "basic": (int(before.basic[row]), int(after.basic[row])),
        "oauth": (int(before.oauth[row]), int(after.oauth[row])),
    }
    return Loss(before.tenant.accounts.user_principal_name[row], row, _worse(codes), _evidence(before, row))


def _worse(codes: Mapping[Channel, tuple[int, int]]) -> tuple[tuple[Channel, str, str], ...]:
    return tuple(
        (channel, VERDICT_WORDS[before], VERDICT_WORDS[after])
        for channel, (before, after) in codes.items()
        if after > before
    )


def _senders_lost(answer: WhatIf) -> Iterator[Loss]:
    """Declared senders whose declared channel gets worse."""
    for case in answer.before.sender_cases():
        sender = answer.before.cases.senders[case]
        assert sender is not None
        basic = sender.auth == "basic"
        before = int((answer.before.basic_cases if basic else answer.before.oauth_cases)[case])
        after = int((answer.after.basic_cases if basic else answer.after.oauth_cases)[case])
        worse = _worse({sender.auth: (before, after)})
        if worse:
            row = int(answer.before.cases.account[case])
            yield Loss(sender.name, row, worse, _evidence(answer.before, row))


def _evidence(judgement: Judgement, row: int) -> str:
    """What was seen of an account's use, each source with its window; else which sources showed none."""
    accounts = judgement.tenant.accounts
    seen = []
    if accounts.smtp_last_success[row]:
        seen.append(f"signIns (last {judgement.sign_in_days} days): success on {accounts.smtp_last_success[row]}")
    if accounts.smtp_app_used[row] == YES:
        brought = " or smtpAuthClients (as brought)" if judgement.tenant.complete("smtpAuthClients") else ""
        seen.append(f"emailAppUsage (last {USAGE_DAYS} days){brought}: SMTP use reported")
    return "; ".join(seen) or SmtpEvidence(judgement).nothing
