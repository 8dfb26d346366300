"""From a name on the command line to the thing that it means, or an error that names what lies nearby."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from auditor.blockers.names import plain
from auditor.config import Sender
from auditor.errors import UsageError
from auditor.tenant import Tenant
from auditor.what_if.apps import App
from auditor.what_if.conditional_access import ExcludedKind, Policy, excluded
from auditor.what_if.exchange import AuthenticationPolicySmtp

SHOWN = 8
"""How many names an error lists."""
_APP_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Targets:
    """The things of one tenant that a change can name. `new`: authentication policies that other changes make."""

    def __init__(self, tenant: Tenant, senders: Sequence[Sender]) -> None:
        self.tenant = tenant
        self.senders = senders
        self.new: dict[str, AuthenticationPolicySmtp] = {}

    def account(self, name: str) -> tuple[str, str]:
        """(object id, user principal name) of a UPN, address or object id."""
        row = self.tenant.find(name)
        if row < 0:
            raise self._missing("account", name, self.tenant.accounts.user_principal_name, "users")
        return self.tenant.accounts.id[row], self.tenant.accounts.user_principal_name[row]

    def address(self, name: str) -> str:
        """A From address: an account's, or one that a declared sender uses (it may be a group's)."""
        wanted = name.strip().lower()
        declared = [sender.from_.strip().lower() for sender in self.senders if sender.from_.strip()]
        if wanted not in self.tenant.row_of_address and wanted not in declared:
            raise self._missing("address", name, [*self.tenant.row_of_address, *declared], "users")
        return wanted

    def policy(self, name: str) -> Policy:
        """A Conditional Access policy by id or display name. Raises UsageError with the ids where a name is not one
        policy's alone."""
        wanted = plain(name)
        every = self.policies()
        found = [one for one in every if plain(self.tenant.policies[one.index].get("id")) == wanted]
        found = found or [one for one in every if plain(one.name) == wanted]
        if not found:
            raise self._missing(
                "Conditional Access policy", name, [one.name for one in every], "conditionalAccessPolicies"
            )
        if len(found) > 1:
            ids = ", ".join(str(self.tenant.policies[one.index].get("id")) for one in found)
            raise UsageError(f"`{name}` is the name of {len(found)} policies.", remedy=f"Give the id of one: {ids}.")
        return found[0]

    def policies(self) -> list[Policy]:
        """Every policy; `word` is its name where that is one policy's alone and easy to write, else its id."""
        names = [str(policy.get("displayName") or policy.get("id") or "") for policy in self.tenant.policies]
        taken = Counter(map(plain, names))
        ids = [str(policy.get("id") or "") for policy in self.tenant.policies]
        return [
            Policy(index, name, name if taken[plain(name)] == 1 and is_easy(name) else ids[index])
            for index, name in enumerate(names)
        ]

    def excludable(self, name: str) -> tuple[ExcludedKind, str, str]:
        """(kind, object id, label) of a user, a group that was read, or an app."""
        row = self.tenant.find(name)
        if row >= 0:
            return "user", self.tenant.accounts.id[row], self.tenant.accounts.user_principal_name[row]
        groups = self._groups(name)
        if len(groups) > 1:
            ids = ", ".join(groups)
            raise UsageError(f"`{name}` is the name of {len(groups)} groups.", remedy=f"Give the id of one: {ids}.")
        if groups:
            label = self.tenant.groups[groups[0]].name
            return "group", groups[0], label if is_easy(label) and len(self._groups(label)) == 1 else groups[0]
        principal = self._principal(name)
        if principal is not None:
            return "app", principal, self._label("app", principal)
        known = [*self.tenant.accounts.user_principal_name, *(group.name for group in self.tenant.groups.values())]
        known += [str(one.get("displayName") or "") for one in self.tenant.service_principals.values()]
        raise self._missing("user, group or app that was read", name, known, "users", "groups")

    def excluded_from(self, policy: Policy, name: str) -> tuple[ExcludedKind, str, str]:
        """(kind, object id, label) of somebody whom the policy excludes by name; deleted objects only by id."""
        listed: dict[str, tuple[ExcludedKind, str, str]] = {}
        kinds: tuple[ExcludedKind, ...] = ("user", "group", "app")
        for kind in kinds:
            for object_id in excluded(self.tenant.policies[policy.index], kind) or ():
                label = self._label(kind, object_id.lower())
                for word in {object_id.lower(), plain(label)}:
                    listed[word] = (kind, object_id.lower(), label)
        row = self.tenant.find(name)
        for wanted in (plain(name), self.tenant.accounts.id[row] if row >= 0 else ""):
            if wanted in listed:
                return listed[wanted]
        by_name = ", ".join(sorted({label for _, _, label in listed.values()})) or "nobody"
        raise UsageError(
            f"policy `{policy.name}` does not exclude `{name}` by itself.", remedy=f"It excludes: {by_name}."
        )

    def _label(self, kind: ExcludedKind, object_id: str) -> str:
        if kind == "user" and object_id in self.tenant.row_of:
            return self.tenant.accounts.user_principal_name[self.tenant.row_of[object_id]]
        if kind == "group" and object_id in self.tenant.groups:
            return self.tenant.groups[object_id].name or object_id
        if kind == "app" and object_id in self.tenant.service_principals:
            return str(self.tenant.service_principals[object_id].get("appId") or object_id)
        return object_id

    def _groups(self, name: str) -> list[str]:
        wanted = plain(name)
        groups = self.tenant.groups
        return [wanted] if wanted in groups else [key for key, group in groups.items() if plain(group.name) == wanted]

    def _principal(self, name: str) -> str | None:
        wanted = plain(name)
        for key, principal in self.tenant.service_principals.items():
            if wanted in (key, plain(principal.get("appId")), plain(principal.get("displayName"))):
                return key
        return None

    def authentication_policy(self, name: str) -> tuple[str, str]:
        """(key, name) of a policy of the tenant, or of one that another change makes; ("", "") for `none`."""
        wanted = plain(name)
        if wanted in self.tenant.authentication_policies:
            return wanted, self.tenant.authentication_policies[wanted].name
        if wanted in self.new:
            return wanted, self.new[wanted].name
        if wanted == "none":
            return "", ""
        names = [policy.name for policy in self.tenant.authentication_policies.values()]
        hint = f'Make it: --new-auth-policy "{name}=allow"'
        raise self._missing("authentication policy", name, names, "authenticationPolicies", hint=hint)

    def new_authentication_policy(self, name: str, *, allow: bool) -> AuthenticationPolicySmtp:
        if plain(name) in self.tenant.authentication_policies or plain(name) in ("", "none"):
            raise UsageError(
                f"a new authentication policy cannot be called `{name}`.",
                remedy="The name is taken; --auth-policy-smtp changes a policy that is there.",
            )
        return AuthenticationPolicySmtp(plain(name), name.strip(), allow, new=True)

    def app(self, name: str) -> App:
        """An app by application id, object id or name; an application id that nobody has seen yet is taken as it is."""
        wanted = plain(name)
        found: dict[str, str] = {}
        for principal in self._principals():
            app_id = plain(principal.get("appId", principal.get("AppId")))
            label = str(principal.get("displayName", principal.get("DisplayName")) or app_id)
            if app_id and wanted in (app_id, plain(principal.get("id", principal.get("ObjectId"))), plain(label)):
                found.setdefault(app_id, label)
        if len(found) > 1:
            raise UsageError(f"`{name}` is the name of several apps.", remedy=f"Give one id: {', '.join(found)}.")
        if found:
            return App(*found.popitem())
        declared = {plain(sender.oauth_app_id) for sender in self.senders}
        if wanted in declared or _APP_ID.fullmatch(wanted):
            return App(wanted, wanted)
        names = [str(one.get("displayName", one.get("DisplayName")) or "") for one in self._principals()]
        raise self._missing("app", name, names, "servicePrincipals", "exchangeServicePrincipals")

    def _principals(self) -> Iterable[Mapping[str, Any]]:
        yield from self.tenant.service_principals.values()
        yield from self.tenant.exchange_service_principals

    def sender(self, name: str) -> Sender:
        found = [sender for sender in self.senders if plain(sender.name) == plain(name)]
        if not found:
            hint = "" if self.senders else "Give the config that declares it: --config"
            raise self._missing("declared sender", name, [sender.name for sender in self.senders], hint=hint)
        return found[0]

    def _missing(self, what: str, name: str, known: Iterable[str], *datasets: str, hint: str = "") -> UsageError:
        unread = [
            f"{dataset} is {self.tenant.status[dataset].state}"
            for dataset in datasets
            if not self.tenant.status[dataset].complete
        ]
        remedies = [f"Not read whole: {', '.join(unread)}" if unread else "", near(name, known), hint]
        remedy = " ".join(f"{part}." for part in remedies if part)
        return UsageError(f"no {what} `{name}`.", remedy=remedy or "There is none.")


def near(name: str, known: Iterable[str]) -> str:
    """What exists nearby, for an error: names that hold the wanted one or look like it, else the first few."""
    wanted = plain(name)
    by_word = {plain(one): one for one in known if one.strip()}
    holding = [word for word in by_word if len(wanted) > 2 and wanted in word][:SHOWN]
    alike = holding or difflib.get_close_matches(wanted, by_word, n=SHOWN, cutoff=0.5)
    if alike:
        return f"Nearby: {', '.join(by_word[word] for word in alike)}"
    few = list(by_word.values())[:SHOWN]
    more = f" and {len(by_word) - len(few)} more" if len(by_word) > len(few) else ""
    return f"There are {', '.join(few)}{more}" if few else ""


def is_easy(name: str) -> bool:
    """Whether a name can stand between double quotes in any common shell, and be split at its last `=`."""
    return bool(name.strip()) and name == name.strip() and name.isprintable() and not set(name) & set('"$`%!\\=')
