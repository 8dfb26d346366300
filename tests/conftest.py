"""What all tests share: where the repository lies, and the rule that nothing is skipped silently on CI."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("auditor", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("auditor")  # no test asserts how fast a machine is

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with Graph's own description; tests that need it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("shared/ is not beside this checkout")
    return SHARED


@pytest.fixture
def table_row(record_property: Callable[[str, object], None]) -> Callable[[str, Mapping[str, object]], None]:
    """`table_row(title, {column: cell})`: rows of one title stand as a table at the end of the tests' output, whichever
    process each was made in."""
    return lambda title, cells: record_property("table row", [title, {name: str(cell) for name, cell in cells.items()}])


def pytest_terminal_summary(terminalreporter):
    tables: dict[str, list[dict[str, str]]] = {}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "table row":
                tables.setdefault(value[0], []).append(value[1])
    for title, rows in tables.items():
        terminalreporter.section(title)
        widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
        for row in ({name: name for name in widths}, *rows):
            terminalreporter.write_line("  ".join(row[name].ljust(width) for name, width in widths.items()).rstrip())


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With AUDITOR_REQUIRE_TOOLS=1 a skipped test is a failed one, by name."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("AUDITOR_REQUIRE_TOOLS") == "1" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not allow: {report.longrepr}"
