"""The PowerShell script with which an administrator exports what the auditor reads: `auditor exchange-script`.

Generated from the catalogue and from `properties.py`, so that it writes exactly what `export.py` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.catalogue import BY_NAME, EXCHANGE_DATASETS
from auditor.exchange.properties import EXPORTED, PARAMETERS

_HEAD = """\
<#
.SYNOPSIS
Exports the Exchange Online settings that decide about SMTP AUTH into one JSON file. It changes nothing.

.DESCRIPTION
Every Exchange cmdlet in here begins with Get-. Least privilege: a role group with the two roles
"View-Only Configuration" and "View-Only Recipients". The Microsoft Entra role Global Reader is enough as well.

The file holds names and addresses of people: keep it like personal data, and delete it after the audit.

Before:
    Install-Module ExchangeOnlineManagement
    Connect-ExchangeOnline
Then:
    ./exchange-export.ps1 -Path exchange-export.json -Sender scanner@contoso.com,erp@contoso.com
A cmdlet that your roles do not hold, or that fails, leaves its part out with the reason, and the rest is written.
In config.toml:
    [exchange]
    source = "export"
    export_path = "exchange-export.json"

.PARAMETER Sender
The account of every sender that config.toml declares, as it stands there: their mailbox permissions are exported too,
which decide whether an app may send as them (OAuth).
#>
[CmdletBinding()]
param(
    [string] $Path = 'exchange-export.json',
    [string[]] $Sender = @()
)

$ErrorActionPreference = 'Stop'
try { $connected = @(Get-ConnectionInformation).Count -gt 0 } catch { $connected = $false }
if (-not $connected) { throw 'Not connected to Exchange Online: run Connect-ExchangeOnline first.' }
# Fails now, not after an hour of reading, where the file cannot be written.
Set-Content -LiteralPath $Path -Value '' -Encoding UTF8
$errors = [ordered]@{}
$export = [ordered]@{ exportedAt = (Get-Date).ToUniversalTime().ToString('o') }

# One object with the named properties: null stays null, lists stay lists, a property that does not exist is left out.
function pick($properties, $object) {
    $record = [ordered]@{}
    foreach ($property in $properties) {
        if ($null -eq $object.PSObject.Properties[$property]) { continue }
        $value = $object.$property
        if ($null -eq $value -or $value -is [bool]) { $record[$property] = $value }
        elseif ($value -is [System.Collections.IEnumerable] -and $value -isnot [string]) {
            $record[$property] = @($value | ForEach-Object { "$_" })
        }
        else { $record[$property] = "$value" }
    }
    [pscustomobject] $record
}

# One dataset. What fails is noted and the rest goes on; half a list is never written. Exchange's cmdlets live in a
# module, which does not see the preference above: each call says -ErrorAction Stop itself.
function part($name, $properties, $read) {
    Write-Host "Reading $name"
    try { $script:export[$name] = @(& $read | ForEach-Object { pick $properties $_ }) }
    catch { $script:errors[$name] = "$($_.FullyQualifiedErrorId): $($_.Exception.Message)" }
}

"""

_PERMISSIONS = """\
if ($Sender.Count -gt 0) {{
    $export['mailboxPermissionsOf'] = @($Sender)
    part 'mailboxPermissions' {properties} {{
        foreach ($mailbox in $Sender) {{
            try {{ {cmdlet} -Identity $mailbox{parameters} -ErrorAction Stop }}
            catch {{ if ("$($_.Exception.Message)" -notmatch 'n.t be found|not be found') {{ throw }} }}
        }}
    }}
}}
"""

_TAIL = """
$export['errors'] = $errors
$export | ConvertTo-Json -Depth 5 -Compress | Set-Content -LiteralPath $Path -Encoding UTF8
Write-Host "Wrote $Path; parts that failed: $($errors.Count)"
foreach ($name in $errors.Keys) { Write-Host "  $name - $($errors[$name])" }
"""

FORMATTING = frozenset({"ConvertTo-Json", "ForEach-Object", "Set-Content", "Write-Host"})
"""The only commands of the script that are no Get-: they shape the output, write the file and tell the progress."""


def export_script() -> str:
    """The script's text, ASCII, with plain line feeds."""
    parts = [_part(name) for name in EXCHANGE_DATASETS]
    return _HEAD + "".join(parts) + _TAIL


def _part(name: str) -> str:
    cmdlet = BY_NAME[name].path
    parameters = _arguments(PARAMETERS.get(name, {}))
    properties = "@(" + ", ".join(f"'{name}'" for name in EXPORTED[name]) + ")"
    if name == "mailboxPermissions":
        return _PERMISSIONS.format(properties=properties, cmdlet=cmdlet, parameters=parameters)
    return f"part '{name}' {properties} {{ {cmdlet}{parameters} -ErrorAction Stop }}\n"


def _arguments(parameters: Mapping[str, Any]) -> str:
    """PowerShell arguments: a switch for true, else a quoted value."""
    return "".join(f" -{name}" if value is True else f" -{name} '{value}'" for name, value in parameters.items())
