"""`auditor emulate`'s options for conditions, up to the served answer."""

from __future__ import annotations

import ssl
import subprocess
import sys
import tomllib

import httpx
import pytest
from click.testing import CliRunner

from auditor.cli.emulate import Seconds, command


def told(*arguments):
    return CliRunner().invoke(command, arguments, standalone_mode=False)


@pytest.mark.parametrize(("text", "found"), [("0.2", (0.2, 0.2)), ("0.1-0.5", (0.1, 0.5)), ("0", (0.0, 0.0))])
def test_latency_is_a_number_or_a_range(text, found):
    assert Seconds().convert(text, None, None) == found


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--latency", "soon"], "is no number of seconds"),
        (["--latency", "2-1"], "is no number of seconds"),
        (["--latency", "inf"], "is no number of seconds"),
        (["--rival", "1.0"], "not in the range"),
        (["--rival", "0.5"], "nothing to share without --limits"),
        (["--time-scale", "0.5"], "not in the range"),
        (["--faults", "absent.toml"], "absent.toml: cannot be read"),
    ],
)
def test_a_mistake_is_told_before_anything_is_served(arguments, problem):
    result = told(*arguments)
    assert problem in str(result.exception)


FAULTS = """
[[faults]]
what = "status"
service = "login"
path = "*/openid-configuration"
status = 503
retry_after = 600
"""


def test_the_options_reach_the_served_tenant(tmp_path, root):
    (tmp_path / "faults.toml").write_text(FAULTS, encoding="utf-8")
    arguments = ["emulate", "--accounts", "100", "--limits", "--rival", "0.5", "--latency", "0-0.1",
                 "--time-scale", "60", "--faults", "faults.toml", "--config-out", "config.toml"]  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "auditor", *arguments], stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        try:
            for line in process.stderr:
                if line.startswith("Ctrl-C"):
                    break
            tenant = tomllib.loads((tmp_path / "config.toml").read_text("utf-8"))["tenants"][0]
            context = ssl.create_default_context(cafile=tenant["ca_bundle"])
            address = f"{tenant['authority']}/{tenant['tenant_id']}/v2.0/.well-known/openid-configuration"
            with httpx.Client(verify=context) as http:
                first, second = http.get(address), http.get(address)
        finally:
            process.terminate()
    assert (first.status_code, first.headers["Retry-After"]) == (503, "10")
    assert second.status_code == 200
