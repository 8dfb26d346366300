"""The ticket as this run would write it: title, text, table of accounts, fields. Pure, but for reading the template."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from auditor.diff import Document, rests_on
from auditor.errors import ConfigError
from auditor.findings import RULES
from auditor.report.csvfiles import write_csv
from auditor.report.text import clean
from auditor.tickets.base import Attachment, Block, Bullets, Draft, Heading, Link, Paragraph, Table, Text
from auditor.tickets.settings import TicketSettings, fields_at
from auditor.tickets.source import ACCOUNT_COLUMNS, Source, text
from auditor.tickets.topics import Topic
from auditor.triage import NONE

_RULES = {rule.id: rule for rule in RULES}
_LISTED = 50
"""Findings in a ticket's own table; the attached table has all of them."""
_DETAILED = 5
"""Findings whose evidence is written out."""

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


class Drafter:
    """Writes drafts for one entry of the config. Raises ConfigError for a template that cannot be read or compiled."""

    def __init__(self, source: Source, settings: TicketSettings) -> None:
        self._source = source
        self._settings = settings
        self._title = self._template("title", settings.title)
        self._body = self._template("body", self._read(settings.body))

    def draft(self, topic: Topic) -> Draft:
        """Raises ConfigError where a template cannot be filled."""
        source, settings = self._source, self._settings
        title = self._filled("title", self._title, topic) if settings.title else _title(topic)
        own = [Paragraph((part,)) for part in self._filled("body", self._body, topic).split("\n\n") if part.strip()]
        return Draft(
            marker=topic.marker,
            tenant=source.tenant,
            title=" ".join(clean(title).split()) or topic.marker,
            body=(*own, *_body(topic, source)),
            severity=topic.severity,
            owner=self._owner(topic),
            due=min((due for found in topic.chosen if (due := source.triage.get(found["id"], NONE).due)), default=""),
            labels=settings.labels,
            fields=fields_at(settings.fields, topic.severity),
            run=source.run.now,
            attachments=tuple(_attachments(topic, source)),
        )

    def _owner(self, topic: Topic) -> str:
        """Where all findings have the same."""
        owners = {self._source.owners.get(found["id"], "") for found in topic.chosen}
        return owners.pop() if len(owners) == 1 else ""

    def _template(self, key: str, words: str) -> Template:
        try:
            return _ENVIRONMENT.from_string(words)
        except TemplateError as error:
            raise self._wrong(key, error) from error

    def _read(self, path: str) -> str:
        try:
            return Path(path).read_text("utf-8") if path else ""
        except (OSError, UnicodeDecodeError) as error:
            raise self._wrong("body", error) from error

    def _filled(self, key: str, template: Template, topic: Topic) -> str:
        try:
            return template.render(_context(topic, self._source))
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise self._wrong(key, error) from error

    def _wrong(self, key: str, error: Exception) -> ConfigError:
        return ConfigError(
            f'[[tickets]] "{self._settings.name}": {key}: the template cannot be used ({error}).',
            remedy="docs/tickets.md lists what a template may name.",
        )


def _context(topic: Topic, source: Source) -> dict[str, Any]:
    """What a template may name."""
    return {
        "title": _title(topic),
        "marker": topic.marker,
        "grouping": topic.grouping,
        "name": topic.heading,
        "severity": topic.severity,
        "count": len(topic.chosen),
        "tenant_id": source.run.tenant_id,
        "run": source.run.now,
        "findings": [dict(found) for found in topic.chosen],
    }


def _title(topic: Topic) -> str:
    first = topic.chosen[0]
    if topic.grouping == "finding":
        return text(first, "title")
    if topic.grouping == "sender":
        return f"Sender {topic.heading}: SMTP AUTH"
    if topic.grouping == "owner":
        return f"SMTP AUTH: what {topic.heading} has to look at"
    rule = _RULES.get(text(first, "rule"))
    return rule.title if rule else text(first, "rule")


# --- the text --------------------------------------------------------------------------------------------------------


def _body(topic: Topic, source: Source) -> Text:
    return tuple(_blocks(topic, source))


def _blocks(topic: Topic, source: Source) -> Iterator[Block]:
    yield Paragraph((_opening(topic, source),))
    if len(topic.chosen) > 1:
        yield _overview(topic)
    for found in topic.chosen[:_DETAILED]:
        yield Heading(f"{text(found, 'title')} ({text(found, 'severity')})")
        yield from _evidence(found)
    if len(topic.chosen) > _DETAILED:
        rest = len(topic.chosen) - _DETAILED
        yield Paragraph((f"The evidence of {rest:,} more stands in the run's report; their ids are in the table.",))
    yield from _remedies(topic)
    yield Heading("What closes this ticket")
    yield Paragraph((_closing(topic, source),))
    yield Heading("Finding ids")
    ids = [found["id"] for found in topic.chosen]
    more = [f"and {len(ids) - _LISTED:,} more, in the attached table"] if len(ids) > _LISTED else []
    yield Bullets(tuple((identity,) for identity in (*ids[:_LISTED], *more)))


def _opening(topic: Topic, source: Source) -> str:
    count = len(topic.chosen)
    what = "1 finding" if count == 1 else f"{count:,} findings"
    return (
        f"{what} about SMTP AUTH in the tenant {source.run.tenant_id}. The text below is tenant-auditor's and is "
        "written anew when the findings change; title, assignee, state and everything else are yours."
    )


def _overview(topic: Topic) -> Table:
    rows = [
        (text(found, "severity"), text(found, "title"), text(found, "object_name"), found["id"])
        for found in topic.chosen[:_LISTED]
    ]
    if len(topic.chosen) > _LISTED:
        rows.append(("…", f"{len(topic.chosen) - _LISTED:,} more", "in the attached table", ""))
    return Table(("Severity", "Finding", "Object", "Id"), tuple(rows))


def evidence_lines(found: Document) -> list[str]:
    """`name: value (dataset)`, one for each fact."""
    return [
        f"{fact.get('name', '')}: {fact.get('value', '')}" + (f" ({fact['dataset']})" if fact.get("dataset") else "")
        for fact in found.get("evidence") or ()
    ]


def _evidence(found: Document) -> Iterator[Block]:
    facts = evidence_lines(found)
    if facts:
        yield Bullets(tuple((fact,) for fact in facts))
    accounts = found.get("accounts") or ()
    if len(accounts) > 1:
        yield Paragraph((f"It touches {len(accounts):,} accounts; the attached table lists them.",))


def _remedies(topic: Topic) -> Iterator[Block]:
    """Each remedy once, whichever findings share it."""
    told: set[tuple[str, str]] = set()
    links: dict[str, None] = {}
    for found in topic.chosen:
        links |= dict.fromkeys(found.get("references") or ())
        remedy = (text(found, "remedy"), text(found, "remedy_risk"))
        if not remedy[0] or remedy in told or len(told) >= _DETAILED:
            continue
        told.add(remedy)
        yield Heading("What to do")
        yield Paragraph((remedy[0],))
        yield Paragraph((f"The risk of doing it: {remedy[1]}",))
    rules = dict.fromkeys(text(found, "rule") for found in topic.chosen)
    yield Heading("Read more")
    pages: list[tuple[str | Link, ...]] = [(f"docs/findings/{rule}.md in tenant-auditor",) for rule in rules]
    yield Bullets((*pages, *((Link(url, url),) for url in links)))


def _closing(topic: Topic, source: Source) -> str:
    names = dict.fromkeys(name for found in topic.chosen for name in rests_on(found, source.run))
    it, they = ("the finding is", "it rests") if len(topic.chosen) == 1 else ("all these findings are", "they rest")
    return (
        f"A run in which {it} gone, and in which all that {they} on was read whole ({', '.join(names)}): the next sync "
        "then closes the ticket. Gone without that is no fix; a comment says so, and the ticket stays open."
    )


# --- the table -------------------------------------------------------------------------------------------------------

_FINDING_COLUMNS = ("finding_id", "severity", "rule", "title")


def _attachments(topic: Topic, source: Source) -> Iterator[Attachment]:
    """Every finding with every account that it touches, where the text does not hold them all."""
    many = any(len(found.get("accounts") or ()) > 1 for found in topic.chosen)
    if len(topic.chosen) > _DETAILED or many:
        header = (*_FINDING_COLUMNS, *ACCOUNT_COLUMNS)
        content = csv_bytes(header, _rows(topic.chosen, source.accounts))
        day = source.run.now[:10].replace("-", "")
        yield Attachment(f"tenant-auditor-{day or 'run'}.csv", content)


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file as the reports have them."""
    stream = _Kept()
    write_csv(stream, header, rows)
    return stream.getvalue()


class _Kept(io.BytesIO):
    """`write_csv` closes what it writes to; the bytes must outlive that."""

    def close(self) -> None: ...


def _rows(chosen: Sequence[Document], accounts: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, ...]]:
    for found in chosen:
        head = (found["id"], text(found, "severity"), text(found, "rule"), text(found, "title"))
        for identity in found.get("accounts") or ("",):
            row = accounts.get(identity, {"user_id": identity})
            yield (*head, *(row.get(name, "") for name in ACCOUNT_COLUMNS))
