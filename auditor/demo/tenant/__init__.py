"""The generator of the emulated tenant: a fictional company, the same for the same seed on any machine.

`generate` makes everything that the emulated services serve. Nothing here reads a clock or depends on hash order:
dates come from `now`, ids from the seed and a name, so that they stay the same from quarter to quarter and at every
size. The special accounts (about 110) are always there; filler is drawn up to the number asked for.
"""

from __future__ import annotations

from auditor.demo.tenant.build import generate
from auditor.demo.tenant.fates import WITNESSES, Witness
from auditor.demo.tenant.ids import QUARTER_DAYS
from auditor.demo.tenant.quarters import Change, changes
from auditor.demo.tenant.scenarios import DEFAULT_NOW
from auditor.demo.tenant.scenarios import SCENARIOS as _SCENARIOS

SCENARIOS = tuple(_SCENARIOS)

__all__ = ["DEFAULT_NOW", "QUARTER_DAYS", "SCENARIOS", "WITNESSES", "Change", "Witness", "changes", "generate"]
