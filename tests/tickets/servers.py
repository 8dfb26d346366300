"""Starting and stopping the real ticket servers of the tests, on loopback, each with a database of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

PATIENCE = 120.0
"""seconds until a server must answer"""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def serving(
    command: Sequence[str | Path],
    url: str,
    log: Path,
    *,
    user: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator[str]:
    """Runs a server until the block ends, as `user` where one is named; yields its address once it answers."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            **({"user": user, "group": user, "extra_groups": []} if user else {}),
        )
        try:
            _await(process, url, log)
            yield url
        finally:
            process.terminate()  # each of these servers ends its workers itself
            process.wait(30)


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    for _ in range(int(PATIENCE * 10)):
        if process.poll() is not None:
            break
        with suppress(httpx.TransportError):
            httpx.get(url)
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer:\n{log.read_text(errors='replace')[-4000:]}")


# --- Roundup ---------------------------------------------------------------------------------------------------------

_WSGI = """
import sys
from wsgiref.simple_server import make_server
from roundup.cgi.wsgi_handler import RequestDispatcher
dispatcher = RequestDispatcher(sys.argv[1], feature_flags={"cache_tracker": ""})
make_server("127.0.0.1", int(sys.argv[2]), dispatcher).serve_forever()
"""


@contextmanager
def roundup(folder: Path, password: str) -> Iterator[str]:
    """A tracker of the template `classic`. By WSGI, as Roundup is run in production: its own server refuses root."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    home = folder / "tracker"
    # Every request proves its password: with the default rounds a second of it on a slow machine.
    settings = (
        f"tracker_web={url},mail_domain=localhost,mail_host=127.0.0.1,mail_debug={folder / 'mail.log'},"
        "password_pbkdf2_default_rounds=1000"
    )
    admin = Path(sys.executable).with_name("roundup-admin")
    for step in (["install", "classic", "sqlite", settings], ["initialise", password]):
        subprocess.run([admin, "-i", home, *step], check=True, capture_output=True, timeout=60)
    with serving([sys.executable, "-c", _WSGI, home, str(port)], url, folder / "server.log") as address:
        yield address


# --- Request Tracker -------------------------------------------------------------------------------------------------

RT_SERVER = Path("/usr/share/request-tracker5/libexec/rt-server")
RT_SETUP = "rt-setup-database-5"
RT_FIELD = "tenant-auditor"
RT_ACCOUNT = "auditor"
"""Has the rights that docs/tickets.md asks for, and no more."""
_RT_USER = "www-data"
"""Who owns RT's caches in Debian's package."""

_RT_CONFIG = """
Set($rtname, 'loopback');
Set($Organization, 'loopback');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($WebPath, '');
Set($WebBaseURL, 'http://127.0.0.1:{port}');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{folder}/rtdb');
Set($MailCommand, 'testfile');
Set($CorrespondAddress, 'rt@localhost');
Set($CommentAddress, 'rt-comment@localhost');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');
# Every request proves its password: with the default cost a second of it on a slow machine.
Set($BcryptCost, 4);
1;
"""

_RT_CONTENT = """
@CustomFields = ({{ Name => '{field}', Type => 'FreeformMultiple', Queue => ['General'],
                    LookupType => 'RT::Queue-RT::Ticket' }});
@Users = ({{ Name => '{user}', Password => '{password}', Privileged => 1, EmailAddress => '{user}@localhost' }});
@ACL = (
  {{ UserId => '{user}', Queue => 'General',
     Right => [qw(SeeQueue ShowTicket CreateTicket CommentOnTicket ModifyTicket)] }},
  {{ UserId => '{user}', CF => '{field}', Right => [qw(SeeCustomField ModifyCustomField)] }},
);
@Final = (sub {{ my $root = RT::User->new(RT->SystemUser); $root->Load('root'); $root->SetPassword('{password}'); }});
1;
"""


@contextmanager
def request_tracker(password: str) -> Iterator[str]:
    """Debian's package request-tracker5 with a database of its own, as the user of its caches where we are root."""
    with _shared_folder(_RT_USER) as (folder, user):
        port = free_port()
        url = f"http://127.0.0.1:{port}/"
        (folder / "RT_SiteConfig.pm").write_text(_RT_CONFIG.format(port=port, folder=folder), encoding="utf-8")
        (folder / "content").write_text(
            _RT_CONTENT.format(field=RT_FIELD, user=RT_ACCOUNT, password=password), encoding="utf-8"
        )
        env = {"RT_SITE_CONFIG": str(folder / "RT_SiteConfig.pm"), "RT_SITE_CONFIG_DIR": os.devnull}
        for step in (["init", "--skip-create"], ["insert", "--datafile", str(folder / "content")]):
            _run_as(user, [RT_SETUP, "--action", *step], env=env, cwd=folder)
        command = [RT_SERVER, "--port", str(port)]
        with serving(command, url, folder / "server.log", user=user, env=env, cwd=folder) as address:
            yield address


@contextmanager
def _shared_folder(user: str) -> Iterator[tuple[Path, str]]:
    """(a folder that `user` may write to, `user`); where we are not root, ours and an empty name."""
    folder = Path(tempfile.mkdtemp(prefix="tenant-auditor-"))
    try:
        if os.getuid() != 0:
            yield folder, ""
        else:
            shutil.chown(folder, user, user)
            yield folder, user
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_as(user: str, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> None:
    identity: dict[str, Any] = {"user": user, "group": user, "extra_groups": []} if user else {}
    environment = {**os.environ, **env}
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, timeout=180, check=False, **identity)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{(done.stdout + done.stderr).decode(errors='replace')[-4000:]}")


# --- Redmine ---------------------------------------------------------------------------------------------------------

REDMINE = Path("/usr/share/redmine")
REDMINE_DATABASE = Path("/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default")
REDMINE_FIELD = "tenant-auditor"
BUNDLER = "2.3.15"
"""Debian's own; the security update of Ruby brings another, which does not find Debian's gems."""

_REDMINE_START = """
require '{redmine}/config/environment'
Redmine::DefaultData::Loader.load('en') if Redmine::DefaultData::Loader.no_data?
Setting.rest_api_enabled = '1'
Setting.text_formatting = 'textile'
field = IssueCustomField.create!(name: '{field}', field_format: 'text', is_for_all: false, is_filter: true,
                                 tracker_ids: Tracker.ids)
role = Role.find_by!(name: 'Developer')
role.update!(permissions: %i[view_issues add_issues edit_issues add_issue_notes])
WorkflowTransition.where(role: role).delete_all
IssueStatus.all.to_a.product(IssueStatus.all.to_a, Tracker.all.to_a).each do |from, to, tracker|
  WorkflowTransition.create!(role: role, tracker: tracker, old_status: from, new_status: to)
end
project = Project.create!(name: 'Audit', identifier: 'audit', trackers: Tracker.all, is_public: false)
project.issue_custom_fields << field
user = User.new(login: 'auditor', firstname: 'Tenant', lastname: 'Auditor', mail: 'auditor@tickets.example')
user.password = user.password_confirmation = '{password}'
user.save!
Member.create!(project: project, user: user, roles: [role])
admin = User.find_by!(login: 'admin')
admin.update!(must_change_passwd: false, status: User::STATUS_ACTIVE)
Member.create!(project: project, user: admin, roles: [Role.find_by!(name: 'Manager')])
Token.create!(user: user, action: 'api').update_column(:value, '{key}')
Token.create!(user: admin, action: 'api').update_column(:value, '{admin_key}')
run Rails.application
"""


@contextmanager
def redmine(key: str, admin_key: str) -> Iterator[str]:
    """Debian's package with a copy of its database, as the user that owns its caches. `key`: of an account that has
    what docs/tickets.md asks for, and no more."""
    with _shared_folder("www-data") as (folder, user):
        shutil.copy(REDMINE_DATABASE, folder / "redmine.sqlite")
        shutil.copy(REDMINE / "Gemfile.lock", folder / "Gemfile.lock")
        (folder / "Gemfile").write_text(f'eval_gemfile "{REDMINE}/Gemfile"\ngem "puma"\n', encoding="utf-8")
        script = _REDMINE_START.format(
            redmine=REDMINE, field=REDMINE_FIELD, password=admin_key, key=key, admin_key=admin_key
        )
        (folder / "config.ru").write_text(script, encoding="utf-8")
        for path in folder.iterdir():
            shutil.chown(path, user, user)
        env = {
            "BUNDLER_VERSION": BUNDLER,
            "BUNDLE_GEMFILE": str(folder / "Gemfile"),
            "DATABASE_URL": f"sqlite3:{folder / 'redmine.sqlite'}",
            "RAILS_ENV": "production",
            "HOME": str(folder),
        }
        _run_as(user, ["bundle", "install", "--local"], env=env, cwd=folder)
        port = free_port()
        url = f"http://127.0.0.1:{port}/"
        command = ["bundle", "exec", "puma", "-b", f"tcp://127.0.0.1:{port}", "-e", "production", folder / "config.ru"]
        with serving(command, url, folder / "server.log", user=user, env=env, cwd=REDMINE) as address:
            yield address
