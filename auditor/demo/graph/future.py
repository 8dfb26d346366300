"""Enum members that Graph hides from clients that did not ask for them: they come as `unknownFutureValue` unless the
request carries `Prefer: include-unknown-enum-members` (https://learn.microsoft.com/graph/best-practices-concept)."""

from __future__ import annotations

from typing import Any

PREFERENCE = "include-unknown-enum-members"
HIDDEN = "unknownFutureValue"

TYPES = frozenset(
    {
        "microsoft.graph.conditionalAccessPolicy",
        "microsoft.graph.signIn",
        "microsoft.graph.configurationSnapshotJob",
    }
)
"""the types served here that hold such members"""

_MEMBERS: dict[str, frozenset[str]] = {
    "result": frozenset({"reportOnlySuccess", "reportOnlyFailure", "reportOnlyNotApplied", "reportOnlyInterrupted"}),
    "includePlatforms": frozenset({"linux"}),
    "excludePlatforms": frozenset({"linux"}),
    "builtInControls": frozenset({"riskRemediation"}),
    "status": frozenset({"partiallySuccessful"}),
    "riskDetail": frozenset(
        {
            "m365DAdminDismissedDetection",
            "adminConfirmedServicePrincipalCompromised",
            "adminDismissedAllRiskForServicePrincipal",
            "userChangedPasswordOnPremises",
            "adminDismissedRiskForSignIn",
            "adminConfirmedAccountSafe",
            "microsoftRevokedSessions",
        }
    ),
}


def hidden(value: Any, name: str = "") -> Any:
    """A copy of a record in which later enum members are hidden."""
    if isinstance(value, dict):
        return {key: hidden(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [hidden(inner, name) for inner in value]
    return HIDDEN if isinstance(value, str) and value in _MEMBERS.get(name, ()) else value
