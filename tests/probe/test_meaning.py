from __future__ import annotations

import pytest

from auditor.blockers import BLOCKERS
from auditor.explain.advice import ADVICE
from auditor.probe import Reply
from auditor.probe.meaning import of_implicit_tls, of_port, of_reply
from auditor.probe.show import SURE
from auditor.replies import REPLIES

UNSUCCESSFUL = "5.7.139 Authentication unsuccessful,"


@pytest.mark.parametrize(
    ("reply", "blockers"),
    [
        (Reply(535, f"{UNSUCCESSFUL} SmtpClientAuthentication is disabled for the Tenant. Visit "
                    "https://aka.ms/smtp_auth_disabled for more information. [AM8P190CA0003.EURP190.PROD.OUTLOOK.COM "
                    "2024-10-04T07:21:07.773Z 08DCE3]"), ("smtp-auth-switch",)),
        (Reply(535, f"{UNSUCCESSFUL} user is locked by your organization's security defaults policy. Contact your "
                    "administrator."), ("security-defaults",)),
        (Reply(550, "5.7.30 Basic authentication is not supported for Client Submission."),
         ("basic-auth-retirement",)),
        (Reply(550, "5.7.60 SMTP; Client does not have permissions to send as this sender"), ("send-as",)),
        (Reply(421, "4.7.66 TLS 1.0 and 1.1 are not supported. Please upgrade/update your client to support TLS 1.2. "
                    "Visit https://aka.ms/smtp_auth_tls."), ("sender-settings",)),
        (Reply(454, "4.7.0 Temporary authentication failure"), ()),
    ],
)  # fmt: skip
def test_a_reply_points_at_its_blockers(job, reply, blockers):
    found = of_reply(job(587), reply)
    assert tuple(pointer.blocker for pointer in found.pointers) == blockers
    assert found.known


def test_one_text_means_another_thing_with_a_password_than_with_a_token(job):
    reply = Reply(535, "5.7.3 Authentication unsuccessful [server]")
    basic = of_reply(job(587), reply)
    oauth = of_reply(job(587, auth="oauth"), reply)
    assert basic.replies == ("authentication-unsuccessful",)
    assert "oauth-grant" not in {pointer.blocker for pointer in basic.pointers}
    assert oauth.replies == ("oauth-unsuccessful",)
    assert {pointer.blocker for pointer in oauth.pointers} == {"oauth-grant"}


def test_a_text_that_nobody_knows_points_nowhere(job):
    found = of_reply(job(587), Reply(535, "no"))
    assert (found.pointers, found.replies, found.known) == ((), (), False)


@pytest.mark.parametrize(("port", "named"), [(587, False), (25, False), (465, True), (2525, True)])
def test_ports_that_exchange_online_does_not_offer_are_named(job, port, named):
    assert bool(of_port(job(port))) is named


def test_implicit_tls_is_named_beside_its_port(job):
    assert len(of_implicit_tls(job(465))) == 2
    assert len(of_implicit_tls(job(587))) == 1


def test_every_pointer_is_a_blocker_and_every_confidence_has_words():
    known = {blocker.id for blocker in BLOCKERS}
    assert {advice.id for advice in ADVICE} == known
    assert {blocker for reply in REPLIES for blocker in reply.blockers} <= known
    assert {reply.confidence for reply in REPLIES} <= set(SURE)
