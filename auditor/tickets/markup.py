"""A ticket's text in the markup of its system, where nothing of the text can act as markup.

Names and evidence come from a tenant, where anybody may have chosen them: a display name can hold `{noformat}`,
`<script>`, `@everyone` or a link. Each writer shows them as they stand. Sources of the notations: GitHub Flavored
Markdown (https://github.github.com/gfm/), Jira's text formatting notation
(https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all), Textile as Redmine reads it
(https://www.redmine.org/projects/redmine/wiki/RedmineTextFormattingTextile) and the Atlassian Document Format
(https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/).
"""

from __future__ import annotations

import html as htmllib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from auditor.report.formats.markdown import escaped
from auditor.report.html.visible import visible
from auditor.tickets.base import Block, Bullets, Heading, Paragraph, Run, Table, Text

CUT = Paragraph(("The text was cut here, at what the ticket system takes. The run's report holds the whole.",))

_T = TypeVar("_T")

_ADDRESS = re.compile(r"https?://[\w.:-]+(/[\w./?&=%#~:+,;-]*)?", re.ASCII)
"""Addresses that may become links; any other is written out as text."""


def line(text: str, limit: int = 0) -> str:
    """A title: one line, nothing unseen in it, at most `limit` characters."""
    flat = _flat(text)
    if not limit or _units(flat) <= limit:
        return flat
    head = flat.encode("utf-16-le")[: 2 * (limit - 1)].decode("utf-16-le", "ignore")
    return f"{head.rstrip()}…"


def plain(text: Text, limit: int = 0) -> str:
    return _fitted(text, limit, lambda blocks: _joined(_plain_block(block) for block in blocks), _units)


def markdown(text: Text, limit: int = 0) -> str:
    """GitHub Flavored Markdown, with no mention, reference or emoji that the text did not get from us."""
    return _fitted(text, limit, lambda blocks: _joined(_markdown_block(block) for block in blocks), _units)


def html(text: Text, limit: int = 0) -> str:
    return _fitted(text, limit, lambda blocks: "".join(_html_block(block) for block in blocks), _units)


def wiki(text: Text, limit: int = 0) -> str:
    """Jira's wiki markup."""
    return _fitted(text, limit, lambda blocks: _joined(_wiki_block(block) for block in blocks), _units)


def textile(text: Text, limit: int = 0) -> str:
    """Textile as Redmine reads it."""
    return _fitted(text, limit, lambda blocks: _joined(_textile_block(block) for block in blocks), _units)


def adf(text: Text, limit: int = 0) -> dict[str, Any]:
    """An Atlassian document. `limit` bounds its JSON, which is never shorter than what Jira counts."""
    return _fitted(text, limit, _document, lambda document: _units(json.dumps(document, ensure_ascii=False)))


# --- cutting ---------------------------------------------------------------------------------------------------------


def _fitted(text: Text, limit: int, write: Callable[[Text], _T], size: Callable[[_T], int]) -> _T:
    """The whole text, or as many of its blocks, table rows and items as fit together with the note."""
    whole = write(text)
    if not limit or size(whole) <= limit:
        return whole
    fits, too_many = 0, sum(_pieces(block) for block in text)
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if size(write((*_first(text, middle), CUT))) <= limit:
            fits = middle
        else:
            too_many = middle
    return write((*_first(text, fits), CUT))


def _pieces(block: Block) -> int:
    match block:
        case Table(rows=rows):
            return max(1, len(rows))
        case Bullets(items=items):
            return len(items)
        case _:
            return 1


def _first(text: Text, pieces: int) -> Text:
    chosen: list[Block] = []
    for block in text:
        if pieces <= 0:
            break
        match block:
            case Table(header, rows):
                chosen.append(Table(header, rows[:pieces]))
            case Bullets(items):
                chosen.append(Bullets(items[:pieces]))
            case _:
                chosen.append(block)
        pieces -= _pieces(block)
    return tuple(chosen)


# --- common ----------------------------------------------------------------------------------------------------------


def _joined(blocks: Iterable[str]) -> str:
    return "\n\n".join(block for block in blocks if block)


def _units(text: str) -> int:
    """Characters as Jira, ServiceNow (Java) and Azure DevOps (.NET) count them: an emoji is two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _flat(text: str) -> str:
    return " ".join(visible(text).split())


def _parts(runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """(text, address) of a line's pieces; the address is empty for plain text, which comes in one piece between links:
    escaping looks at what stands beside a mark. A link whose address is none we would follow is written out."""
    plain_text = ""
    for run in runs:
        if isinstance(run, str):
            plain_text += run
        elif _ADDRESS.fullmatch(run.url):
            yield _spaced(plain_text), ""
            plain_text = ""
            yield _flat(run.text) or run.url, run.url
        else:
            plain_text += f"{run.text} ({run.url})"
    yield _spaced(plain_text), ""


def _spaced(text: str) -> str:
    """A piece of a line keeps one space where it has any at its ends."""
    flat = _flat(text)
    return f"{' ' * text[:1].isspace()}{flat}{' ' * text[-1:].isspace()}" if flat else " " * bool(text)


def _line(runs: Sequence[Run], words: Callable[[str], str], link: Callable[[str, str], str]) -> str:
    return "".join(link(text, url) if url else words(text) for text, url in _parts(runs)).strip()


# --- plain -----------------------------------------------------------------------------------------------------------


def _plain_block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"{_flat(text)}\n{'-' * max(3, len(_flat(text)))}"
        case Paragraph(runs):
            return _plain_line(runs)
        case Bullets(items):
            return "\n".join(f"* {_plain_line(item)}" for item in items)
        case Table(header, rows):
            return "\n".join(" | ".join(_flat(cell) for cell in row) for row in (header, *rows))


def _plain_line(runs: Sequence[Run]) -> str:
    return _line(runs, str, lambda text, url: url if text == url else f"{text} ({url})")


# --- Markdown --------------------------------------------------------------------------------------------------------

_TOKENS = re.compile(r"(\s|[|\\`])")
_REFERENCE = re.compile(r"[@#]|\bGH-\d|:[\w+-]+:", re.IGNORECASE)
"""What GitHub makes a mention, a reference, an address or an emoji of; inside code it does not."""


def _markdown_block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"### {_markdown_words(_flat(text))}"
        case Paragraph(runs):
            return _markdown_line(runs)
        case Bullets(items):
            return "\n".join(f"- {_markdown_line(item)}" for item in items)
        case Table(header, rows):
            cells = [[_markdown_words(_flat(cell)) for cell in row] for row in (header, *rows)]
            lines = [f"| {' | '.join(row)} |" for row in cells]
            return "\n".join([lines[0], "|" + "---|" * len(header), *lines[1:]])


def _markdown_line(runs: Sequence[Run]) -> str:
    return _line(runs, _markdown_words, lambda text, url: f"[{_markdown_words(text)}](<{htmllib.escape(url)}>)")


def _markdown_words(text: str) -> str:
    """No token of code holds a backtick, a backslash or a bar, so none ends early and none breaks a table."""
    return "".join(f"`{token}`" if _REFERENCE.search(token) else _escaped(token) for token in _TOKENS.split(text))


def _escaped(token: str) -> str:
    return token if token.isspace() else escaped(token)


# --- HTML ------------------------------------------------------------------------------------------------------------

_BRACKETS = str.maketrans({"[": "&#91;", "]": "&#93;"})
"""ServiceNow's `[code]` must not end inside a text."""


def _html_block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"<h3>{_html_words(_flat(text))}</h3>"
        case Paragraph(runs):
            return f"<p>{_html_line(runs)}</p>"
        case Bullets(items):
            return f"<ul>{''.join(f'<li>{_html_line(item)}</li>' for item in items)}</ul>"
        case Table(header, rows):
            body = "".join(_html_row("td", row) for row in rows)
            return f"<table><thead>{_html_row('th', header)}</thead><tbody>{body}</tbody></table>"


def _html_row(tag: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{_html_words(_flat(cell))}</{tag}>' for cell in cells)}</tr>"


def _html_line(runs: Sequence[Run]) -> str:
    return _line(runs, _html_words, lambda text, url: f'<a href="{_html_words(url)}">{_html_words(text)}</a>')


def _html_words(text: str) -> str:
    return htmllib.escape(text).translate(_BRACKETS)


# --- Jira's wiki markup and Textile ----------------------------------------------------------------------------------

_ACTIVE = re.compile(
    r"[!-+:-@\[-^`{-~]"  # every ASCII punctuation mark but , - . / _
    r"|(?<![^\W_])[-_]|[-_](?![^\W_])"  # a dash or underscore at a word's edge
    r"|(?<=www)\.|\.(?=\.)|(?<=\.)\."
    r"|\br(?=\d)",  # a revision of Redmine's
    re.IGNORECASE,
)
_FIRST_WORD = re.compile(r"^(h\d|b[cq]|p|pre|fn\d+|dl|table|clear|notextile|/\d+)\.(?=\s|$)", re.IGNORECASE)
"""What acts where a line or a cell begins."""

_KEY = re.compile(r"\b([A-Z][A-Z0-9_]+)-(?=\d)", re.IGNORECASE)
"""An issue of Jira's, which would become a link."""


def _entities(text: str) -> str:
    """Both notations show a character reference as its character, and neither acts on it."""
    begun = _KEY.sub("\\1\x01", _FIRST_WORD.sub("\\1\x00", text))  # `visible` has left no control character
    written = _ACTIVE.sub(lambda match: f"&#{ord(match.group())};", begun)
    return written.replace("\x00", "&#46;").replace("\x01", "&#45;")


def _wiki_block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"h3. {_entities(_flat(text))}"
        case Paragraph(runs):
            return _wiki_line(runs)
        case Bullets(items):
            return "\n".join(f"* {_wiki_line(item)}" for item in items)
        case Table(header, rows):
            return "\n".join([f"||{'||'.join(_cells(header))}||", *(f"|{'|'.join(_cells(row))}|" for row in rows)])


def _wiki_line(runs: Sequence[Run]) -> str:
    return _line(runs, _entities, lambda text, url: f"[{_entities(text)}|{url}]")


def _cells(row: Sequence[str]) -> list[str]:
    """An empty cell needs a space, or two bars would make a heading of it."""
    return [_entities(_flat(cell)) or " " for cell in row]


def _textile_block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"h3. {_entities(_flat(text))}"
        case Paragraph(runs):
            return _textile_line(runs)
        case Bullets(items):
            return "\n".join(f"* {_textile_line(item)}" for item in items)
        case Table(header, rows):
            head = "".join(f"|_. {cell}" for cell in _cells(header))
            return "\n".join([f"{head}|", *(f"|{'|'.join(_cells(row))}|" for row in rows)])


def _textile_line(runs: Sequence[Run]) -> str:
    return _line(runs, _entities, lambda text, url: f'"{_entities(text)}":{url}')


# --- the Atlassian Document Format -----------------------------------------------------------------------------------


def _document(blocks: Text) -> dict[str, Any]:
    return {"type": "doc", "version": 1, "content": [_adf_block(block) for block in blocks if _pieces(block)]}


def _adf_block(block: Block) -> dict[str, Any]:
    match block:
        case Heading(text):
            return {"type": "heading", "attrs": {"level": 3}, "content": _adf_runs((text,))}
        case Paragraph(runs):
            return _adf_paragraph(runs)
        case Bullets(items):
            return {
                "type": "bulletList",
                "content": [{"type": "listItem", "content": [_adf_paragraph(item)]} for item in items],
            }
        case Table(header, rows):
            return {
                "type": "table",
                "content": [_adf_row("tableHeader", header), *(_adf_row("tableCell", row) for row in rows)],
            }


def _adf_row(kind: str, cells: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "tableRow",
        "content": [{"type": kind, "content": [_adf_paragraph((cell,))]} for cell in cells],
    }


def _adf_paragraph(runs: Sequence[Run]) -> dict[str, Any]:
    return {"type": "paragraph", "content": _adf_runs(runs)}


def _adf_runs(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Text nodes; Jira refuses an empty one."""
    return [_adf_text(text, url) for text, url in _parts(runs) if text]


def _adf_text(text: str, url: str) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "text", "text": text}
    return {**node, "marks": [{"type": "link", "attrs": {"href": url}}]} if url else node
