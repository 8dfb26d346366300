"""The documentation is complete, follows from the records, and says nothing that is known to be wrong."""

from __future__ import annotations

import importlib.util
import re
import subprocess

import pytest

from auditor import blockers, findings
from auditor.accounts import COLUMNS
from auditor.verdict import DECIDING_ORDER

TEXT = {".md", ".py", ".toml", ".txt", ".csv", ".json", ".cfg", ""}


@pytest.fixture(scope="module")
def generate(root):
    spec = importlib.util.spec_from_file_location("docs_generate", root / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_those_of_the_records(generate):
    stale = [
        path.name for path, text in generate.pages().items() if not path.exists() or path.read_text("utf-8") != text
    ]
    assert not stale, f"run `python docs/generate.py`: {stale}"


def test_modules_records_pages_and_columns_are_the_same_set(root):
    ids = {blocker.id for blocker in blockers.BLOCKERS}
    modules = {
        path.stem.replace("_", "-")
        for path in (root / "auditor" / "blockers").glob("*.py")
        if re.search(r"^BLOCKER\b", path.read_text("utf-8"), re.MULTILINE)
    }
    pages = {path.stem for path in (root / "docs" / "blockers").glob("*.md")} - {"README"}
    assert ids == modules == pages == set(DECIDING_ORDER) == set(COLUMNS[-14:])
    assert [blocker.id for blocker in blockers.BLOCKERS] == list(DECIDING_ORDER)
    assert {rule.id for rule in findings.RULES} == {path.stem for path in (root / "docs" / "findings").glob("*.md")} - {
        "README"
    }


def test_every_local_link_leads_somewhere(root):
    for page in [root / "README.md", *(root / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if not re.match(r"[a-z]+:", target):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_readme_has_exactly_two_set_up_commands(root):
    commands = re.findall(r"^python dev\.py .*$", (root / "README.md").read_text("utf-8"), re.MULTILINE)
    assert commands == ["python dev.py demo", "python dev.py test"]


FORBIDDEN = (
    r"september 2025",
    r"30 april 2026",
    r"april 30,? 2026",
    r"2026-04-30",
    r"cannot be re-?enabled",
    r"can't be re-?enabled",
    r"will survive",
    r"(guarantee|promise)s? that .{0,40}(override|setting|policy) (survives|stays)",
)


def tracked(root):
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [root / name for name in names if (root / name).suffix in TEXT and (root / name).is_file()]


def test_superseded_dates_and_promises_stand_nowhere(root):
    for path in tracked(root):
        if path.is_relative_to(root / "tests"):  # tests name what they forbid
            continue
        text = path.read_text("utf-8", errors="replace").lower()
        for pattern in FORBIDDEN:
            found = re.search(pattern, text)
            assert not found, f"{path.relative_to(root)}: {found.group(0)}"


def test_no_registry_address_and_no_path_of_this_machine(root):
    words = ("index" + "-url", r"files\.pythonhosted", "://" + r"[^\s\"']*/simple" + r"\b", r"\"resolved\": *\"https?:")
    registry = re.compile("|".join(words))  # in pieces, so that this file holds no such text itself
    machine = str(root.parent)
    for path in tracked(root):
        if path.name == "test_docs.py":
            continue
        text = path.read_text("utf-8", errors="replace")
        assert not registry.search(text), path
        assert f"{machine}/{root.name}" not in text, path


BAD_ADVICE = (
    r"(disable|turn off|switch off) security defaults(?! (only|together|alone))",
    r"use an app password",
    r"SmtpClientAuthenticationDisabled \$false`? (for|on|in) the (whole )?organi[sz]ation",
)


def test_remedies_repeat_none_of_the_bad_advice():
    texts = [(blocker.id, blocker.remedy) for blocker in blockers.BLOCKERS]
    texts += [(rule.id, rule.remedy) for rule in findings.RULES]
    for name, text in texts:
        for pattern in BAD_ADVICE:
            found = re.search(pattern, text, re.IGNORECASE)
            negated = found and re.search(
                r"\b(not|never|do not|don't)\b[^.]{0,60}$", text[: found.start()], re.IGNORECASE
            )
            assert not found or negated, f"{name}: {found.group(0)}"
