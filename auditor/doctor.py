"""What `auditor doctor` tells: which permissions the token carries, which datasets they open, which blockers stay
unknown without the rest, and what would close each gap. It signs in and reads nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from auditor.catalogue import (
    BY_NAME,
    CATALOGUE,
    CONFIGURATION,
    CONFIGURATION_TOO,
    CONFIGURATION_TYPES,
    EXCHANGE,
    Dataset,
)
from auditor.clock import Clock
from auditor.config import LoadedConfig, TenantConfig
from auditor.errors import AuditorError
from auditor.graph.clouds import NATIONAL
from auditor.registration import consent_link, exchange_need, needed

if TYPE_CHECKING:
    from auditor.graph.session import GraphSession

_RESTS_ON = {
    "perUserMfa": ("users",),
    "authenticationMethods": ("users",),
    "groups": ("conditionalAccessPolicies", "roleAssignments"),
    "groupMembers": ("groups",),
    "whatIf": ("users", "conditionalAccessPolicies"),
}
"""datasets that cannot be whole without others"""

Access = Literal["open", "missing", "not-asked"]


@dataclass(frozen=True, slots=True)
class DatasetAccess:
    """Whether a dataset is open to the token. `by`: the permission that opens it; `remedy`: what would, where it is
    not. `blockers` need it: without it they are unknown wherever no other dataset decides. `licence`: what the tenant
    must own besides, which no token shows."""

    dataset: str
    access: Access
    by: str = ""
    remedy: str = ""
    blockers: tuple[str, ...] = ()
    licence: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Surplus:
    """A permission that the app holds and the audit does not need. `instead`: what to grant before it is taken away,
    because it stands in for those."""

    permission: str
    instead: tuple[str, ...] = ()


@dataclass(frozen=True)
class DoctorReport:
    tenant: str
    cloud: str
    app_id: str
    permissions: tuple[str, ...]
    """of Microsoft Graph, sorted"""
    exchange_permissions: tuple[str, ...]
    exchange_note: str
    datasets: tuple[DatasetAccess, ...]
    surplus: tuple[Surplus, ...]
    consent_link: str

    @property
    def missing(self) -> tuple[DatasetAccess, ...]:
        return tuple(entry for entry in self.datasets if entry.access == "missing")

    @property
    def unknown_blockers(self) -> Mapping[str, tuple[str, ...]]:
        """Blocker → the datasets that are not open to it, also those not asked for. What somebody brings only adds."""
        found: dict[str, list[str]] = {}
        for entry in self.datasets:
            if entry.access != "open" and BY_NAME[entry.dataset].service != "brought":
                for blocker in entry.blockers:
                    found.setdefault(blocker, []).append(entry.dataset)
        return {blocker: tuple(datasets) for blocker, datasets in found.items()}


async def examine(config: LoadedConfig, tenant: TenantConfig, *, clock: Clock | None = None) -> DoctorReport:
    """Signs in and compares the token with the catalogue. Raises ConfigError, SignInError or ServiceError."""
    from auditor.blockers import needs
    from auditor.graph.session import GraphSession

    ways = config.config.exchange.ways
    async with GraphSession.open(config, tenant, clock=clock) as session:
        exchange, note = await _exchange_roles(session, ways)
        held = session.permissions
        entries = _with_inputs(_access(dataset, tenant, ways, held, exchange, needs()) for dataset in CATALOGUE)
        return DoctorReport(
            tenant.name,
            tenant.cloud,
            session.app_id,
            tuple(sorted(held)),
            tuple(sorted(exchange)),
            note,
            entries,
            _surplus(held, exchange, ways),
            consent_link(tenant.cloud, tenant.tenant_id, session.app_id) if tenant.cloud != "custom" else "",
        )


async def _exchange_roles(session: GraphSession, ways: Sequence[str]) -> tuple[frozenset[str], str]:
    """The permissions on Exchange, asked for only where the config reads Exchange by its admin API."""
    if "admin-api" not in ways:
        return frozenset(), ""
    if not session.where.exchange_scope:
        return frozenset(), "This cloud has no address for Exchange: add exchange_url, or export the settings."
    try:
        roles = await session.roles(session.where.exchange_scope)
    except AuditorError as error:
        return frozenset(), f"No token for Exchange: {error}"
    return roles, "Exchange asks for a directory role (Global Reader) as well, which no token shows."


def _access(
    dataset: Dataset,
    tenant: TenantConfig,
    ways: Sequence[str],
    held: frozenset[str],
    exchange: frozenset[str],
    blockers: Mapping[str, tuple[str, ...]],
) -> DatasetAccess:
    def entry(access: Access, by: str = "", remedy: str = "") -> DatasetAccess:
        found = blockers.get(dataset.name, ())
        return DatasetAccess(dataset.name, access, by, remedy, found, dataset.licence, dataset.optional)

    if dataset.service == "brought":
        return entry("not-asked", remedy="Brought by hand: a report's file or a probe.")
    if dataset.service == "exchange":
        return _exchange_access(dataset, entry, tenant, ways, held | exchange)
    if not dataset.national and tenant.cloud in NATIONAL:
        return entry("not-asked", remedy="This service does not exist in national clouds.")
    by = [permission for permission in (dataset.permission, *dataset.accepted) if permission in held]
    if by:
        return entry("open", by[0])
    return entry("missing", remedy=f"Grant {dataset.permission} and give admin consent.")


def _exchange_access(
    dataset: Dataset,
    entry: Callable[..., DatasetAccess],
    tenant: TenantConfig,
    ways: Sequence[str],
    held: frozenset[str],
) -> DatasetAccess:
    """Open by the first way that opens it; else what the first way that could would need."""
    if not ways:
        return entry("not-asked", remedy='Set [exchange] source = "export" (or "admin-api").')
    if "export" in ways:
        return entry("open", "exported files")
    remedies = []
    for way in ways:
        if way == "admin-api":
            accepted: tuple[str, ...] = (EXCHANGE,)
            remedies.append(f"Grant {EXCHANGE} and the directory role Global Reader, or export the settings.")
        elif tenant.cloud in NATIONAL or dataset.name not in CONFIGURATION_TYPES or dataset.name == "mailboxes":
            continue  # of mailboxes a snapshot lists only the shared ones
        else:
            accepted = (CONFIGURATION, CONFIGURATION_TOO)
            remedies.append(f"Grant {CONFIGURATION} and give admin consent, or export the settings.")
        if by := [permission for permission in accepted if permission in held]:
            return entry("open", by[0])
    if not remedies:
        return entry("not-asked", remedy="No configuration snapshot holds it whole; let an administrator export it.")
    return entry("missing", remedy=remedies[0])


def _with_inputs(entries: Iterable[DatasetAccess]) -> tuple[DatasetAccess, ...]:
    """What is derived from a dataset that is not open is not open either (inputs come first in the loop)."""
    found = {entry.dataset: entry for entry in entries}
    for name, inputs in _RESTS_ON.items():
        lacking = [dataset for dataset in inputs if found[dataset].access != "open"]
        if found[name].access == "open" and lacking:
            found[name] = replace(found[name], access="missing", by="", remedy=f"Open {', '.join(lacking)} first.")
    return tuple(found.values())


def _surplus(held: frozenset[str], exchange: frozenset[str], ways: Sequence[str]) -> tuple[Surplus, ...]:
    least = {need.name for need in needed()}
    if "configuration-snapshot" in ways:
        least.add(CONFIGURATION)
    found = [Surplus(permission, _stands_in(permission, held, least)) for permission in sorted(held - least)]
    found += [Surplus(permission) for permission in sorted(exchange - {exchange_need().name})]
    return tuple(found)


def _stands_in(permission: str, held: frozenset[str], least: set[str]) -> tuple[str, ...]:
    """The least permissions that are not held because this wider one opens their datasets."""
    if permission == CONFIGURATION_TOO:
        return tuple({CONFIGURATION} & least - held)
    return _unique(
        dataset.permission for dataset in CATALOGUE if permission in dataset.accepted and dataset.permission not in held
    )


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def render(report: DoctorReport) -> str:
    """The report as text for a terminal."""
    lines = [f"{report.tenant} ({report.cloud}): signed in as application {report.app_id}", "", "Permissions held:"]
    lines += [f"  {name}" for name in (*report.permissions, *report.exchange_permissions)] or ["  none"]
    if report.exchange_note:
        lines.append(f"  {report.exchange_note}")
    lines += ["", "Datasets:"]
    width = max(len(entry.dataset) for entry in report.datasets)
    for entry in report.datasets:
        told = f"by {entry.by}" if entry.access == "open" else entry.remedy
        licence = f"; needs {entry.licence}" if entry.licence else ""
        optional = " (optional)" if entry.optional else ""
        lines.append(f"  {entry.dataset:<{width}}  {entry.access:<9}  {told}{licence}{optional}")
    lines += ["", "Blockers that stay unknown where no other dataset decides:"]
    lines += [
        f"  {blocker}: without {', '.join(datasets)}" for blocker, datasets in report.unknown_blockers.items()
    ] or ["  none"]
    if report.surplus:
        lines += ["", "Held and not needed (take them away):"]
        for surplus in report.surplus:
            first = f", after granting {', '.join(surplus.instead)}" if surplus.instead else ""
            lines.append(f"  {surplus.permission}{first}")
    if report.missing and report.consent_link:
        lines += ["", f"Admin consent: {report.consent_link}"]
    return "\n".join(lines)
