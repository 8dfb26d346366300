"""The read-only cmdlets that the emulated Exchange knows: their parameters and which objects they give.

Each is described in https://learn.microsoft.com/powershell/module/exchangepowershell/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.demo.model import DemoTenant

Row = Mapping[str, Any]

DEFAULT_RESULT_SIZE = 1000
MORE_RESULTS = (
    "There are more results available than are currently displayed. To view them, increase the value for the "
    "ResultSize parameter."
)

_NAMES = (
    "Guid", "ExternalDirectoryObjectId", "ExchangeObjectId", "UserPrincipalName", "PrimarySmtpAddress",
    "WindowsEmailAddress", "Identity", "Name", "Alias", "DistinguishedName", "AppId", "ObjectId",
)  # fmt: skip
"""the properties that `-Identity` may name an object by"""


class CmdletError(Exception):
    """A cmdlet failed: `kind` is the .NET type of the exception, the message its text."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """`dataset`: where the tenant keeps its objects; `parameters`: those it takes (beside the common ones)."""

    name: str
    dataset: str
    parameters: frozenset[str] = frozenset()
    mandatory: frozenset[str] = frozenset()

    @property
    def limited(self) -> bool:
        return "ResultSize" in self.parameters


@dataclass(frozen=True, slots=True)
class Output:
    rows: Sequence[Row]
    warnings: tuple[str, ...] = ()


def _cmdlet(name: str, dataset: str, parameters: str = "", mandatory: str = "") -> Cmdlet:
    needed = frozenset(mandatory.split())
    return Cmdlet(name, dataset, frozenset(parameters.split()) | needed, needed)


CMDLETS: Mapping[str, Cmdlet] = {
    cmdlet.name.lower(): cmdlet
    for cmdlet in (
        _cmdlet("Get-TransportConfig", "transportConfig"),
        _cmdlet("Get-OrganizationConfig", "organizationConfig"),
        _cmdlet("Get-CASMailbox", "casMailboxes", "Identity ResultSize"),
        _cmdlet("Get-AuthenticationPolicy", "authenticationPolicies", "Identity"),
        _cmdlet("Get-User", "exchangeUsers", "Identity ResultSize RecipientTypeDetails"),
        _cmdlet("Get-Mailbox", "mailboxes", "Identity ResultSize RecipientTypeDetails"),
        _cmdlet("Get-RecipientPermission", "recipientPermissions", "Identity ResultSize Trustee"),
        _cmdlet("Get-MailboxPermission", "mailboxPermissions", "ResultSize User", "Identity"),
        _cmdlet("Get-ServicePrincipal", "exchangeServicePrincipals", "Identity"),
        _cmdlet("Get-ManagementRoleAssignment", "managementRoleAssignments", "Identity Role RoleAssignee"),
        _cmdlet("Get-ManagementScope", "managementScopes", "Identity"),
        _cmdlet("Get-ApplicationAccessPolicy", "applicationAccessPolicies", "Identity"),
        _cmdlet("Get-InboundConnector", "inboundConnectors", "Identity ResultSize"),
        _cmdlet("Get-AcceptedDomain", "acceptedDomains", "Identity ResultSize"),
        _cmdlet("Get-MailUser", "hveAccounts", "Identity ResultSize HVEAccount"),
    )
}

_COMMON = frozenset({"erroraction", "warningaction", "verbose"})


def run(tenant: DemoTenant, name: str, parameters: Mapping[str, Any]) -> Output:
    """What the cmdlet gives. Raises CmdletError."""
    cmdlet = CMDLETS.get(name.lower())
    if cmdlet is None:
        raise CmdletError(
            404,
            "System.Management.Automation.CommandNotFoundException",
            f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program.",
        )
    given = _parameters(cmdlet, parameters)
    rows = _rows(tenant, cmdlet, given)
    for parameter, column in (("Role", "Role"), ("RoleAssignee", "RoleAssignee"), ("Trustee", "Trustee"),
                              ("User", "User"), ("RecipientTypeDetails", "RecipientTypeDetails")):  # fmt: skip
        if parameter in given:
            wanted = {str(value).casefold() for value in _as_list(given[parameter])}
            rows = [row for row in rows if str(row.get(column, "")).casefold() in wanted]
    return _limited(cmdlet, rows, given)


def _parameters(cmdlet: Cmdlet, parameters: Mapping[str, Any]) -> dict[str, Any]:
    known = {name.lower(): name for name in cmdlet.parameters}
    given: dict[str, Any] = {}
    for name, value in parameters.items():
        if name.lower() in known:
            given[known[name.lower()]] = value
        elif name.lower() not in _COMMON:
            raise CmdletError(
                400,
                "System.Management.Automation.ParameterBindingException",
                f"A parameter cannot be found that matches parameter name '{name}'.",
            )
    missing = sorted(name for name in cmdlet.mandatory if not given.get(name))
    if missing:
        raise CmdletError(
            400,
            "System.Management.Automation.ParameterBindingException",
            f"Cannot process command because of one or more missing mandatory parameters: {', '.join(missing)}.",
        )
    return given


def _rows(tenant: DemoTenant, cmdlet: Cmdlet, given: Mapping[str, Any]) -> Sequence[Row]:
    stored: Sequence[Row] = tenant.exchange.get(cmdlet.dataset, ())
    if cmdlet.name == "Get-MailUser" and not given.get("HVEAccount"):
        stored = [
            row for row in tenant.exchange.get("exchangeUsers", ()) if row.get("RecipientTypeDetails") == "MailUser"
        ]
    if "Identity" not in given:
        return stored
    identity = str(given["Identity"])
    if cmdlet.name in ("Get-MailboxPermission", "Get-RecipientPermission"):
        names = _names(_find(tenant.exchange.get("mailboxes", ()), identity))
        return [row for row in stored if str(row.get("Identity", "")).casefold() in names]
    return [_find(stored, identity)]


def _names(row: Row) -> set[str]:
    names = {str(row[name]).casefold() for name in _NAMES if row.get(name)}
    return names | {name.rsplit("/", 1)[-1] for name in names}


def _find(rows: Sequence[Row], identity: str) -> Row:
    for row in rows:
        if identity.casefold() in _names(row):
            return row
    raise CmdletError(
        404,
        "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
        f"The operation couldn't be performed because object '{identity}' couldn't be found.",
    )


def _limited(cmdlet: Cmdlet, rows: Sequence[Row], given: Mapping[str, Any]) -> Output:
    if not cmdlet.limited:
        return Output(rows)
    size = given.get("ResultSize", DEFAULT_RESULT_SIZE)
    if str(size).casefold() == "unlimited":
        return Output(rows)
    try:
        limit = int(size)
    except (TypeError, ValueError):
        limit = 0
    if limit < 1:
        raise CmdletError(
            400,
            "System.Management.Automation.ParameterBindingException",
            f"Cannot bind parameter 'ResultSize'. Cannot convert value '{size}'.",
        )
    return Output(rows[:limit], (MORE_RESULTS,) if len(rows) > limit else ())


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
