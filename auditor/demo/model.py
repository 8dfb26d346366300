"""The emulated tenant's state: what the generator makes and the emulated services serve. Imports no engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class DemoApp:
    """The registered app that the auditor signs in as."""

    client_id: str
    object_id: str
    """of its service principal in the tenant"""
    secret: str
    graph_roles: set[str]
    """application permissions granted on Microsoft Graph: the token's `roles`"""
    exchange_roles: set[str]
    """application permissions granted on Office 365 Exchange Online"""
    directory_role: bool = True
    """its service principal holds Global Reader, without which Exchange refuses"""
    certificates: list[bytes] = field(default_factory=list)
    """public certificates (PEM) uploaded for client assertions"""
    secret_expired: bool = False
    disabled: bool = False
    federated: list[dict[str, str]] = field(default_factory=list)
    """federated identity credentials: issuer, subject, audience and the issuer's public_key (PEM)"""


@dataclass
class DemoTenant:
    """`graph` and `exchange` hold, by dataset name of the contract, the full objects as the service stores them
    (a singleton is a dict, the rest sequences: of a large tenant, made when they are read). Direct group members are
    ids of users or groups, nested freely."""

    tenant_id: str
    name: str
    initial_domain: str
    now: datetime
    """the fixed clock: every date is derived from it"""
    seed: int
    scenario: str
    quarter: int
    app: DemoApp
    premium: bool
    """Entra ID P1: without it signIns and userRegistrationDetails answer a licence 403"""
    graph: dict[str, Any] = field(default_factory=dict)
    exchange: dict[str, Sequence[dict[str, Any]]] = field(default_factory=dict)
    group_members: dict[str, Sequence[str]] = field(default_factory=dict)
    """group id → direct members (user or group ids)"""
    methods: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    """user id → authentication methods"""
    per_user_mfa: Mapping[str, str] = field(default_factory=dict)
    """user id → disabled, enabled, enforced"""
    app_passwords: dict[str, str] = field(default_factory=dict)
    passwords: Mapping[str, str] = field(default_factory=dict)
    """user id → password, for the emulated SMTP server"""
    concealed_names: bool = False
    """the tenant hides user names in usage reports"""
    exchange_mode: str = "admin-api"
    """how the demo's config reads Exchange: admin-api, export or none"""
    senders: list[dict[str, Any]] = field(default_factory=list)
    """the `[[senders]]` of the demo's config, keys as in the contract"""
    fates: dict[str, dict[str, str]] = field(default_factory=dict)
    """sender name → what the generator built it to be: {"basic": verdict, "oauth": verdict, "deciding_blocker": id}"""
    per_user_mfa_in_list: bool = True
    """`perUserMfaState` may be selected in the list of users (not documented by Microsoft); else Graph answers 400"""
    other_cloud: bool = False
    """the organisation lives in another national cloud: the token endpoint refuses with AADSTS900382"""
    smtp_replies: list[dict[str, Any]] = field(default_factory=list)
    """the brought dataset `smtpReplies`: {"account", "time", "text", "source"}; empty where none was brought"""
    configuration_jobs: list[dict[str, Any]] = field(default_factory=list)
    """jobs of tenant configuration management that somebody ran; their snapshots are made of `exchange`"""
    what_if_disagrees: set[str] = field(default_factory=set)
    """ids of policies of which the What If action says the opposite of what it finds, so that an audit's cross-check
    has something to find"""
