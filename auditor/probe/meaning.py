"""From what was seen on the wire to the blockers it points at.

What a server said is explained by `auditor.explain`, like any pasted text, and narrowed to the way of signing in that
the probe used. What the wire itself showed (a port, a certificate, a missing STARTTLS) points at the sender's settings.
No reply proves that the other blockers are absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.explain import Match, explain
from auditor.explain.advice import ADVICE
from auditor.probe.job import Job
from auditor.probe.result import Pointer, Reply

SETTINGS = "sender-settings"
GRANT = "oauth-grant"
PORTS = (587, 25)
_CHANNELS = {advice.id: advice.channels for advice in ADVICE}


@dataclass(frozen=True, slots=True)
class Meaning:
    """`replies`: ids of the catalogue's replies that were recognised; `known` is false for a refusal that is none of
    them."""

    pointers: tuple[Pointer, ...] = ()
    replies: tuple[str, ...] = ()
    known: bool = True


def of_reply(job: Job, reply: Reply) -> Meaning:
    """What a refusal points at for this sender. `reply` is as it was received, unmasked; nothing of it is kept."""
    explanation = explain(f"{reply.code} {reply.text}")
    matches = [match for match in explanation.matches if match.reply.channel in ("both", job.channel)]
    pointers = [pointer for match in matches for pointer in _pointers(job, match)]
    if job.channel == "basic" and any(pointer.blocker == "credential" for pointer in pointers):
        pointers += _username(job)
    return Meaning(tuple(pointers), tuple(match.reply.id for match in matches), bool(matches))


def _pointers(job: Job, match: Match) -> Iterator[Pointer]:
    reply = match.reply
    for blocker in match.blockers:
        if job.channel == "none" or job.channel in _CHANNELS[blocker]:
            yield Pointer(blocker, reply.meaning, reply.id, reply.confidence, reply.source)


def _username(job: Job) -> Sequence[Pointer]:
    """A name that is not the account's is as good a reason for a refused password as the password."""
    account = job.sender.account.strip().lower()
    if "@" not in account or account == job.login.lower():
        return ()
    why = "The user name is not the account that is declared; the name to sign in with is its UPN."
    return (Pointer(SETTINGS, why),)


def of_port(job: Job) -> tuple[Pointer, ...]:
    """Where a port could not be used that Exchange Online does not offer."""
    if job.port in PORTS:
        return ()
    return (Pointer(SETTINGS, f"Exchange Online offers ports 587 and 25, not {job.port}."),)


def of_implicit_tls(job: Job) -> tuple[Pointer, ...]:
    """TLS from the first byte failed."""
    why = "The client starts with TLS at once (implicit); Exchange Online expects STARTTLS."
    return (*of_port(job), Pointer(SETTINGS, why))


def of_wrong_name(job: Job) -> tuple[Pointer, ...]:
    why = f"The server's certificate is not for {job.host}, the server that the sender declares."
    return (Pointer(SETTINGS, why),)


def of_no_starttls() -> tuple[Pointer, ...]:
    return (Pointer(SETTINGS, "The server offers no STARTTLS, which Exchange Online always does."),)


def of_no_tls() -> tuple[Pointer, ...]:
    return (Pointer(SETTINGS, "The client uses no TLS, without which Exchange Online takes no password or token."),)


def of_no_mechanism(mechanism: str) -> tuple[Pointer, ...]:
    return (Pointer(SETTINGS, f"The server does not offer AUTH {mechanism}, which Exchange Online always does."),)


def of_token(why: str) -> tuple[Pointer, ...]:
    """No token for the sender's app."""
    return (Pointer(GRANT, why),)
