"""The smallest sets of changes that open a sender, each judged: with the set the verdict is `open`, and without any one
of its changes it is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.blockers.routes import WITHOUT_SMTP_AUTH, route_of
from auditor.plan.candidates import candidates
from auditor.plan.model import Opening, Step
from auditor.plan.situation import Situation
from auditor.verdict import CLOSED, EXPOSURE_WORDS
from auditor.what_if.conditional_access import BoundToPlace
from auditor.what_if.model import Change

MOST_JUDGED = 60
"""Judgements per sender at most; a sender with more alternatives than that keeps those found so far."""
TOO_MANY = "More combinations of changes than could be judged: none of those that were tried opens it."
SHOWN = 4
"""Openings per sender at most, the safest."""


def openings(at: Situation) -> tuple[tuple[Opening, ...], tuple[str, ...]]:
    """(openings, why there is none): safest first; one of the two is empty unless the sender is open already."""
    if at.verdict in ("open", "not_applicable"):
        return (), ()
    search = _Search(at)
    search.extend(at, (), frozenset())
    found = {frozenset(step.change.key for step in steps): steps for steps in map(search.smallest, search.found)}
    measured = sorted((_measure(at, steps) for steps in found.values()), key=_danger)
    return tuple(measured[:SHOWN]), () if measured else tuple(search.why) or (TOO_MANY,)


class _Search:
    """Takes the first standing blocker, tries each of its candidates, and goes on with what then stands."""

    def __init__(self, at: Situation) -> None:
        self.at = at
        self.found: list[tuple[Step, ...]] = []
        self.why: dict[str, None] = {}
        self._judged = 0

    def extend(self, here: Situation, steps: tuple[Step, ...], tried: frozenset[str]) -> None:
        standing = [blocker for blocker, _ in here.standing()]
        if here.verdict == "open":
            self.found.append(steps)
            return
        answers = {blocker: candidates(here, blocker) for blocker in standing}
        hopeless = [blocker for blocker in standing if blocker in tried or not answers[blocker].alternatives]
        for blocker in hopeless:
            self.why[self._why_not(here, blocker, answers[blocker].why if blocker not in tried else "")] = None
        if hopeless:
            return
        first = standing[0]
        for alternative in answers[first].alternatives:
            if self._judged >= MOST_JUDGED:
                return
            self._judged += 1
            wanted = _joined(steps, alternative)
            self.extend(self.at.after(step.change for step in wanted), wanted, tried | {first})

    def _why_not(self, here: Situation, blocker: str, why: str) -> str:
        reason = here.reason(blocker)
        return f"{blocker} ({reason.state.word}): {why or reason.text}"

    def smallest(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Without any step that can be left out, the most dangerous tried first."""
        kept = list(steps)
        again = True
        while again:
            again = False
            for one in sorted(kept, key=lambda step: -step.weight):
                fewer = [step for step in kept if step is not one]
                if self.at.after(step.change for step in fewer).verdict == "open":
                    kept, again = fewer, True
        return tuple(kept)


def _joined(steps: Sequence[Step], more: Sequence[Step]) -> tuple[Step, ...]:
    """Later steps win over earlier ones that set the same thing."""
    found = {step.change.key: step for step in (*steps, *more)}
    return tuple(found.values())


def _measure(at: Situation, steps: tuple[Step, ...]) -> Opening:
    after = at.after(step.change for step in steps)
    wider = (after.everybody.exposure > at.everybody.exposure).tolist()
    wider[at.row] = False
    companion = next(_companions(at, after, [step.change for step in steps]), (None, ""))
    return Opening(
        steps=steps,
        exposure=(_exposure(at), _exposure(after)),
        password_guessing=(at.password_guessing, after.password_guessing),
        others=sum(wider),
        companion=companion[0],
        companion_exposure=companion[1],
    )


def _companions(at: Situation, after: Situation, changes: list[Change]) -> Iterator[tuple[Change, str]]:
    """A policy that binds the account to its place, where it keeps the sender open and narrows what is exposed."""
    if at.channel != "basic" or not after.sender.egress_ips or after.exposure == CLOSED:
        return
    if route_of(after.sender) in WITHOUT_SMTP_AUTH:
        return
    bound = BoundToPlace(*at.account, after.sender.egress_ips)
    there = at.after([*changes, bound])
    if there.verdict == "open" and there.exposure < after.exposure:
        yield bound, _exposure(there)


def _exposure(at: Situation) -> str:
    return EXPOSURE_WORDS[at.exposure]


def _danger(opening: Opening) -> tuple[object, ...]:
    """Who else gets exposed, then how far this account, then the weight and number of its steps."""
    return (
        opening.others,
        EXPOSURE_WORDS.index(opening.companion_exposure or opening.exposure[1]),
        opening.password_guessing[1] == "open",
        sum(step.weight for step in opening.steps),
        len(opening.steps),
        [step.change.text for step in opening.steps],
    )
