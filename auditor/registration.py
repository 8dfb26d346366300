"""What `auditor init` writes and prints: a commented config, and the steps to register the app with least privilege.

The list of permissions is derived from the catalogue, so that it never asks for more than the datasets need.
Sources: https://learn.microsoft.com/entra/identity-platform/quickstart-register-app,
https://learn.microsoft.com/powershell/exchange/app-only-auth-powershell-v2.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.catalogue import (
    CATALOGUE,
    CONFIGURATION,
    CONFIGURATION_ROLE_ID,
    EXCHANGE,
    EXCHANGE_APP_ID,
    GRAPH_APP_ID,
    ROLE_IDS,
)
from auditor.config import Cloud
from auditor.graph.clouds import CLOUDS

APP_NAME = "tenant-auditor"
TENANT, CLIENT = "<tenant id>", "<client id>"


@dataclass(frozen=True, slots=True)
class PermissionNeed:
    """An application permission: what it opens, and whether only evidence hangs on it that may be left out."""

    name: str
    role_id: str
    datasets: tuple[str, ...]
    optional: bool


def needed() -> tuple[PermissionNeed, ...]:
    """Every permission of Microsoft Graph that the catalogue needs, required ones first, each group in its order.

    The Exchange permission is apart: `exchange_need`."""
    opens: dict[str, list[str]] = {}
    for dataset in CATALOGUE:
        if dataset.permission and dataset.permission != EXCHANGE:
            opens.setdefault(dataset.permission, []).append(dataset.name)
    optional = {dataset.name for dataset in CATALOGUE if dataset.optional}
    needs = [
        PermissionNeed(name, ROLE_IDS[name], tuple(datasets), optional.issuperset(datasets))
        for name, datasets in opens.items()
    ]
    return tuple(sorted(needs, key=lambda need: need.optional))


def exchange_need() -> PermissionNeed:
    """What the Exchange admin API asks for, beside a directory role; files exported by hand need nothing."""
    datasets = tuple(dataset.name for dataset in CATALOGUE if dataset.permission == EXCHANGE)
    return PermissionNeed(EXCHANGE, ROLE_IDS[EXCHANGE], datasets, optional=True)


def consent_link(cloud: Cloud = "public", tenant_id: str = TENANT, client_id: str = CLIENT) -> str:
    """Where an administrator grants what the registration asks for."""
    authority = CLOUDS.get(cloud, CLOUDS["public"]).authority
    return f"{authority}/{tenant_id}/adminconsent?client_id={client_id}"


def steps(cloud: Cloud = "public") -> str:
    """The registration in three ways (portal, Azure CLI, PowerShell), to be read by people."""
    where = CLOUDS.get(cloud, CLOUDS["public"])
    parts = (
        "REGISTER THE APP WITH LEAST PRIVILEGE",
        "Everything is read-only. An administrator who may register apps and grant consent does this once.",
        _permissions(),
        _portal(where.portal),
        _azure_cli(),
        _powershell(),
        "ADMIN CONSENT, BY LINK (instead of the last step of each way)\n\n  " + consent_link(cloud),
        _exchange(),
        "THEN\n\n  Put tenant_id, client_id and the credential into the config and ask what the app may read:\n"
        "  auditor doctor --config config.toml",
    )
    return "\n\n".join(parts) + "\n"


def _permissions() -> str:
    lines = ["PERMISSIONS (application permissions of Microsoft Graph)", ""]
    width = max(len(need.name) for need in needed())
    for need in needed():
        word = "optional" if need.optional else "required"
        lines.append(f"  {need.name:<{width}}  {word}  {', '.join(need.datasets)}")
    lines += ["", "  Without an optional one the audit is as sound; it shows less evidence of use."]
    return "\n".join(lines)


def _portal(portal: str) -> str:
    names = ", ".join(need.name for need in needed())
    return f"""IN THE PORTAL

  1. {portal} > Entra ID > App registrations > New registration: name {APP_NAME}, this organization only, no
     redirect URI. Note the application (client) id and the directory (tenant) id.
  2. API permissions > remove User.Read > Add a permission > Microsoft Graph > Application permissions:
     {names}
  3. Certificates & secrets: upload the public half of a certificate. A client secret works too, but whoever reads
     it can use it until it expires.
  4. API permissions > Grant admin consent."""


def _azure_cli() -> str:
    roles = " ".join(f"{need.role_id}=Role" for need in needed())
    return f"""WITH AZURE CLI

  az ad app create --display-name {APP_NAME} --sign-in-audience AzureADMyOrg --query appId --output tsv
  az ad sp create --id "{CLIENT}"
  az ad app permission add --id "{CLIENT}" --api {GRAPH_APP_ID} --api-permissions {roles}
  az ad app credential reset --id "{CLIENT}" --cert "@certificate.pem" --append
  az ad app permission admin-consent --id "{CLIENT}\""""


def _powershell() -> str:
    listed = "\n".join(f"    '{need.role_id}'  # {need.name}" for need in needed())
    return f"""WITH POWERSHELL (module Microsoft.Graph)

  Connect-MgGraph -Scopes Application.ReadWrite.All, AppRoleAssignment.ReadWrite.All
  $roles = @(
{listed}
  )
  $access = @{{ ResourceAppId = '{GRAPH_APP_ID}'
               ResourceAccess = @($roles | ForEach-Object {{ @{{ Id = $_; Type = 'Role' }} }}) }}
  $app = New-MgApplication -DisplayName '{APP_NAME}' -SignInAudience AzureADMyOrg -RequiredResourceAccess $access
  $principal = New-MgServicePrincipal -AppId $app.AppId
  $graph = Get-MgServicePrincipal -Filter "appId eq '{GRAPH_APP_ID}'"
  foreach ($role in $roles) {{
    New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id -PrincipalId $principal.Id `
      -ResourceId $graph.Id -AppRoleId $role
  }}
  $app.AppId"""


def _exchange() -> str:
    need = exchange_need()
    return f"""EXCHANGE ONLINE

  Microsoft Graph does not show the settings of Exchange that decide about SMTP AUTH. There are three ways:
  - Recommended, nothing to grant: an administrator runs the script of `auditor exchange-script` and you name its
    files in the config ([exchange] source = "export").
  - By the admin API ([exchange] source = "admin-api"), which Microsoft does not document: grant the application
    permission {need.name} ({need.role_id})
    of Office 365 Exchange Online ({EXCHANGE_APP_ID}),
    and give the app's service principal the directory role Global Reader. The permission alone gives nothing.
  - From configuration snapshots that the tenant already takes ([exchange] source = "configuration-snapshot"), public
    cloud only: grant {CONFIGURATION} ({CONFIGURATION_ROLE_ID})
    of Microsoft Graph. They say less: see config.example.toml."""


def config_template() -> str:
    """A config to fill in; every key it shows is in the form that the program reads."""
    return f"""# Settings of tenant-auditor. config.example.toml explains every key.
# No secret stands in here: settings name the environment variable or the file that holds it.

[[tenants]]
name = "my-tenant"
# Directory (tenant) id and application (client) id: both on the app registration's overview page.
tenant_id = "00000000-0000-0000-0000-000000000000"
client_id = "00000000-0000-0000-0000-000000000000"
# {", ".join(sorted(CLOUDS))} or custom
cloud = "public"
# Exactly one credential. A certificate with its private key (PEM or PFX):
#certificate_path = "auditor.pem"
#certificate_password_env = "AUDITOR_CERTIFICATE_PASSWORD"
# or a client secret, in an environment variable or in a file of its own:
client_secret_env = "AUDITOR_CLIENT_SECRET"
#client_secret_file = "client-secret.txt"
# or the identity of the Azure machine, or a token file of a federated workload:
#managed_identity = true
#federated_token_file = "token.jwt"

# Each account that must send mail by SMTP, with its client's settings; repeat the table for each.
#[[senders]]
#name = "scanner"
#account = "scanner@contoso.com"
#server = "smtp.office365.com"
#port = 587
#tls = "starttls"
#auth = "basic"
#egress_ips = ["203.0.113.10"]
#owner = "facilities@contoso.com"

# Exchange's own settings: "export" (files of `auditor exchange-script`, recommended), "admin-api",
# "configuration-snapshot" or "none".
[exchange]
source = "none"
#export_path = "exchange-export"
"""
