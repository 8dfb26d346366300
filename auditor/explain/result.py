"""What explaining a text yields. Nothing in here repeats the pasted text: it may hold passwords and tokens, so only
codes, line numbers and the catalogue's own words are kept for showing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from auditor.explain.advice import ADVICE
from auditor.explain.find import Match, Unrecognised
from auditor.explain.nearest import Near

Visible = Literal["confirmed", "contradicted", "not_visible"]

SIGN_IN = frozenset(
    {
        "authentication-policy",
        "smtp-auth-switch",
        "account-state",
        "credential",
        "security-defaults",
        "conditional-access",
        "per-user-mfa",
        "sender-settings",
        "oauth-grant",
    }
)
"""What a successful sign-in speaks against."""

ADVICE_OF = {advice.id: advice for advice in ADVICE}


@dataclass(frozen=True, slots=True)
class Standing:
    """A blocker that a reply points at, beside what the tenant shows: `case` names the declared sender, or is empty for
    a default client; `reason` is the judgement's own sentence."""

    blocker: str
    visible: Visible
    case: str
    reason: str


@dataclass(frozen=True)
class Joined:
    """A reply beside a judged tenant. `account` is the UPN; `now` the moment that was judged for; `basic` and `oauth`
    are the account's verdicts; `also_stands` are blockers that block and that the reply does not point at;
    `deciding_blocker` is the first that blocks in the order of work, empty if none; `first` says what to do first."""

    account: str
    now: str
    basic: str
    oauth: str
    safest_exit: str
    standings: Sequence[Standing]
    also_stands: Sequence[Standing]
    deciding_blocker: str
    first: str

    def of(self, visible: Visible) -> list[str]:
        """Ids of the blockers that are confirmed, contradicted or not visible, in the order of work."""
        return [standing.blocker for standing in self.standings if standing.visible == visible]


@dataclass(frozen=True)
class Explanation:
    """`matches` in the order of the text; `unrecognised` refusals; `nearest` only where nothing matched."""

    matches: Sequence[Match]
    unrecognised: Sequence[Unrecognised] = ()
    nearest: Sequence[Near] = ()
    hints: Sequence[str] = ()
    joined: Joined | None = None

    @property
    def blockers(self) -> tuple[str, ...]:
        """What the replies point at, in the order of work."""
        named = {blocker for match in self.matches for blocker in match.blockers}
        return tuple(advice.id for advice in ADVICE if advice.id in named)

    @property
    def also_check(self) -> tuple[str, ...]:
        """What the replies neither name nor exclude, in the order of work. A reply excludes the blockers of a way of
        signing in that cannot meet it and, where the sign-in had succeeded, those of the sign-in."""
        telling = [match for match in self.matches if not match.wraps] or self.matches
        left = {advice.id for advice in ADVICE if any(_leaves(match, advice.id) for match in telling)}
        return tuple(advice.id for advice in ADVICE if advice.id in left - set(self.blockers))


def _leaves(match: Match, blocker: str) -> bool:
    """Whether a reply leaves open that a blocker stands too."""
    reply = match.reply
    met = reply.channel == "both" or reply.channel in ADVICE_OF[blocker].channels
    return met and not (reply.signed_in and blocker in SIGN_IN)
