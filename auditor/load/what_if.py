"""Microsoft's own answers about single sign-ins (`whatIf`): evidence to compare with, which decides nothing.

Source: https://learn.microsoft.com/graph/api/resources/whatifanalysisresult.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from auditor.load.source import Source
from auditor.load.users import Users
from auditor.tenant import WhatIfAnswer, WhatIfResult

NAME = "whatIf"


def read_what_if(source: Source, users: Users) -> tuple[WhatIfAnswer, ...]:
    """The answers in the order of the dataset, one per account and address. One about an account that is not among the
    users is left out, and a malformed result as well; both are named."""
    found: dict[tuple[int, str], WhatIfAnswer] = {}
    for number, record in enumerate(source.objects_of(NAME), 1):
        account, ip = record.get("account"), record.get("ip")
        row = users.row_of.get(account.lower(), -1) if isinstance(account, str) else -1
        if row < 0:
            source.problems.add(NAME, f"record {number}", "account", "names no account that was read: left out")
        elif not isinstance(ip, str) or not _is_address(ip):
            source.problems.add(NAME, users.id[row], "ip", "no IP address: left out")
        elif not isinstance(record.get("policies"), list):
            source.problems.add(NAME, users.id[row], "policies", "no list of policies: left out")
        else:
            answer = WhatIfAnswer(row, ip, _results(source, users.id[row], record["policies"]), _error(record))
            if found.setdefault((row, ip), answer) != answer:
                source.problems.add(NAME, users.id[row], "", "stands twice with different values: the first is used")
    return tuple(found.values())


def _results(source: Source, account: str, policies: list[Any]) -> tuple[WhatIfResult, ...]:
    results = []
    for policy in policies:
        result = _result(policy) if isinstance(policy, dict) else None
        if result is None:
            source.problems.add(NAME, account, "policies", "a result without id or policyApplies: left out")
        else:
            results.append(result)
    return tuple(results)


def _result(policy: Mapping[str, Any]) -> WhatIfResult | None:
    identity, applies, reasons = policy.get("id"), policy.get("policyApplies"), policy.get("analysisReasons")
    if not isinstance(identity, str) or not isinstance(applies, bool):
        return None
    words = reasons.split(",") if isinstance(reasons, str) else reasons if isinstance(reasons, list) else []
    modified = policy.get("modifiedDateTime")
    return WhatIfResult(
        identity.lower(),
        applies,
        tuple(str(word).strip() for word in words),
        modified if isinstance(modified, str) else "",
    )


def _is_address(text: str) -> bool:
    """An address, or empty for a sign-in from no declared place."""
    try:
        if text:
            ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _error(record: Mapping[str, Any]) -> str:
    error = record.get("error")
    return "" if error is None else str(error)
