"""Objects that are not what Microsoft documents: what they touch is unknown. One finding per dataset."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.access import oddities
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import NAMED, make
from auditor.findings.severity import Impact, Reach, severity
from auditor.tenant import DataProblem
from auditor.verdict import Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    by_dataset: dict[str, list[DataProblem]] = {}
    for problem in (*judgement.tenant.problems, *oddities(judgement.tenant)):
        by_dataset.setdefault(problem.dataset, []).append(problem)
    for dataset, problems in sorted(by_dataset.items()):
        rows = {judgement.tenant.row_of.get(problem.object_id.lower(), -1) for problem in problems}
        shown = sorted({(problem.object_id, problem.property, problem.problem) for problem in problems})
        yield make(
            RULE,
            judgement,
            outcome="unknown",
            severity=severity(Impact.WEAKENS, Reach.NAMED),
            title=f"{dataset}: {len(shown)} value(s) are not what Microsoft documents",
            evidence=[
                Fact("values", str(len(shown)), dataset),
                *(Fact(prop or "object", f"{key}: {text}", dataset) for key, prop, text in shown[:NAMED]),
            ],
            target=("dataset", dataset, dataset),
            accounts=rows - {-1},
        )


RULE = Rule(
    id="data-problem",
    title="Evidence that is not what Microsoft documents",
    datasets=(),
    remedy=(
        "What these values touch is unknown, not passed. If the service really answers so, report it to this project; "
        "if the snapshot was edited or imported, export it again."
    ),
    remedy_risk="None: nothing in the tenant changes.",
    references=(),
    controls=(),
    find=find,
)
