"""Nothing of a text becomes markup, whatever it holds: every notation is read back and gives the text as it stood."""

from __future__ import annotations

import html
import json
import re
import subprocess
import tarfile
from html.parser import HTMLParser

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from markdown_it import MarkdownIt

from auditor.report.html.visible import visible
from auditor.tickets import markup
from auditor.tickets.base import Bullets, Heading, Link, Paragraph, Table, Text

HOSTILE = [
    "{noformat}", "{code}", "{html}<b>{html}", "[x|http://evil.example]", "[~admin]", "!http://evil.example/x.png!",
    "<script>alert(1)</script>", "<!-- tenant-auditor:marker -->", "<img src=x onerror=alert(1)>", "@everyone",
    "@user", "(@user)", "#123", "GH-12", "owner/repo#1", "megan@contoso.example", "`code`", "``", "a|b", "|", "\\",
    "\\|", "a@b|c@d", "a@b\\", "* item", "- item", "# heading", "1. one", "1) one", "h1. x", "h1.", "bq. x",
    "p{color:red}. x", "----", "===", "~~gone~~", "**bold**", "_it_", "$x$", "^up^", "??cite??", "+ins+", "-del-",
    ":)", "(x)", "(!)", ":smile:", "www.evil.example", "http://evil.example", "mailto:a@evil.example", "&amp;",
    "&#123;", "&lt;b&gt;", "\"x\":http://evil.example", "r123", "OPS-12", "commit:abcdef", "{{macro}}", "[[wiki]]",
    "attachment:x.png", "==notextile==", "[code]<b>[/code]", "\u202e", "\x00", "\ud800", "a\nb", "| a | b |",
    "\u2028", "...", "P1-23", "/2. x", "    indented", "> quote", "+ item", "[x]: http://evil.example",
]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12)), min_size=1, max_size=6).flatmap(
    lambda parts: st.sampled_from(["", " ", "@", "|", "\\", "`"]).map(lambda joint: joint.join(parts))
)
RUNS = st.lists(
    st.one_of(TEXTS, st.builds(Link, TEXTS, st.sampled_from(["https://learn.example/page?a=1&b=2", "javascript:x"]))),
    min_size=1,
    max_size=3,
).map(tuple)


def rows(width: int) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(TEXTS, min_size=width, max_size=width).map(tuple)


BLOCKS = st.one_of(
    st.builds(Heading, TEXTS),
    st.builds(Paragraph, RUNS),
    st.builds(Bullets, st.lists(RUNS, min_size=1, max_size=3).map(tuple)),
    st.builds(Table, rows(2), st.lists(rows(2), max_size=3).map(tuple)),
)
DOCUMENTS = st.lists(BLOCKS, min_size=1, max_size=4).map(tuple)


def flat(text: str) -> str:
    return " ".join(visible(text).split())


def squeezed(text: str) -> str:
    return "".join(text.split())


def words(text: Text) -> str:
    """Everything that must be read in the document, without spaces; a link gives its words, or words and address."""
    pieces: list[str] = []
    for block in text:
        match block:
            case Heading(inner):
                pieces.append(inner)
            case Paragraph(runs):
                pieces += _said(runs)
            case Bullets(items):
                for item in items:
                    pieces += _said(item)
            case Table(header, lines):
                pieces += [cell for line in (header, *lines) for cell in line]
    return squeezed("".join(flat(piece) for piece in pieces))


def _said(runs) -> list[str]:
    said = []
    for run in runs:
        if isinstance(run, str):
            said.append(run)
        elif run.url.startswith("https:"):
            said.append(run.text or run.url)
        else:
            said.append(f"{run.text} ({run.url})")
    return said


def links(text: Text) -> int:
    runs = [block.runs for block in text if isinstance(block, Paragraph)]
    runs += [item for block in text if isinstance(block, Bullets) for item in block.items]
    return sum(isinstance(run, Link) and run.url.startswith("https:") for line in runs for run in line)


# --- Markdown ---


def _markdown_tokens(written: str):
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": False}).enable("table")
    for token in parser.parse(written):
        yield token
        yield from token.children or ()


@settings(deadline=None)
@given(DOCUMENTS)
def test_markdown_shows_the_text_and_nothing_of_it_acts(document):
    said, code, opened, linked = [], [], 0, 0
    for token in _markdown_tokens(markup.markdown(document)):
        assert token.type not in ("html_inline", "html_block", "image", "fence", "code_block", "hr", "blockquote_open")
        assert token.type not in ("strong_open", "em_open", "s_open", "ordered_list_open")
        opened += token.type == "heading_open"
        if token.type == "link_open":
            linked += 1
            assert token.attrs["href"] == "https://learn.example/page?a=1&b=2"
        if token.type in ("text", "text_special", "code_inline"):
            said.append(token.content)
        if token.type == "code_inline":
            code.append(token.content)
        if token.type == "text":
            assert "@" not in token.content, "a mention or an address outside code"
    assert squeezed("".join(said)) == words(document)
    assert opened == sum(isinstance(block, Heading) for block in document)
    assert linked == links(document)


@pytest.mark.parametrize("name", ["@everyone", "#123", "GH-7", "a/b#3", "a@b.example", ":tada:", "(@me)"])
def test_what_github_would_link_stands_in_code(name):
    assert markup.markdown((Paragraph((f"See {name} there",)),)) == f"See `{name}` there"


def test_pieces_of_a_line_do_not_meet_as_marks():
    line = (Paragraph(("see @a", "@b", "-", Link("x", "javascript:y"), "* z")),)
    assert markup.markdown(line) == "see `@a@b-x` (javascript:y)\\* z"
    assert markup.wiki(line) == "see &#64;a&#64;b-x &#40;javascript&#58;y&#41;&#42; z"


def test_addresses_of_the_text_are_no_links_on_github():
    assert markup.markdown((Paragraph(("http://evil.example www.evil.example",)),)) == (
        "http&#58;//evil.example www&#46;evil.example"
    )


# --- HTML ---


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.hrefs: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            assert (tag, name) == ("a", "href")
            self.hrefs.append(value)

    def handle_data(self, data):
        self.said.append(data)

    def handle_comment(self, data):
        raise AssertionError("a comment came out of the text")


@settings(deadline=None)
@given(DOCUMENTS)
def test_html_holds_our_tags_only_and_is_well_formed(document):
    written = markup.html(document)
    reader = _Reader()
    reader.feed(written)
    reader.close()
    assert set(reader.tags) <= {"h3", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "a"}
    assert set(reader.hrefs) <= {"https://learn.example/page?a=1&b=2"}
    assert len(reader.hrefs) == links(document)
    assert squeezed("".join(reader.said)) == words(document)
    etree.fromstring(f"<body>{written}</body>")  # every tag is closed


@settings(deadline=None)
@given(DOCUMENTS)
def test_html_may_stand_in_a_servicenow_code_tag(document):
    assert "[" not in markup.html(document)


# --- Jira's wiki markup and Textile ---

_REFERENCE = re.compile(r"&#\d+;")


def _pieces(written: str, ours: str) -> list[str]:
    """The texts of a line, our own marks (a pattern) and addresses taken out."""
    return re.split(ours, written)


def _is_inert(piece: str) -> None:
    """No mark of either notation stands outside a character reference."""
    bare = _REFERENCE.sub("0", piece)
    assert not re.search(r"[!-+:-@\[-^`{-~]", bare), piece
    assert not re.search(r"(^|\s)[-_]|[-_](\s|$)", bare), piece
    assert not re.match(r"(h\d|bq|bc|p|pre|fn\d+|table|notextile)\.(\s|$)", bare), piece
    assert "www." not in bare.lower()


@settings(deadline=None)
@given(TEXTS)
def test_wiki_markup_and_textile_leave_no_mark_of_the_text(text):
    for write in (markup.wiki, markup.textile):
        written = write((Paragraph((text,)),))
        _is_inert(written)
        assert html.unescape(written) == flat(text)
        assert "\n" not in written


@settings(deadline=None)
@given(st.lists(rows(3), min_size=1, max_size=4), st.sampled_from([("wiki", "||", "|"), ("textile", "|_. ", "|")]))
def test_a_table_has_the_cells_it_was_given(lines, notation):
    name, head, bar = notation
    written = getattr(markup, name)((Table(("a", "b", "c"), tuple(lines)),)).split("\n")
    assert written[0] == f"{head}a{head}b{head}c{'||' if name == 'wiki' else bar}"
    read = [[html.unescape(cell).strip() for cell in line[1:-1].split("|")] for line in written[1:]]
    assert read == [[flat(cell) for cell in line] for line in lines]
    for line in written[1:]:
        for cell in line[1:-1].split("|"):
            _is_inert(cell.strip())


def test_wiki_markup_as_a_person_would_write_it():
    document = (
        Heading("What to do"),
        Paragraph(("See ", Link("the page", "https://learn.example/x"), " first.")),
        Bullets((("one",), ("two {code}",))),
        Table(("Account", "State"), (("a_b-c", ""),)),
    )
    assert markup.wiki(document) == (
        "h3. What to do\n\nSee [the page|https://learn.example/x] first.\n\n* one\n* two &#123;code&#125;\n\n"
        "||Account||State||\n|a_b-c| |"
    )
    assert markup.textile(document) == (
        'h3. What to do\n\nSee "the page":https://learn.example/x first.\n\n* one\n* two &#123;code&#125;\n\n'
        "|_. Account|_. State|\n|a_b-c| |"
    )


# --- plain ---


def test_plain_text_is_readable():
    document = (
        Heading("What to do"),
        Paragraph(("See ", Link("the page", "https://learn.example/x"), ".")),
        Bullets((("one",), ("two",))),
        Table(("Account", "State"), (("a", "open"),)),
    )
    assert markup.plain(document) == (
        "What to do\n----------\n\nSee the page (https://learn.example/x).\n\n* one\n* two\n\nAccount | State\na | open"
    )


@settings(deadline=None)
@given(st.text(), st.integers(min_value=2, max_value=60))
def test_a_title_is_one_line_within_its_limit(text, limit):
    title = markup.line(text, limit)
    assert len(title.encode("utf-16-le")) // 2 <= limit
    assert len(title.splitlines()) <= 1
    title.encode()


def test_an_emoji_counts_as_the_systems_count_it():
    assert markup.line("😀" * 200, 255) == "😀" * 127 + "…"
    assert markup.line("😀" * 127, 255) == "😀" * 127
    cut = markup.plain((Paragraph(("😀" * 60,)), Paragraph(("😀" * 60,))), 239)
    assert cut == f"{'😀' * 60}\n\n{markup.plain((markup.CUT,))}"


# --- the Atlassian Document Format ---


@pytest.fixture(scope="session")
def adf_schema(tmp_path_factory) -> dict:
    """Atlassian's own schema, from its npm package; it is fetched, never kept in the repository."""
    folder = tmp_path_factory.mktemp("adf")
    try:
        subprocess.run(
            ["npm", "pack", "--silent", "@atlaskit/adf-schema@57.7.22"],
            cwd=folder, check=True, capture_output=True, timeout=120,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"npm did not give Atlassian's schema: {error}")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        member = archive.extractfile("package/dist/json-schema/v1/full.json")
        assert member is not None
        return json.load(member)


def test_adf_is_valid_by_atlassians_own_schema(adf_schema):
    validator = jsonschema.Draft4Validator(adf_schema)
    assert not validator.is_valid({"type": "doc", "version": 1, "content": [{"type": "text", "text": ""}]})

    @settings(deadline=None, max_examples=15)
    @given(DOCUMENTS)
    def holds(document):
        written = markup.adf(document)
        validator.validate(written)
        assert squeezed("".join(_adf_texts(written))) == words(document)

    holds()
    validator.validate(markup.adf(LONG, 2000))


def _adf_texts(node):
    if node["type"] == "text":
        assert node["text"]
        yield node["text"]
    for inner in node.get("content", ()):
        yield from _adf_texts(inner)


# --- limits ---

LONG: Text = (
    Heading("Accounts"),
    Paragraph(("All of them.",)),
    Table(("Account", "State"), tuple((f"account {number}", "open") for number in range(4000))),
)


@pytest.mark.parametrize(
    ("write", "size"),
    [
        (markup.plain, len),
        (markup.markdown, len),
        (markup.html, len),
        (markup.wiki, len),
        (markup.textile, len),
        (markup.adf, lambda document: len(json.dumps(document, ensure_ascii=False))),
    ],
)
def test_a_long_text_is_cut_between_rows_with_a_note(write, size):
    cut = write(LONG, 2000)
    assert 1500 < size(cut) <= 2000
    text = cut if isinstance(cut, str) else json.dumps(cut)
    assert "The text was cut here" in text
    assert "account 1" in text
    assert "account 3999" not in text
    assert write(LONG, 10**7) == write(LONG)


@settings(deadline=None)
@given(DOCUMENTS, st.integers(min_value=150, max_value=600))
def test_cut_html_is_still_well_formed(document, limit):
    written = markup.html(document, limit)
    assert len(written.encode("utf-16-le")) // 2 <= limit
    etree.fromstring(f"<body>{written}</body>")
