from __future__ import annotations

import json

from auditor.probe import Phase, Pointer, ProbeResult, Reply
from auditor.probe.show import as_json, as_text

TEXT = "5.7.139 Authentication unsuccessful, basic authentication is disabled."
RESULT = ProbeResult(
    sender="scanner",
    account="scanner@contoso.example",
    login="scan@contoso.example",
    route="client-submission",
    channel="basic",
    declared="smtp.office365.com:587",
    contacted="localhost:2525",
    time="2026-11-23T16:00:00Z",
    phases=(
        Phase("connect", "done", "Connected to 127.0.0.1, port 2525."),
        Phase("tls", "done", "TLSv1.3.", facts=(("names", "smtp.office365.com"), ("empty", ""))),
        Phase("auth", "refused", reply=Reply(535, TEXT)),
    ),
    replies=("basic-authentication-disabled",),
    pointers=(
        Pointer("authentication-policy", "Refused as a method.", "basic-authentication-disabled", "observed", "logs"),
        Pointer("basic-auth-retirement", "Refused as a method.", "basic-authentication-disabled", "observed", "logs"),
        Pointer("authentication-policy", "Seen otherwise."),
    ),
    notes=("A note.",),
    ending="refused",
)  # fmt: skip


def test_text_tells_phases_replies_and_what_they_point_at():
    text = as_text([RESULT])
    for words in ("scanner: scan@contoso.example, client-submission, password, smtp.office365.com:587",
                  "probed at localhost:2525", "535 5.7.139 Authentication unsuccessful",
                  "names: smtp.office365.com", "It was refused.",
                  "Points at authentication-policy (seen in public logs)",
                  "Points at authentication-policy (seen on the wire): Seen otherwise.", "What to do: ",
                  "Note: A note."):  # fmt: skip
        assert words in text
    assert "empty" not in text
    assert max(len(line) for line in text.splitlines()) <= 110


def test_many_blockers_name_no_cause_so_no_way_out_is_listed():
    pointers = tuple(Pointer(blocker, "why") for blocker in ("credential", "per-user-mfa", "sender-settings"))
    many = ProbeResult(**{name: getattr(RESULT, name) for name in ProbeResult.__slots__} | {"pointers": pointers})
    assert "What to do" not in as_text([many])


def test_json_holds_everything():
    (shown,) = json.loads(as_json([RESULT]))["probes"]
    assert shown["blockers"] == ["authentication-policy", "basic-auth-retirement"]
    assert shown["ending"] == "refused"
    assert shown["phases"][2] == {
        "phase": "auth",
        "outcome": "refused",
        "detail": "",
        "reply": {"code": 535, "text": TEXT},
        "facts": {},
    }
    assert [pointer["blocker"] for pointer in shown["pointers"]] == [pointer.blocker for pointer in RESULT.pointers]


def test_evidence_is_what_was_said_from_the_sign_in_on_and_every_refusal():
    assert RESULT.said() == [f"535 {TEXT}"]
