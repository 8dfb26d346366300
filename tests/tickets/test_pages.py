"""The page of each system: its example can be used as it stands, and it names every key."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from auditor.tickets import systems
from auditor.tickets.settings import TicketSettings

PAGES = Path(__file__).resolve().parents[2] / "docs" / "tickets"
COMMON = {field.encode_name for field in msgspec.structs.fields(TicketSettings)}
SAME_KEYS = {"jira-data-center": "jira-cloud"}
"""system → whose table of keys its page refers to"""


def example(page: str) -> dict:
    [entry] = tomllib.loads(page.split("```toml\n")[1].split("```")[0])["tickets"]
    return entry


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.md")), ids=lambda path: path.stem)
def test_the_example_is_a_config_and_every_key_is_named(path):
    page = path.read_text(encoding="utf-8")
    entry = example(page)
    assert entry["system"] == path.stem
    kind = systems.settings_of(path.stem)
    msgspec.convert(entry, kind)
    if path.stem in SAME_KEYS:
        page += (PAGES / f"{SAME_KEYS[path.stem]}.md").read_text(encoding="utf-8")
    own = {field.encode_name for field in msgspec.structs.fields(kind)} - COMMON
    assert [key for key in sorted(own) if f"`{key}`" not in page and f"{key} = " not in page] == []


def test_the_vendors_have_their_pages():
    vendors = {"jira-cloud", "jira-data-center", "servicenow", "azure-devops", "github", "webhook"}
    assert vendors <= {path.stem for path in PAGES.glob("*.md")}
