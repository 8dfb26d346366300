"""How the template turns plain texts into markup. Each returns escaped text."""

from __future__ import annotations

from markupsafe import Markup, escape


def rich(text: str) -> Markup:
    """The text with what stands between backticks as code."""
    code = Markup("<code>{}</code>")
    return Markup("").join(
        code.format(part) if number % 2 else escape(part) for number, part in enumerate(text.split("`"))
    )


def words(text: str) -> str:
    """A word of the program for people: `not_applicable` without its underscore. Other texts stay as they are."""
    return text.replace("_", " ") if text.islower() and text.replace("_", "").isalpha() else text


def opening(text: str, limit: int = 260) -> str:
    """The first sentences of a text."""
    if len(text) <= limit:
        return text
    end = text.rfind(". ", 0, limit)
    return f"{text[: end + 1]} …" if end > 0 else f"{text[:limit].rpartition(' ')[0]} …"
