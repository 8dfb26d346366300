"""report.html: one file for people who open no workbook. Self-contained, works from a file share, runs no foreign text.

The page is made by a template that escapes everything; its rows are a JSON block that the one inline script reads and
turns into text nodes. A Content Security Policy in the page allows that script and the style sheet by their SHA-256
digests and nothing else: no network, no other script, no markup from strings (Trusted Types). The bytes are a pure
function of the evaluation.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2 import Environment

    from auditor.evaluate import Evaluation

__all__ = ["NAME", "write_report"]

NAME = "report.html"

_SCRIPTS = ("1-core.js", "2-grid.js", "3-path.js", "4-views.js", "5-page.js")
"""The parts of the one inline script, in order."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def write_report(stream: IO[bytes], evaluation: Evaluation) -> None:
    """Write the page as UTF-8, slice by slice. What UTF-8 cannot hold becomes U+FFFD."""
    for part in render(evaluation):
        stream.write(_SURROGATE.sub("\ufffd", part).encode())


def render(evaluation: Evaluation) -> Iterator[str]:
    """The page in slices of text."""
    from markupsafe import Markup

    from auditor.report.html.data import data_block
    from auditor.report.html.page import page_context

    style, script = style_sheet(), inline_script()
    return (
        _environment()
        .get_template("report.html.j2")
        .generate(
            page_context(evaluation),
            policy=content_policy(style, script),
            style=Markup(style),  # noqa: S704 - files of this package, checked by their digest
            script=Markup(script),  # noqa: S704 - the same
            data=(Markup(part) for part in data_block(evaluation)),  # noqa: S704 - JSON without `<`
        )
    )


def content_policy(style: str, script: str) -> str:
    """What the page may do: run this script, use this style sheet, nothing else."""
    return (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


@cache
def style_sheet() -> str:
    return _read("report.css")


@cache
def inline_script() -> str:
    """The parts in one function, so that nothing of it can be reached by name."""
    return '"use strict";\n(() => {\n' + "\n".join(_read(name) for name in _SCRIPTS) + "})();\n"


def _read(name: str) -> str:
    """A file of the package, with line feeds only: the browser hashes what it has parsed, and it parses CRLF as LF."""
    return resources.files(__package__).joinpath("templates", name).read_text("utf-8").replace("\r\n", "\n")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from auditor.report.html import filters

    environment = Environment(
        loader=PackageLoader(__name__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(rich=filters.rich, words=filters.words, opening=filters.opening)
    return environment
