"""The config's keys that only a probe reads."""

from __future__ import annotations

import pytest

from auditor.config import load
from auditor.errors import ConfigError

TENANT = '[[tenants]]\nname = "A"\ntenant_id = "a.example"\n'
CUSTOM = TENANT + 'cloud = "custom"\nauthority = "https://a.example"\ngraph_url = "https://g.example"\n'
SENDER = '[[senders]]\nname = "scanner"\naccount = "scanner@a.example"\n'


def loaded(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path).config


def test_a_custom_cloud_may_name_where_its_mail_servers_answer(tmp_path):
    (tenant,) = loaded(tmp_path, CUSTOM + 'smtp_host = "localhost"\nsmtp_port = 2525\n').tenants
    assert (tenant.smtp_host, tenant.smtp_port) == ("localhost", 2525)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TENANT + 'smtp_host = "localhost"\nsmtp_port = 2525\n', "only for cloud = custom"),
        (CUSTOM + 'smtp_host = "localhost"\n', "stand together"),
        (CUSTOM + "smtp_port = 25\n", "stand together"),
        (CUSTOM + 'smtp_host = "localhost"\nsmtp_port = 70000\n', "smtp_port"),
        (SENDER + 'password = "x"\n', "a secret must not stand in this file"),
        (SENDER + 'password_env = "not a name"\n', "no name of an environment variable"),
        (SENDER + 'password_env = "A"\npassword_keyring = "b"\n', "several credentials"),
        (SENDER + 'oauth_secret_env = "A"\n', 'only for auth = "oauth"'),
        (SENDER + 'auth = "oauth"\npassword_env = "A"\n', 'only for auth = "basic"'),
        (SENDER + 'auth = "oauth"\noauth_secret_env = "A"\noauth_token_env = "B"\n', "several credentials"),
        (SENDER + 'auth = "oauth"\noauth_certificate_password_env = "A"\n', "there is no oauth_certificate_path"),
    ],
)
def test_what_does_not_fit_is_told_with_its_key(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words) as caught:
        loaded(tmp_path, text)
    assert "config.toml" in str(caught.value)


def test_each_way_of_signing_in_is_taken(tmp_path):
    text = SENDER + 'password_env = "A"\n'
    text += SENDER.replace("scanner", "printer") + 'password_keyring = "printer"\n'
    text += SENDER.replace("scanner", "tickets") + 'auth = "oauth"\noauth_certificate_path = "a.pfx"\n'
    text += 'oauth_certificate_password_env = "B"\n'
    first, second, third = loaded(tmp_path, text).senders
    assert (first.password_env, second.password_keyring, third.oauth_certificate_path) == ("A", "printer", "a.pfx")
