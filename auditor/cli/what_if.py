"""`auditor what-if`: judges a snapshot with changes applied, offline; neither the tenant nor the snapshot is touched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from auditor.cli.options import PATH, config_option, now_option

FORMATS = ("text", "json")
"""`text` for people, `json` for machines; both on stdout."""

GRAMMAR = (
    ("policy", "POLICY=STATE", "A Conditional Access policy, by name or id: enabled, disabled or report-only."),
    ("exclude", "POLICY=WHO", "A user, group or app is excluded from a policy."),
    ("unexclude", "POLICY=WHO", "A user, group or app is no longer excluded from it."),
    ("enforce-report-only", "", "Every report-only policy acts."),
    ("enforce-managed", "", "Every Microsoft-managed policy that only reports acts."),
)


def format_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="What stdout holds."
    )(function)
