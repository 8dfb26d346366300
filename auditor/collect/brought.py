"""SMTP replies that an administrator noted or a probe saw: brought as a file, kept as evidence."""

from __future__ import annotations

from datetime import datetime

import msgspec

from auditor.catalogue import Dataset
from auditor.collect.base import Keep, Outcome
from auditor.config import LoadedConfig
from auditor.tenant import DatasetStatus


class _Reply(msgspec.Struct):
    """A line of the file; other keys are kept as they are."""

    account: str
    time: datetime
    text: str
    source: str


def smtp_replies(config: LoadedConfig, dataset: Dataset, keep: Keep) -> Outcome:
    """Reads `[audit] smtp_replies`, JSON Lines with account, time, text and source. One bad line and the dataset is
    failed, with the line named: half of the replies would look like all of them."""
    if not config.config.audit.smtp_replies:
        return Outcome.not_asked(dataset, "Neither a probe nor an administrator brought a reply.")
    path = config.path(config.config.audit.smtp_replies)
    check = msgspec.json.Decoder(_Reply).decode
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
    except OSError as error:
        return _failed(dataset, f"{path.name}: cannot be read ({error.strerror}).")
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                check(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _failed(dataset, f"{path.name}, line {number}: {error}.")
    keep([line for line in lines if line.strip()])
    return Outcome.complete(dataset, path.name)


def _failed(dataset: Dataset, reason: str) -> Outcome:
    return Outcome(DatasetStatus(dataset.name, "failed", reason=reason))
