"""findings.md: the summary and the findings in GitHub-flavoured Markdown, for a wiki, an issue or a pull request.

Every text of the tenant is escaped: no name can become a link, an image, a heading, a table or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from auditor.evaluate import Evaluation
from auditor.findings.base import SEVERITIES, Finding
from auditor.report.figures import EXPOSURES, OUTCOMES, VERDICTS, Figures, figures
from auditor.report.formats.common import gap_text, gaps, gone, waiver
from auditor.report.html.visible import visible
from auditor.report.order import by_urgency
from auditor.report.summary import headlines

_MARKS = re.compile(r"[\\`*_{}\[\]|~$^]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_FIRST = re.compile(r"^(\d*)([-+#=.)])")
"""What begins a list, a heading or a rule where a line begins with it."""

_LINK = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)
"""What some renderers make a link of without any mark."""

_SHOWN = 20
"""Accounts that a finding names; the others stand in findings.json."""


def write_markdown(stream: IO[bytes], evaluation: Evaluation) -> None:
    for line in _lines(evaluation):
        stream.write(line.encode() + b"\n")


def escaped(text: str) -> str:
    """Text that shows as it is written, on one line: no mark, entity, link or line break acts."""
    line = _MARKS.sub(r"\\\g<0>", " ".join(visible(text).split())).translate(_ENTITIES)
    return _LINK.sub(lambda match: f"&#{ord(match.group())};", _FIRST.sub(r"\1\\\2", line))


def _lines(evaluation: Evaluation) -> Iterator[str]:
    tenant = evaluation.judgement.tenant
    numbers = figures(evaluation)
    yield f"# SMTP AUTH audit of {escaped(tenant.name or tenant.tenant_id or 'a tenant')}"
    yield ""
    identity = escaped(tenant.tenant_id or "not known")
    yield f"Judged for {tenant.now:%Y-%m-%d, %H:%M} UTC. Tenant {identity}. Confidential."
    yield ""
    for label, sentence in _headlines(numbers):
        yield f"- **{label}.** {escaped(sentence)}"
    yield from _tables(numbers)
    yield from _not_read(evaluation)
    yield from _gone(evaluation)
    found = by_urgency(evaluation.findings)
    for title, outcomes in (("Findings", ("fail", "unknown")), ("Accepted findings", ("waived",))):
        chosen = [finding for finding in found if finding.outcome in outcomes]
        yield from ("", f"## {title}")
        if not chosen:
            yield from ("", "None.")
        for finding in chosen:
            yield from _finding(finding, evaluation)


def _headlines(numbers: Figures) -> Iterable[tuple[str, str]]:
    if numbers.accounts:
        return headlines(numbers)
    return [("Nothing judged", "The accounts (dataset users) were not read. Nothing here may be taken as a pass.")]


def _tables(numbers: Figures) -> Iterator[str]:
    yield from ("", "## Accounts", "")
    yield from _table(("Verdict", "basic", "oauth"), ((word, *numbers.verdicts[word]) for word in VERDICTS))
    yield ""
    head = ("Exposure", "all", "administrators", "senders")
    yield from _table(head, ((word, *numbers.exposure[word]) for word in EXPOSURES))
    yield from ("", "## Findings by severity", "")
    yield from _table(("Severity", *OUTCOMES), ((word, *numbers.findings[word]) for word in SEVERITIES))


def _table(head: Sequence[str], rows: Iterable[Sequence[str | int]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|---|" + "--:|" * (len(head) - 1)
    for word, *counts in rows:
        yield f"| {escaped(str(word))} | " + " | ".join(f"{count:,}" for count in counts) + " |"


def _not_read(evaluation: Evaluation) -> Iterator[str]:
    yield from ("", "## What was not read", "")
    rows = gaps(evaluation)
    if not rows:
        yield "Every dataset was read whole."
    for row in rows:
        yield f"- {escaped(gap_text(row))} {escaped(row.remedy)}".rstrip()


def _gone(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.comparison is None:
        return
    changes = gone(evaluation)
    yield from ("", "## Gone since the previous run", "")
    if not changes:
        yield "Nothing."
    for change in changes:
        note = f" {escaped(change.note)}" if change.note else ""
        yield f"- **{change.kind}**: {escaped(change.title)} ({escaped(change.id)}).{note}"


def _finding(finding: Finding, evaluation: Evaluation) -> Iterator[str]:
    yield from ("", f"### {finding.severity}: {escaped(finding.title)}", "")
    yield f"- Id: {escaped(finding.id)}"
    yield f"- Outcome: {finding.outcome}, {finding.change}" + (
        f" ({escaped(waiver(finding))})" if waiver(finding) else ""
    )
    yield f"- Object: {escaped(finding.object_type)} {escaped(finding.object_name or finding.object_id)}"
    if finding.controls:
        yield f"- Controls: {escaped(', '.join(finding.controls))}"
    if finding.accounts:
        yield f"- Accounts: {len(finding.accounts):,}"
        names = [evaluation.judgement.tenant.accounts.user_principal_name[row] for row in finding.accounts[:_SHOWN]]
        yield from (f"  - {escaped(name)}" for name in names)
        if len(finding.accounts) > _SHOWN:
            yield f"  - and {len(finding.accounts) - _SHOWN:,} more (findings.json)"
    if finding.evidence:
        yield "- Evidence:"
        for fact in finding.evidence:
            source = f" ({escaped(fact.dataset)})" if fact.dataset else ""
            yield f"  - {escaped(fact.name)}: {escaped(fact.value) or '(empty)'}{source}"
    yield f"- What to do: {escaped(finding.remedy)}"
    yield f"- Risk: {escaped(finding.remedy_risk)}"
    for page in finding.references:
        yield f"- <{page}>" if re.fullmatch(r"https://[\w./?&=%#~:-]+", page) else f"- {escaped(page)}"
