"""What a person sees at the end of a command; all of it on stderr, stdout holds only the result's path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from auditor.cli.progress import LogFormat, log
from auditor.clock import iso
from auditor.config import LoadedConfig, TenantConfig
from auditor.errors import AuditorError, UsageError
from auditor.evaluate import Evaluation
from auditor.findings.base import SEVERITIES
from auditor.report.text import clean
from auditor.run import RunResult
from auditor.states import VERDICT_WORDS


def chosen_tenants(config: LoadedConfig, names: Sequence[str]) -> Sequence[TenantConfig]:
    """The tenants of the config that are asked for; raises UsageError where a name is not in it."""
    tenants = config.config.tenants
    if not tenants:
        raise UsageError("The config has no [[tenants]].", remedy="`auditor init` writes one.")
    known = {tenant.name: tenant for tenant in tenants}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"No tenant named {', '.join(unknown)}.", remedy=f"The config has: {', '.join(known)}.")
    return [known[name] for name in names] if names else tenants


def finish(results: Sequence[RunResult], *, strict: bool, fail_on: str | None, log_format: LogFormat = "text") -> int:
    """Prints each tenant's summary and returns the contract's exit code: a failed tenant's own, else 1, else 3."""
    for result in results:
        if log_format == "json":
            _logged(result)
        else:
            _summary(result)
    failed = [result.error.exit_code for result in results if result.error]
    if failed:
        return max(failed)
    if fail_on and any(_stands(result, fail_on) for result in results):
        return 1
    return 3 if strict and any(result.partial for result in results) else 0


def _stands(result: RunResult, fail_on: str) -> bool:
    counted = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return any(finding.severity in counted and finding.outcome != "waived" for finding in result.findings)


def _summary(result: RunResult) -> None:
    if result.error:
        _failed(result.tenant, result.error)
        return
    assert result.evaluation is not None
    judgement = result.evaluation.judgement
    verdicts, severities, gaps = _counted(result.evaluation)
    click.echo(
        f"{result.tenant}: {len(judgement.tenant.accounts):,} accounts, judged for {iso(judgement.tenant.now)}",
        err=True,
    )
    click.echo(f"  basic SMTP AUTH: {_counts(verdicts, VERDICT_WORDS)}", err=True)
    click.echo(f"  findings: {_counts(severities, SEVERITIES) or 'none'}", err=True)
    click.echo(f"  not read: {', '.join(gaps) if gaps else 'nothing that was asked for'}", err=True)
    _since(result.evaluation)
    click.echo(f"  workbook: {result.workbook}", err=True)
    click.echo(str(result.workbook))


def _counted(evaluation: Evaluation) -> tuple[Counter[str], Counter[str], list[str]]:
    """Accounts by verdict for basic authentication, findings by severity, and the datasets that were not read."""
    verdicts = Counter(VERDICT_WORDS[code] for code in evaluation.judgement.basic.tolist())
    severities = Counter[str](one.severity for one in evaluation.findings if one.outcome != "waived")
    gaps = [row.dataset for row in evaluation.coverage if row.state in ("cut", "denied", "failed")]
    return verdicts, severities, gaps


def _logged(result: RunResult) -> None:
    """The summary as one event; stdout holds the workbook's path as ever."""
    if result.error:
        log("failed", tenant=result.tenant, error=result.error.message, remedy=result.error.remedy)
        return
    assert result.evaluation is not None
    verdicts, severities, gaps = _counted(result.evaluation)
    log(
        "done",
        tenant=result.tenant,
        accounts=len(result.evaluation.judgement.tenant.accounts),
        verdicts=dict(verdicts),
        findings=dict(severities),
        not_read=gaps,
        workbook=str(result.workbook),
    )
    click.echo(str(result.workbook))


_REMARKS = 5
"""How many remarks about the triage are shown here; all stand in the sheet Changes."""


def _since(evaluation: Evaluation) -> None:
    """What changed since the previous run, and what somebody must know about the triage that was carried over."""
    comparison, remarks = evaluation.comparison, evaluation.remarks
    if comparison:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in comparison.counts.items() if count)
        click.echo(f"  since {comparison.before or 'the previous run'}: {counts or 'nothing'}", err=True)
        click.echo(f"  triage carried over: {len(evaluation.triage):,} findings", err=True)
    for remark in remarks[:_REMARKS]:
        about = ", ".join(part for part in (remark.where, remark.finding) if part)
        told = clean(f"{about}: {remark.text}" if about else remark.text)
        click.echo(f"  triage: {' '.join(told.split())}", err=True)
    if len(remarks) > _REMARKS:
        click.echo(f"  triage: {len(remarks) - _REMARKS:,} more remarks in the sheet Changes", err=True)


def _failed(tenant: str, error: AuditorError) -> None:
    click.echo(f"auditor: {tenant}: {error}", err=True)


def _counts(counter: Counter[str], order: Sequence[str]) -> str:
    return ", ".join(f"{counter[word]:,} {word}" for word in order if counter[word])
