"""The live probe: tries a declared sender's settings on the wire, up to but not including a message.

`prepare` works out and checks what would be done, `plan` tells it, `probe` does it for one sender. Besides `collect`
and `tickets` this is the only room that talks to a network, and the only one that talks to mail servers.
"""

from __future__ import annotations

from auditor.probe.job import Job, plan, prepare
from auditor.probe.memory import HOLDS, Memory, default_folder
from auditor.probe.phases import Tools, probe
from auditor.probe.result import Phase, Pointer, ProbeResult, Reply

__all__ = [
    "HOLDS",
    "Job",
    "Memory",
    "Phase",
    "Pointer",
    "ProbeResult",
    "Reply",
    "Tools",
    "default_folder",
    "plan",
    "prepare",
    "probe",
]
