"""The keys of [[tickets]]: the example's entries are what the systems know, and the pages name every key."""

from __future__ import annotations

import re

import msgspec
import pytest

from auditor.config import load
from auditor.errors import ConfigError
from auditor.tickets.settings import TicketSettings, load_settings
from auditor.tickets.systems import MODULES, settings_of


@pytest.fixture
def example(root, tmp_path):
    text = (root / "config.example.toml").read_text("utf-8")
    start = text.index("#[[tickets]]")
    path = tmp_path / "config.toml"
    path.write_text(re.sub(r"(?m)^#(?! )", "", text[start:]), encoding="utf-8")
    return path


def test_the_example_has_a_valid_entry_of_every_system(example):
    config = load(example)
    found = [load_settings(config, example, table["name"]) for table in config.config.tickets]
    assert sorted(settings.system for settings in found) == sorted(MODULES)


def test_the_example_shows_every_common_key_and_its_default(example):
    first = load(example).config.tickets[0]
    defaults = {
        field.name: field.default for field in msgspec.structs.fields(TicketSettings)
        if not isinstance(field.default, type(msgspec.NODEFAULT))
    }  # fmt: skip
    assert set(first) >= {*defaults, "name", "system", "url", "fields"}
    for key in ("group_by", "min_severity", "max_new", "pseudonymise", "reopen_done"):
        assert first[key] == defaults[key], key


@pytest.mark.parametrize("system", MODULES)
def test_every_key_stands_on_its_page(root, system):
    common = (root / "docs" / "tickets.md").read_text("utf-8")
    page = (root / "docs" / "tickets" / f"{system}.md").read_text("utf-8")
    if "As for [Jira Cloud]" in page:
        page += (root / "docs" / "tickets" / "jira-cloud.md").read_text("utf-8")
    for field in msgspec.structs.fields(settings_of(system)):
        name = field.encode_name
        assert re.search(rf"(?m)`{name}`|^{name} = ", common + page), name
    assert f"tickets/{system}.md" in common


def test_relative_paths_start_at_the_config(example):
    settings = load_settings(load(example), example, "service-desk")
    assert settings.ca_bundle == str((example.parent / "contoso-ca.pem").resolve())


def test_a_name_that_stands_twice_is_refused(example):
    example.write_text(example.read_text("utf-8").replace('"csirt"', '"redmine"'), encoding="utf-8")
    with pytest.raises(ConfigError, match="name: stands twice"):
        load_settings(load(example), example, "redmine")
