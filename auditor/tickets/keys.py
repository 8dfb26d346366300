"""The keys of tickets, back into the run: tickets.json, which the next run reads with `--previous`, and the cells of
Ticket in the run's workbook where the analyst left them empty."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from auditor.errors import UsageError
from auditor.previous import TICKETS, WORKBOOK, read_tickets, ticket_keys
from auditor.report.files import Batch
from auditor.tickets.base import Ticket
from auditor.tickets.cells import fill

_LOCKS = (f"~${WORKBOOK}", f".~lock.{WORKBOOK}#")
"""What Excel and LibreOffice lay beside an open workbook."""


def hand_back(folder: Path, name: str, tickets: Mapping[str, Ticket]) -> list[str]:
    """`tickets`: finding id → its ticket in the system that the config calls `name`; other systems' keys stay. Returns
    what a person must know: never an error, for the tickets are made."""
    try:
        known = read_tickets(folder)
        for identity, ticket in tickets.items():
            known.setdefault(identity, {})[name] = {"key": ticket.key, "url": ticket.url}
        with Batch(folder) as files, files.new(TICKETS) as stream:
            stream.write((json.dumps({"tickets": known}, indent=2, sort_keys=True) + "\n").encode())
    except UsageError as error:
        return [f"The tickets' keys were not written into the run: {error.message}"]
    return _into_workbook(folder, ticket_keys(folder))


def _into_workbook(folder: Path, keys: Mapping[str, str]) -> list[str]:
    path = folder / WORKBOOK
    if not path.is_file():
        return []
    later = f"The keys are in {TICKETS}; the next run with --previous takes them from there."
    if any((folder / lock).exists() for lock in _LOCKS):
        return [f"{path} is open in another program, so its column Ticket was not filled. {later}"]
    try:
        fill(path, keys)
    except UsageError as error:
        return [f"{error.message} Its column Ticket was not filled. {later}"]
    return []
