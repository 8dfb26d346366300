"""Conditional Access: which policy reaches which account, for a sign-in to Exchange Online over SMTP with a
password."""

from __future__ import annotations

from auditor.access.engine import judge, reach
from auditor.access.model import Demand, Grant, Match, Outcome, PolicyReach, Reach
from auditor.access.oddities import oddities

__all__ = ["Demand", "Grant", "Match", "Outcome", "PolicyReach", "Reach", "judge", "oddities", "reach"]
