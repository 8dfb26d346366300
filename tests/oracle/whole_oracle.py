"""The whole judgement, written from the contract alone: plain Python over the raw records of a snapshot folder.

One account at a time, slow and simple on purpose; it shares no code with the engine. Objects are taken to be well
formed: what is malformed has tests of its own.
"""

import whole_accounts
from whole_accounts import BLOCKS, CLEAR, CONDITIONAL, NOT_APPLICABLE, UNKNOWN, addresses, mfa_state, route, worst
from whole_senders import oauth_grant, send_as, sender_settings, sending_limits

VERDICT = {BLOCKS: "blocked", UNKNOWN: "unknown", CONDITIONAL: "conditional", CLEAR: "open",
           NOT_APPLICABLE: "not_applicable"}  # fmt: skip

ORDER = ("mailbox", "authentication-policy", "smtp-auth-switch", "account-state", "credential", "security-defaults",
         "conditional-access", "licence", "per-user-mfa", "sender-settings", "send-as", "sending-limits", "oauth-grant",
         "basic-auth-retirement")  # fmt: skip
BOTH = {"mailbox", "licence", "smtp-auth-switch", "sender-settings", "send-as", "sending-limits"}
OAUTH = {*BOTH, "oauth-grant"}
BASIC = {*ORDER} - {"oauth-grant"}

SENDERS = {"sender-settings": sender_settings, "send-as": send_as, "sending-limits": sending_limits,
           "oauth-grant": oauth_grant}  # fmt: skip
EVERYBODY = {name: getattr(whole_accounts, name.replace("-", "_"))
             for name in ORDER if name not in SENDERS}  # fmt: skip


def states_of(evidence, user, sender):
    """Blocker → state for one case: an account as a default client, or a declared sender."""
    away = route(sender) if sender else "client-submission"
    if away in ("relay", "direct-send", "graph"):
        return dict.fromkeys(ORDER, NOT_APPLICABLE)
    states = {name: judge(evidence, user, sender) for name, judge in EVERYBODY.items()}
    states |= {name: judge(evidence, user, sender) if sender else NOT_APPLICABLE for name, judge in SENDERS.items()}
    if away == "hve":
        states |= dict.fromkeys(("mailbox", "licence", "smtp-auth-switch"), NOT_APPLICABLE)
    return states


def verdict(states, channel):
    return VERDICT[worst(states[name] for name in channel)]


def deciding(states):
    return next((name for name in ORDER if states[name] == BLOCKS), "")


def exposure(evidence, user, states):
    gates = {states[name] for name in ("account-state", "mailbox", "smtp-auth-switch", "authentication-policy",
                                       "security-defaults", "conditional-access")}  # fmt: skip
    if BLOCKS in gates:
        return "closed"
    if UNKNOWN in gates:
        return "unknown"
    return "limited" if CONDITIONAL in gates or mfa_state(evidence, user) == "enforced" else "open"


def guessing(states):
    early = {states["authentication-policy"], states["account-state"]}
    if BLOCKS in early:
        return "closed"
    not_documented = {states[name] for name in ("mailbox", "smtp-auth-switch", "security-defaults")}
    return "unknown" if UNKNOWN in early or {BLOCKS, UNKNOWN} & not_documented else "open"


def find(evidence, wanted):
    """The user that a sender names, by object id, UPN or address."""
    users = evidence.rows("users") if evidence.asked("users") else []
    for key in (lambda user: [user["id"]], lambda user: [user["userPrincipalName"]], addresses):
        for user in users:
            if wanted.lower() in [name.lower() for name in key(user)]:
                return user
    return None


def judge(evidence, senders):
    """({account id: its row}, [the row of each declared sender whose account exists])."""
    cases = [(find(evidence, sender["account"]), sender) for sender in senders]
    cases = [(user, sender, states_of(evidence, user, sender)) for user, sender in cases if user]
    accounts = {}
    for user in evidence.rows("users") if evidence.asked("users") else []:
        plain = states_of(evidence, user, None)
        own = [states for other, _, states in cases if other is user]
        shown = {name: worst(states[name] for states in own) for name in ORDER} if own else plain
        accounts[user["id"].lower()] = {
            **shown, "basic": verdict(shown, BASIC), "oauth": verdict(shown, OAUTH),
            "deciding_blocker": deciding(shown), "exposure": exposure(evidence, user, plain),
            "password_guessing": guessing(plain),
            "sender": "true" if own else "false",
        }  # fmt: skip
    rows = [{**states, "basic": verdict(states, BASIC), "oauth": verdict(states, OAUTH),
             "deciding_blocker": deciding(states)} for _, _, states in cases]  # fmt: skip
    return accounts, rows
