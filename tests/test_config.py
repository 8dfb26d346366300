"""The config: every key is explained, every mistake is named with file, key and remedy, and no secret is repeated."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.config import LISTS, TABLES, Config, LoadedConfig, Sender, TenantConfig, load, slug
from auditor.errors import ConfigError

TENANT = '[[tenants]]\nname = "Contoso"\ntenant_id = "contoso.com"\n'
SENDER = '[[senders]]\nname = "s"\naccount = "a@contoso.com"\n'
WAIVER = '[[waivers]]\nrule = "r"\nowner = "o"\nreason = "w"\n'
SECRET = "Sup3r-s3cret~value"


@pytest.fixture
def example(root: Path) -> str:
    return (root / "config.example.toml").read_text("utf-8")


def uncommented(text: str) -> str:
    """With every setting that is switched off switched on: lines that begin with `#` and no blank."""
    return re.sub(r"^#(?=[a-z\[])", "", text, flags=re.MULTILINE)


def read(folder: Path, text: str | bytes) -> LoadedConfig:
    path = folder / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(path)


def refused(folder: Path, text: str | bytes) -> ConfigError:
    """The error, which always names the file and what to do next."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    assert caught.value.message.startswith(str(folder / "config.toml"))
    assert caught.value.remedy
    assert caught.value.exit_code == 2
    return caught.value


def test_the_example_is_valid_as_it_is(tmp_path: Path, example: str) -> None:
    config = read(tmp_path, example).config
    assert [tenant.name for tenant in config.tenants] == ["Contoso", "Fabrikam"]


def test_the_example_is_valid_with_everything_switched_on(tmp_path: Path, example: str) -> None:
    config = read(tmp_path, uncommented(example)).config
    assert len(config.tenants) == 5
    assert config.waivers[0].until == "2027-03-31"


def fields() -> list[tuple[str, str]]:
    tables = {"": Config, **TABLES, **LISTS}
    return [(table, field.encode_name) for table, kind in tables.items() for field in msgspec.structs.fields(kind)]


@pytest.mark.parametrize(("table", "key"), fields())
def test_every_key_stands_in_the_example(example: str, table: str, key: str) -> None:
    document: dict[str, Any] = tomllib.loads(uncommented(example))
    tables = document.get(table, {}) if table else document
    assert any(key in one for one in (tables if isinstance(tables, list) else [tables]))


@pytest.mark.parametrize(("table", "key"), [(table, key) for table, key in fields() if table in TABLES and key])
def test_the_example_shows_the_defaults_of_settings(tmp_path: Path, example: str, table: str, key: str) -> None:
    if key == "export_path":
        return
    shown = getattr(getattr(read(tmp_path, uncommented(example)).config, table), key)
    assert shown == getattr(getattr(Config(), table), key)


def test_every_group_of_settings_is_explained(example: str) -> None:
    """Above each first mention of a key there is an explanation, perhaps shared with its neighbours."""
    lines = example.splitlines()
    for _, key in fields():
        found = [n for n, line in enumerate(lines) if re.match(rf"#?{key} = ", line)]
        if not found:
            continue
        explained = any(
            re.match(r"#\s+\S", next(line for line in reversed(lines[:n]) if not re.match(r"#?[a-z_]+ = ", line)))
            for n in found
        )
        assert explained, key


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    loaded = read(tmp_path, "")
    assert loaded.config == Config()
    assert loaded.folder == tmp_path.resolve()
    assert loaded.sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_byte_order_mark_is_taken(tmp_path: Path) -> None:
    assert read(tmp_path, TENANT.encode("utf-8-sig")).config.tenants[0].name == "Contoso"


def test_paths_start_at_the_configs_folder(tmp_path: Path) -> None:
    loaded = read(tmp_path, "")
    assert loaded.path("a/../b.json") == tmp_path.resolve() / "b.json"
    assert loaded.path(str(tmp_path / "c")) == tmp_path.resolve() / "c"


def test_loading_touches_no_secret(tmp_path: Path) -> None:
    text = TENANT + 'client_secret_file = "is/not/there.txt"\n'
    assert read(tmp_path, text).config.tenants[0].client_secret_file == "is/not/there.txt"


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read") as caught:
        load(tmp_path / "none.toml")
    assert "auditor init" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"\xff\xfea\0", "line 1 is not UTF-8"),
        ("a = 1\nb = 'ü'\n".encode("latin-1"), "line 2 is not UTF-8"),
        ("a = \n", "line 1"),
        ('[exchange]\nsource = "none"\nsource = "none"\n', "line 3"),
    ],
)
def test_no_toml(tmp_path: Path, text: str | bytes, words: str) -> None:
    assert words in refused(tmp_path, text).message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('tenant = "x"', "unknown key `tenant`: did you mean `tenants`?"),
        (TENANT + 'clientid = "x"', '[[tenants]] 1 "Contoso": unknown key `clientid`: did you mean `client_id`?'),
        (SENDER + 'egress_ip = ["1.2.3.4"]', '[[senders]] 1 "s": unknown key `egress_ip`: did you mean `egress_ips`?'),
        ('[exchange]\nsorce = "none"', "[exchange]: unknown key `sorce`: did you mean `source`?"),
        ("[audit]\nquotashare = 1", "[audit]: unknown key `quotashare`: did you mean `quota_share`?"),
        ('[report]\nqqq = "x"', "[report]: unknown key `qqq`: known here: folder."),
        (WAIVER + 'untill = "2027-01-01"', "[[waivers]] 1: unknown key `untill`: did you mean `until`?"),
        (SENDER + SENDER.replace('"s"', '"t"') + "prt = 1", '[[senders]] 2 "t": unknown key `prt`'),
    ],
)
def test_a_misspelt_key_names_file_place_and_the_nearest(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(tmp_path, text).message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TENANT + 'cloud = "publik"', "cloud: `publik` is not known; did you mean `public`"),
        (TENANT + 'cloud = "x"', "allowed: public, gcc-high, dod, china, custom"),
        (SENDER + 'route = "x"', "allowed: client-submission, hve, relay, direct-send, graph"),
        ('[exchange]\nsource = "admin_api"', "[exchange]: source: `admin_api` is not known; did you mean `admin-api`"),
        (SENDER + 'port = "587"', '[[senders]] 1 "s": port: Expected `int`, got `str`'),
        (SENDER + 'egress_ips = "1.2.3.4"', "egress_ips: Expected `array`, got `str`"),
        (SENDER + "egress_ips = [1]", "egress_ips: Expected `str`, got `int`"),
        (TENANT + 'managed_identity = "yes"', "managed_identity: Expected `bool`, got `str`"),
        ('[[tenants]]\nname = "x"', '[[tenants]] 1 "x": `tenant_id` is missing'),
        ('[[senders]]\naccount = "x"', "[[senders]] 1: `name` is missing"),
        (WAIVER, "[[waivers]] 1: `until` is missing"),
        ('[tenants]\nname = "x"', "[tenants]: may be repeated, so it has two brackets"),
        ("tenants = [1]", "[[tenants]] 1: is no table"),
        ("tickets = [1]", "[[tickets]] 1: is no table"),
        ("exchange = 1", "[exchange]: is no table"),
    ],
)
def test_a_wrong_value_names_file_place_and_key(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(tmp_path, text).message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TENANT + TENANT, "`contoso` is taken or reserved"),
        (TENANT + TENANT.replace("Contoso", "CONTOSO!"), "`contoso` is taken or reserved"),
        (TENANT.replace("Contoso", "Sample"), "`sample` is taken or reserved"),
        (TENANT.replace("Contoso", " "), "name: is empty"),
        (TENANT.replace("contoso.com", "contoso.com/x"), "tenant_id: is neither a GUID nor a domain name"),
        (TENANT.replace("contoso.com", ""), "tenant_id: is neither a GUID nor a domain name"),
        (TENANT.replace("contoso.com", "a\\nb"), "tenant_id: is neither a GUID nor a domain name"),
        (TENANT + 'cloud = "custom"', "needs `authority` and `graph_url`"),
        (TENANT + 'cloud = "custom"\nauthority = "https://a"', "needs `authority` and `graph_url`"),
        (TENANT + 'graph_url = "https://a"', "graph_url: only for cloud = custom"),
        (
            TENANT + 'cloud = "custom"\nauthority = "http://a"\ngraph_url = "https://a"',
            "authority: is no https:// address",
        ),
        (TENANT + 'managed_identity = true\nclient_secret_env = "A"', "client_secret_env, managed_identity"),
        (TENANT + 'certificate_password_env = "A"', "certificate_password_env: there is no certificate_path"),
        (
            TENANT + 'cloud = "custom"\nauthority = "https://a"\ngraph_url = "https://a"\n[exchange]\n'
            'source = "admin-api"',
            "needs `exchange_url`",
        ),
        (
            TENANT + 'cloud = "custom"\nauthority = "https://a"\ngraph_url = "https://a"\n[exchange]\n'
            'source = "configuration-snapshot"\nalso = ["admin-api"]',
            "needs `exchange_url`",
        ),
        (SENDER + SENDER, "[[senders]] 2"),
        (SENDER.replace('"s"', '""'), "name: is empty or taken"),
        (SENDER.replace("a@contoso.com", " "), "account: is empty"),
        (SENDER + 'egress_ips = ["203.0.113.0/24", "203.0.113"]', "`203.0.113` is no IP address or CIDR range"),
        (TENANT + SENDER + 'tenant = "Nowhere"', "tenant: no [[tenants]] is called `Nowhere`"),
        (SENDER + "port = 0", "port: 0 is no port"),
        (SENDER + "port = 65536", "port: 65536 is no port"),
        (SENDER + "connections = -1", "connections: -1 is negative"),
        ('[exchange]\nsource = "export"', "needs export_path"),
        ('[exchange]\nsource = "admin-api"\nalso = ["export"]', "needs export_path"),
        ('[exchange]\nalso = ["admin-api"]', '[exchange]: also: source = "none" reads nothing'),
        ('[exchange]\nsource = "admin-api"\nalso = ["admin-api"]', "also: a way of reading stands twice"),
        ('[exchange]\nsource = "admin-api"\nalso = ["none"]', "[exchange]: also"),
        ("[exchange]\nmax_age_days = 0", "max_age_days: 0 is not between 1 and 3650"),
        ("[audit]\nquota_share = 0.0", "quota_share: 0.0 is not above 0"),
        ("[audit]\nquota_share = 1.01", "quota_share: 1.01 is not above 0"),
        ("[audit]\nquota_share = nan", "quota_share: nan is not above 0"),
        ("[audit]\nsign_in_days = 31", "sign_in_days: 31 is not between 1 and 30"),
        ("[audit]\nper_user_mfa_limit = -1", "per_user_mfa_limit: -1 is not between 0"),
        ('[report]\nfolder = " "', "[report]: folder: is empty"),
        (WAIVER + 'until = "soon"', "until: `soon` is no date"),
        (WAIVER + 'until = "2027-02-30"', "until: `2027-02-30` is no date"),
        (WAIVER + 'until = "20270228"', "until: `20270228` is no date"),
        (WAIVER.replace('"w"', '""') + 'until = "2027-02-28"', "reason: is empty"),
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(tmp_path, text).message


def test_a_bare_date_is_as_good_as_a_quoted_one(tmp_path: Path) -> None:
    assert read(tmp_path, WAIVER + "until = 2027-02-28").config.waivers[0].until == "2027-02-28"


@pytest.mark.parametrize(
    "text",
    [
        f'client_secret = "{SECRET}"',
        f'{TENANT}client_secret = "{SECRET}"',
        f'{TENANT}clientSecret = "{SECRET}"',
        f'{TENANT}secret_value = "{SECRET}"',
        f'{TENANT}certificate_password = "{SECRET}"',
        f'{SENDER}password = "{SECRET}"',
        f'[exchange]\ntoken = "{SECRET}"',
        f'[[tickets]]\nname = "x"\napi_key = "{SECRET}"',
        f'[[tickets]]\nname = "x"\n[tickets.auth]\nbearer_token = "{SECRET}"',
        f'{TENANT}client_secret_env = "{SECRET}"',
        f'{TENANT}CLIENT_SECRET = "{SECRET}"',
        f'{TENANT}certificate_path = "x"\ncertificate_password_env = "{SECRET}"',
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, text)
    assert SECRET not in str(error)
    assert SECRET not in repr(error.__cause__)
    assert "renew" in error.remedy


def test_the_remedy_for_a_client_secret_names_both_places(tmp_path: Path) -> None:
    error = refused(tmp_path, f'{TENANT}client_secret = "{SECRET}"')
    assert "client_secret_env" in error.remedy
    assert "client_secret_file" in error.remedy


def test_a_key_that_names_where_the_secret_is_stays(tmp_path: Path) -> None:
    text = '[[tickets]]\nname = "x"\ntoken_env = "T"\nproject_key = "OPS"\n'
    assert read(tmp_path, text).config.tickets == ({"name": "x", "token_env": "T", "project_key": "OPS"},)


def test_defaults_of_a_sender(tmp_path: Path) -> None:
    assert read(tmp_path, SENDER).config.senders == (Sender(name="s", account="a@contoso.com"),)
    assert read(tmp_path, TENANT).config.tenants == (TenantConfig(name="Contoso", tenant_id="contoso.com"),)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Contoso", "contoso"),
        ("Contoso Ltd. (EU)", "contoso-ltd.-eu"),
        ("Müller & Söhne", "muller-sohne"),
        ("../../etc", "etc"),
        ("a.", "a"),
        ("株式会社", "tenant"),
        ("", "tenant"),
        ("CON", "tenant-con"),
        ("con.txt", "tenant-con.txt"),
        ("Com1", "tenant-com1"),
        ("lpt9.x.y", "tenant-lpt9.x.y"),
        ("console", "console"),
        ("x" * 100, "x" * 80),
        ("x" * 79 + "-y", "x" * 79),
    ],
)
def test_folders(name: str, folder: str) -> None:
    assert slug(name) == folder


RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$")


@given(st.one_of(st.text(), st.from_regex(RESERVED)))
def test_every_folder_is_one_that_windows_takes(name: str) -> None:
    folder = slug(name)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", folder)
    assert not RESERVED.fullmatch(folder)
    assert slug(folder) == folder
