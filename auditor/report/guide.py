"""The sheet "How to read this": every word the workbook uses, and what it cannot know."""

from __future__ import annotations

from auditor.report.cells import Link
from auditor.report.xlsx import Book

TITLE = "How to read this"

RETIREMENT = (
    "On 27 January 2026 Microsoft announced that basic authentication for SMTP AUTH will be off by default for "
    "existing tenants at the end of December 2026; administrators can switch it on again. Tenants made after that "
    "will not have it by default. The date of its removal is to be announced in the second half of 2027. Which "
    "setting changes, and whether a mailbox override or an authentication policy that allows it survives the "
    "change, is not published: read the tenant again and test after the change, including OAuth senders that "
    "inherit the organisation's switch."
)

RETIREMENT_SOURCE = (
    'Exchange team blog, "Updated Exchange Online SMTP AUTH Basic Authentication Deprecation Timeline", 27 January'
    " 2026; Message center MC786329"
)

SECTIONS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Two questions, kept apart",
        (
            (
                "Can it send?",
                "Columns `basic` and `oauth`: the verdict for a declared sender's own settings and place, else for"
                " a default client (smtp.office365.com, port 587, STARTTLS) at an unknown place. For whoever must "
                "get mail out.",
            ),
            (
                "Can it be abused?",
                "Column `exposure`: can anyone who has the password use the account over SMTP, from anywhere? "
                "Declared senders' places, missing licences, expired passwords, wrong client settings and dates "
                "never close an exposure. Column `password_guessing`: does a refused sign-in still tell an "
                "attacker whether the password is right? For whoever must keep attackers out.",
            ),
            (
                "Why both",
                "Neither error is harmless: an account wrongly called blocked stays exposed, one wrongly called "
                "open is promised mail that will not go.",
            ),
        ),
    ),
    (
        "Verdicts (columns basic, oauth)",
        (
            (
                "blocked",
                "At least one blocker stands in the way. All of them are named, not only the first: one SMTP error"
                " never proves that the others are absent.",
            ),
            (
                "unknown",
                "No blocker was found, but something that decides was not read or is not documented. Never a pass.",
            ),
            (
                "conditional",
                "It depends on place, risk or time, or it works for now only.",
            ),
            (
                "open",
                "No blocker was found in the tenant's settings. It promises no delivery: the password, the "
                "client's TLS and the reputation of its address cannot be seen. For an account that is no declared"
                " sender, `oauth` open says only that the protocol is open; no app was judged.",
            ),
            (
                "not_applicable",
                "The account or route does not use SMTP AUTH.",
            ),
        ),
    ),
    (
        "States of a blocker",
        (
            (
                "blocks",
                "The setting, as read, stops SMTP AUTH on the channels this blocker acts on.",
            ),
            (
                "clear",
                "The setting was read and does not stop it.",
            ),
            (
                "conditional",
                "It stops it in some places, at some risk or later.",
            ),
            (
                "unknown",
                "What decides it was not read, was cut, is too old, or is not documented. Losing a dataset only "
                "ever turns a state into unknown.",
            ),
            (
                "not_applicable",
                "The blocker has no meaning for this account; several are judged for declared senders only.",
            ),
            (
                "deciding_blocker",
                "The first that blocks in an order of work (what to look at first). It is not Exchange's own "
                "order, which is not documented.",
            ),
            (
                "likely_replies",
                "The documented replies of the blockers that stand. Which one a server gives when several stand is"
                " not documented.",
            ),
        ),
    ),
    (
        "Exposure",
        (
            (
                "open",
                "Anyone with the password, from anywhere.",
            ),
            (
                "limited",
                "From some places or states only, or only with an app password.",
            ),
            (
                "unknown",
                "What decides it was not read.",
            ),
            (
                "closed",
                "A setting of the tenant closes it for everyone.",
            ),
        ),
    ),
    (
        "Findings",
        (
            (
                "One cause, one finding",
                "A cause that is tenant-wide gives one finding; its accounts stand in the sheet Affected. A "
                "finding of its own is made for declared senders, administrators, explicit mailbox overrides and "
                "evidence of use.",
            ),
            (
                "severity",
                "critical, high, medium, low, info. One model: what an attacker or an outage gains, plus how much "
                "it touches, minus how unsure the evidence leaves us.",
            ),
            (
                "outcome",
                "fail: it stands. unknown: it could not be judged for want of evidence. waived: accepted in the "
                "config or in the last workbook, with owner, reason and end date.",
            ),
            (
                "change, first_seen",
                "Against the previous run, where one was named (--previous): new, persisting, changed (severity, "
                "outcome, evidence or accounts differ; a later time in the log alone is no change), returned (fixed "
                "once, and standing again). Without a previous run everything is new and first seen now.",
            ),
            (
                "id",
                "Stable across runs and machines for the same rule, tenant and object: use it as the key in tickets.",
            ),
            (
                "Status, Owner, Due date, Ticket, Analyst comment, Waiver until",
                "Tinted columns are yours. The program fills Status with Open (Risk accepted where a waiver of the "
                "config stands). Sort, filter, move columns and add your own: the next run reads yours back by id "
                "(--previous) and carries them over. Status Risk accepted together with Owner, Analyst comment (the "
                "reason) and Waiver until waives the finding in the next run.",
            ),
        ),
    ),
    (
        "Changes and waivers",
        (
            (
                "fixed",
                "The finding is gone, and everything that it rests on was read whole this time.",
            ),
            (
                "not-checked",
                "The finding is gone, but that may be for want of evidence: a dataset was not read whole, or the "
                "sender was not judged. It counts as fixed only when a later run can tell.",
            ),
            (
                "triage",
                "What could not be carried over as it stood, or does not agree with what stands: for example a "
                "Status of Fixed beside a finding that still stands.",
            ),
            (
                "broader than needed",
                "The waiver also accepts what was not known when it was written: it names a rule without an object, "
                "or a name that fits several objects.",
            ),
        ),
    ),
    (
        "Evidence",
        (
            (
                "MFA registered",
                "Registered methods are evidence only: multifactor authentication never protects a sign-in with "
                "basic authentication over SMTP unless a setting refuses that sign-in.",
            ),
            (
                "SMTP use",
                "`smtp_evidence` names the sources and their windows. No use seen is not the same as unused: the "
                "sign-in log keeps 30 days, and a refusal before sign-in leaves no entry.",
            ),
            (
                "Times",
                "ISO 8601 in UTC.",
            ),
        ),
    ),
    (
        "December 2026",
        (
            (
                "Basic authentication for SMTP AUTH",
                RETIREMENT,
            ),
            (
                "Source",
                RETIREMENT_SOURCE,
            ),
        ),
    ),
    (
        "What nobody can read from a tenant",
        (
            (
                "Credentials",
                "Whether the password in the client is right, whether an app password exists, and whether pass-"
                "through sign-in reaches its agents.",
            ),
            (
                "The client",
                "Its TLS version, the address it leaves from unless declared, retries and queues.",
            ),
            (
                "The service",
                "The order in which Exchange and Entra test, sending limits in use, outbound-spam restrictions, "
                "and which text wins when several blockers stand.",
            ),
            (
                "Time",
                "Everything was judged for one moment. Authentication policies and Conditional Access may take up "
                "to 24 hours to act.",
            ),
        ),
    ),
    (
        "The files beside this workbook",
        (
            (
                "findings.csv, findings.json",
                "All findings, full texts. The workbook cuts a text above 32,000 characters and says so.",
            ),
            (
                "accounts.csv, coverage.csv",
                "The sheets Accounts and Coverage for programs. In CSV files an apostrophe stands before a text "
                "that a spreadsheet could take for a formula.",
            ),
            (
                "run.json, snapshot",
                "When and how long was read, and the evidence itself, with its digest.",
            ),
            (
                "Control characters",
                "Shown as their pictures (␀ … ␡), because a workbook cannot hold them.",
            ),
        ),
    ),
)


def add_guide(book: Book) -> None:
    sheet = book.add_sheet(TITLE, (30, 100))
    sheet.raw.sheet_view.showGridLines = False
    sheet.append(["How to read this workbook", None], ["title", "text"], height=34)
    sheet.append([Link("Back to the summary", "#'Summary'!A1"), None], ["jump", "text"])
    for heading, entries in SECTIONS:
        sheet.append([None, None], ["text", "text"], height=8)
        sheet.append([heading, None], ["heading", "heading"], height=24)
        for term, text in entries:
            sheet.append([term, text], ["strong", "label"])
