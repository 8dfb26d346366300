"""Changes as people write them: options of the command line, or a small TOML file with the same words.

    --policy "Block legacy=disabled"            policy = ["Block legacy=disabled"]
                                                or [policy]
                                                   "Block legacy" = "disabled"
    --security-defaults off                     security_defaults = "off"
    --enforce-report-only                       enforce_report_only = true

`OPTIONS` is the whole grammar; the command line and the file are both made from it.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from auditor.config import Sender
from auditor.errors import UsageError
from auditor.tenant import Tenant
from auditor.what_if import apps, conditional_access, directory, exchange
from auditor.what_if.model import Change
from auditor.what_if.sender import FIXED, KEYS, SenderSetting, changed
from auditor.what_if.targets import Targets

Given = tuple[str, str, str]
"""(option, left, right): `("policy", "Block legacy", "disabled")`; options without a pair leave `left` empty."""


@dataclass(frozen=True)
class Option:
    """`form`: what follows it, `LEFT=RIGHT` for a pair, one word for a value, empty for a flag. `last`: a pair is split
    at its last `=`, because its left side is a name that may hold one."""

    name: str
    form: str
    help: str
    read: Callable[[Targets, str, str], Change]
    last: bool = True

    @property
    def pair(self) -> bool:
        return "=" in self.form


Word = TypeVar("Word")

_SWITCH = {"on": True, "off": False, "true": True, "false": False}
_ENABLED = {"enabled": True, "disabled": False, "on": True, "off": False, "true": True, "false": False}
_STATES: Mapping[str, conditional_access.PolicyState] = {
    "enabled": "enabled", "disabled": "disabled", "report-only": "report-only", "on": "enabled", "off": "disabled",
    "enabledforreportingbutnotenforced": "report-only",
}  # fmt: skip
_SETTINGS: Mapping[str, exchange.Setting] = {
    "on": "on", "off": "off", "inherit": "inherit", "true": "on", "false": "off",
}  # fmt: skip
_MFA: Mapping[str, directory.MfaState] = {"disabled": "disabled", "enabled": "enabled", "enforced": "enforced"}
_ALLOW = {"allow": True, "refuse": False, "true": True, "false": False}
_GIVEN = {"give": True, "take": False}


def _word(value: str, words: Mapping[str, Word], option: str) -> Word:
    wanted = value.strip().lower()
    if wanted not in words:
        raise UsageError(
            f"--{option}: `{value}` is not known here.",
            remedy=f"Write one of: {', '.join(word for word in words if word not in ('true', 'false'))}.",
        )
    return words[wanted]


def _policy(targets: Targets, left: str, right: str) -> Change:
    return conditional_access.PolicySwitched(targets.policy(left), _word(right, _STATES, "policy"))


def _exclude(targets: Targets, left: str, right: str) -> Change:
    return conditional_access.Exclusion(targets.policy(left), *targets.excludable(right))


def _unexclude(targets: Targets, left: str, right: str) -> Change:
    policy = targets.policy(left)
    return conditional_access.Exclusion(policy, *targets.excluded_from(policy, right), excluded=False)


def _bind(targets: Targets, left: str, right: str) -> Change:
    addresses = tuple(address.strip() for address in right.split(",") if address.strip())
    checked = changed(Sender(name="--bind", account=left), "egress_ips", ",".join(addresses)).egress_ips
    if not checked:
        raise UsageError("--bind names no address.", remedy='Write --bind "ACCOUNT=203.0.113.10,2001:db8::/48".')
    return conditional_access.BoundToPlace(*targets.account(left), checked)


def _block_legacy(targets: Targets, _: str, right: str) -> Change:
    names = [] if right.strip().lower() == "nobody" else [name for name in right.split(",") if name.strip()]
    return conditional_access.LegacyBlocked(tuple(sorted({targets.account(name) for name in names})))


def _auth_policy_smtp(targets: Targets, left: str, right: str) -> Change:
    key, name = targets.authentication_policy(left)
    if key in targets.new or not key:
        raise UsageError(f"--auth-policy-smtp: `{left}` is no policy of the tenant.", remedy="Use --new-auth-policy.")
    return exchange.AuthenticationPolicySmtp(key, name, _word(right, _ALLOW, "auth-policy-smtp"))


def _send_as(targets: Targets, left: str, right: str) -> Change:
    address = targets.address(right)
    if targets.tenant.find(left) >= 0 or "@" in left:
        account_id, name = targets.account(left)
        return exchange.SendAsGranted(account_id, name, address)
    app = targets.app(left)
    return exchange.SendAsGranted(app.app_id, app.app_id, address)


def _sender(targets: Targets, left: str, right: str) -> Change:
    name, dot, setting = left.rpartition(".")
    if not dot or setting not in KEYS:
        near = difflib.get_close_matches(setting, KEYS, n=3)
        fixed = " it says which sender it is." if setting in FIXED else ""
        raise UsageError(
            f"--sender: `{setting}` cannot be changed.{fixed}",
            remedy=f"Write NAME.KEY=VALUE; the keys are {', '.join(near or KEYS)}.",
        )
    sender = targets.sender(name)
    changed(sender, setting, right)
    return SenderSetting(sender.name, setting, right.strip())


def _new_auth_policy(targets: Targets, left: str, right: str) -> Change:
    return targets.new_authentication_policy(left, allow=_word(right, _ALLOW, "new-auth-policy"))


OPTIONS: tuple[Option, ...] = (
    Option("policy", "POLICY=STATE", "a Conditional Access policy, by name or id: enabled, disabled or report-only",
           _policy),
    Option("exclude", "POLICY=WHO", "a user, group or app is excluded from a policy", _exclude),
    Option("unexclude", "POLICY=WHO", "a user, group or app is no longer excluded from it", _unexclude),
    Option("enforce-report-only", "", "every report-only policy acts",
           lambda *_: conditional_access.ReportOnlyEnforced(managed=False)),
    Option("enforce-managed", "", "every Microsoft-managed policy that only reports acts",
           lambda *_: conditional_access.ReportOnlyEnforced(managed=True)),
    Option("bind", "ACCOUNT=ADDRESSES", "a new policy blocks the account everywhere but at these addresses", _bind,
           last=False),
    Option("block-legacy-except", "ACCOUNTS", "a new policy blocks legacy authentication for everybody but these "
           "accounts, separated by commas, or nobody", _block_legacy),
    Option("security-defaults", "on|off", "security defaults",
           lambda _, __, right: directory.SecurityDefaults(_word(right, _SWITCH, "security-defaults"))),
    Option("org-smtp", "on|off", "SMTP AUTH of the organisation",
           lambda _, __, right: exchange.OrganisationSwitch(_word(right, _SWITCH, "org-smtp"))),
    Option("mailbox-smtp", "ACCOUNT=on|off|inherit", "SMTP AUTH of one mailbox",
           lambda targets, left, right: exchange.MailboxSwitch(
               *targets.account(left), _word(right, _SETTINGS, "mailbox-smtp"))),
    Option("auth-policy", "ACCOUNT=POLICY", "the account's authentication policy; none takes it away",
           lambda targets, left, right: exchange.AssignedAuthenticationPolicy(
               *targets.account(left), *targets.authentication_policy(right)), last=False),
    Option("default-auth-policy", "POLICY", "the organisation's default authentication policy, or none",
           lambda targets, _, right: exchange.DefaultAuthenticationPolicy(*targets.authentication_policy(right))),
    Option("auth-policy-smtp", "POLICY=allow|refuse", "an authentication policy allows or refuses basic SMTP",
           _auth_policy_smtp),
    Option("new-auth-policy", "POLICY=allow|refuse", "a new authentication policy that allows or refuses basic SMTP",
           _new_auth_policy),
    Option("licence", "ACCOUNT=give|take", "a licence with a mailbox plan",
           lambda targets, left, right: directory.MailboxLicence(
               *targets.account(left), _word(right, _GIVEN, "licence"))),
    Option("per-user-mfa", "ACCOUNT=STATE", "per-user MFA: disabled, enabled or enforced",
           lambda targets, left, right: directory.PerUserMfa(
               *targets.account(left), _word(right, _MFA, "per-user-mfa"))),
    Option("account", "ACCOUNT=enabled|disabled", "sign-in of an account",
           lambda targets, left, right: directory.SignInEnabled(
               *targets.account(left), _word(right, _ENABLED, "account"))),
    Option("password-changed", "ACCOUNT", "the account's password is set anew",
           lambda targets, _, right: directory.PasswordChanged(*targets.account(right))),
    Option("send-as", "ACCOUNT=ADDRESS", "the account (or app) may send as the address", _send_as),
    Option("sender", "NAME.KEY=VALUE", "a key of a declared sender, as in the config: scanner.port=587", _sender,
           last=False),
    Option("app", "APP=enabled|disabled", "an app's service principal",
           lambda targets, left, right: apps.AppEnabled(targets.app(left), _word(right, _ENABLED, "app"))),
    Option("app-permission", "APP", "the app is granted SMTP.SendAsApp",
           lambda targets, _, right: apps.AppPermission(targets.app(right))),
    Option("app-registered", "APP", "the app's service principal is registered in Exchange Online",
           lambda targets, _, right: apps.AppRegistered(targets.app(right))),
    Option("app-full-access", "ACCOUNT=APP", "the app holds FullAccess on the account's mailbox",
           lambda targets, left, right: apps.AppFullAccess(*targets.account(left), targets.app(right)), last=False),
    Option("retired", "", "basic authentication for SMTP AUTH is off, as announced for the end of December 2026",
           lambda *_: exchange.BasicRetired()),
)  # fmt: skip

BY_NAME: Mapping[str, Option] = {option.name: option for option in OPTIONS}
_FIRST = "new-auth-policy"
"""Other changes may name what this one makes."""


def changes(tenant: Tenant, senders: Sequence[Sender], given: Iterable[Given]) -> tuple[Change, ...]:
    """The changes that are meant. Raises UsageError for a target that does not exist, with what exists nearby, and for
    two changes that contradict each other."""
    targets = Targets(tenant, senders)
    wanted = sorted(given, key=lambda one: one[0] != _FIRST)
    found: dict[tuple[str, ...], Change] = {}
    for name, left, right in wanted:
        change = BY_NAME[name].read(targets, left, right)
        if isinstance(change, exchange.AuthenticationPolicySmtp) and change.new:
            targets.new[change.policy_key] = change
        before = found.setdefault(change.key, change)
        if before != change:
            raise UsageError(f"{before.text}, and {change.text}: that cannot both be.", remedy="Keep one of the two.")
    _check_mailboxes(tenant, found)
    return tuple(found.values())


def _check_mailboxes(tenant: Tenant, found: Mapping[tuple[str, ...], Change]) -> None:
    """A switch needs a mailbox, or a licence among the changes that makes one."""
    for change in found.values():
        if not isinstance(change, exchange.MailboxSwitch) or not tenant.complete("mailboxes"):
            continue
        licence = found.get(("licence", change.account_id))
        if not tenant.accounts.mailbox[tenant.row_of[change.account_id]] and licence is None:
            raise UsageError(
                f"{change.account} has no mailbox in Exchange Online, so there is no such switch.",
                remedy=f'A licence may give it one: --licence "{change.account}=give".',
            )


def from_option(name: str, value: str, place: str = "") -> Given:
    """One option as it stands on the command line, or at `place`. Raises UsageError where a pair lacks its `=`."""
    option = BY_NAME[name]
    if not option.pair:
        return name, "", value
    left, found, right = value.rpartition("=") if option.last else value.partition("=")
    if not found or not left.strip():
        raise UsageError(f"{place or f'--{name}'}: `{value}` is no pair.", remedy=f'Write "{option.form}".')
    return name, left.strip(), right.strip()


def from_file(path: Path) -> list[Given]:
    """The changes of a TOML file. Raises UsageError naming file, key and remedy."""
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).", remedy="Name a TOML file.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8.", remedy="Save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}.", remedy="Mend that line and try again.") from error
    found: list[Given] = []
    for key, value in document.items():
        found += _of_key(path, key, value)
    return found


def _of_key(path: Path, key: str, value: Any) -> list[Given]:
    option = BY_NAME.get(key.replace("_", "-"))
    if option is None:
        names = [name.replace("-", "_") for name in BY_NAME]
        near = difflib.get_close_matches(key, names, n=3)
        raise UsageError(f"{path}: unknown key `{key}`.", remedy=f"The keys are {', '.join(near or names)}.")
    if not option.form:
        if not isinstance(value, bool):
            raise UsageError(f"{path}: {key}: is switched on with true.", remedy=f"Write {key} = true.")
        return [(option.name, "", "")] if value else []
    if isinstance(value, dict) and option.pair:
        return [given for left, right in value.items() for given in _of_table(path, option, left, right)]
    values = value if isinstance(value, list) else [value]
    return [from_option(option.name, _scalar(path, key, one), f"{path}: {key}") for one in values]


def _of_table(path: Path, option: Option, left: str, right: Any) -> list[Given]:
    """`[policy]` with `NAME = VALUE`; `[sender.NAME]` with `key = value`, where a list is a list of addresses."""
    place = f"{option.name}.{left}"
    if isinstance(right, dict) and option.name == "sender":
        return [(option.name, f"{left}.{key}", _joined(path, f"{place}.{key}", one)) for key, one in right.items()]
    if option.name in ("bind", "sender"):
        return [(option.name, left, _joined(path, place, right))]
    values = right if isinstance(right, list) else [right]
    return [(option.name, left, _scalar(path, place, one)) for one in values]


def _joined(path: Path, place: str, value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    return ",".join(_scalar(path, place, one) for one in values)


def _scalar(path: Path, place: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise UsageError(f"{path}: {place}: is no text, number, true or false.", remedy="docs/what-if.md shows the file.")


def written(change: Change) -> str:
    """A change as a shell line holds it, its value between double quotes where that is needed."""
    name, *values = change.option
    return " ".join([name, *(value if re.fullmatch(r"[\w.@:,/=-]+", value) else f'"{value}"' for value in values)])
