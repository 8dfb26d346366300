"""The ticket systems, each in a module of its own that is imported only when the config names it.

A module holds `SETTINGS`, its subclass of `TicketSettings`, and `connect(settings, environment, clock)`, which gives a
`System` without a request being sent; `environment` is where its credential is looked up.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.clock import BlockingClock
    from auditor.tickets.base import System
    from auditor.tickets.settings import TicketSettings

MODULES = {
    "jira-cloud": "jira_cloud",
    "jira-data-center": "jira_data_center",
    "servicenow": "servicenow",
    "azure-devops": "azure_devops",
    "github": "github",
    "request-tracker": "request_tracker",
    "redmine": "redmine",
    "roundup": "roundup",
    "webhook": "webhook",
}
"""`system` in the config → its module here."""


def settings_of(system: str) -> type[TicketSettings]:
    """The keys that an entry of this system may have."""
    kind: type[TicketSettings] = importlib.import_module(f"{__name__}.{MODULES[system]}").SETTINGS
    return kind


def connect(settings: TicketSettings, environment: Mapping[str, str], clock: BlockingClock) -> System:
    """Raises ConfigError where a variable that the settings name is not set."""
    module = importlib.import_module(f"{__name__}.{MODULES[settings.system]}")
    system: System = module.connect(settings, environment, clock)
    return system
