"""Progress of a collection on stderr: a line that changes for people, a line of JSON per event for machines."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import click

from auditor.clock import iso

if TYPE_CHECKING:
    from auditor.collect.progress import Pace, Progress
    from auditor.tenant import DatasetStatus

LogFormat = Literal["text", "json"]

log_format_option = click.option(
    "--log-format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="json: one JSON object per line on stderr.",
)

_OFTEN = 1.0
"""seconds between two events of one dataset's pages"""


def progress_of(log_format: LogFormat) -> Progress:
    return JsonLog() if log_format == "json" else Terminal()


def log(event: str, **values: Any) -> None:
    """One event as a line of JSON on stderr."""
    document = {"time": iso(datetime.now(UTC)), "event": event} | values
    click.echo(json.dumps(document, ensure_ascii=False), err=True)


class JsonLog:
    """`started`, `page` and `finished` of each dataset; pages of one dataset at most once a second."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._last: dict[str, float] = {}

    def started(self, dataset: str) -> None:
        log("started", dataset=dataset)

    def page(self, dataset: str, pace: Pace) -> None:
        now = self._monotonic()
        if now - self._last.get(dataset, float("-inf")) < _OFTEN:
            return
        self._last[dataset] = now
        left = pace.seconds_left
        log(
            "page",
            dataset=dataset,
            records=pace.records,
            expected=pace.expected,
            records_per_second=round(pace.rate, 1),
            quota=None if pace.quota is None else round(pace.quota, 3),
            seconds_left=None if left is None else round(left),
        )

    def finished(self, dataset: str, status: DatasetStatus) -> None:
        log("finished", dataset=dataset, state=status.state, records=status.records, reason=status.reason)


class Terminal:
    """One line that changes on a terminal, with what is being read now; nothing elsewhere."""

    def __init__(self, live: bool | None = None) -> None:
        self._live = sys.stderr.isatty() if live is None else live
        self._reading: dict[str, str] = {}

    def started(self, dataset: str) -> None:
        self._reading[dataset] = dataset
        self._show()

    def page(self, dataset: str, pace: Pace) -> None:
        self._reading.pop(dataset, None)
        self._reading = {dataset: f"{dataset} {_told(pace)}"} | self._reading  # what moves stands first
        self._show()

    def finished(self, dataset: str, status: DatasetStatus) -> None:
        self._reading.pop(dataset, None)
        if not self._live:
            return
        self._line("")
        note = f" ({status.reason})" if status.reason else ""
        click.echo(f"\r  {dataset}: {status.state}, {status.records:,}{note}", err=True)
        self._show()

    def _show(self) -> None:
        if self._live:
            self._line("reading " + "; ".join(self._reading.values()) if self._reading else "")

    def _line(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        click.echo(f"\r{text:<{width}.{width}}", err=True, nl=False)


def _told(pace: Pace) -> str:
    """`34,965 of 100,000, 820/s, quota 12 %, 1:20 left`: only what is known."""
    parts = [f"{pace.records:,}" + (f" of {pace.expected:,}" if pace.expected else "")]
    if pace.rate:
        parts.append(f"{pace.rate:,.0f}/s")
    if pace.quota is not None:
        parts.append(f"quota {pace.quota:.0%}")
    if pace.seconds_left is not None:
        minutes, seconds = divmod(round(pace.seconds_left), 60)
        parts.append(f"{minutes}:{seconds:02} left")
    return ", ".join(parts)
