"""An authority that repeats what it was sent: the secret of our app is not printed and stands in nothing left."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from pathlib import Path

import pytest
import trustme
from aiohttp import web

PLANTED = "planted-key-5c1e77d0a9"


async def run(folder: Path, arguments: list[str], tls: ssl.SSLContext) -> tuple[int, bytes]:
    """(exit code, output) of a command whose tokens come from an authority that refuses with all that it heard."""

    async def refuse(request: web.Request) -> web.Response:
        said = f"AADSTS7000215: Invalid client secret provided: {await request.text()}"
        return web.json_response(
            {"error": "invalid_client", "error_description": said, "error_codes": [7000215]}, status=401
        )

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0, ssl_context=tls).start()
    try:
        root = f"https://localhost:{runner.addresses[0][1]}"
        (folder / "config.toml").write_text(
            f'[[tenants]]\nname = "t"\ntenant_id = "11111111-2222-3333-4444-555555555555"\nclient_id = "c"\n'
            f'cloud = "custom"\nauthority = "{root}"\ngraph_url = "{root}"\nexchange_url = "{root}"\n'
            'ca_bundle = "ca.pem"\nclient_secret_env = "PLANTED"\n[exchange]\nsource = "admin-api"\n',
            encoding="utf-8",
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "auditor", *arguments, "--config", str(folder / "config.toml"),
            cwd=folder, env={**os.environ, "PLANTED": PLANTED}, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
        return process.returncode or 0, output
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("arguments", [["run", "--out", "out"], ["collect", "--out", "out"], ["doctor"]])
def test_an_authority_that_repeats_the_secret_is_not_quoted(
    tmp_path: Path, authority: trustme.CA, arguments: list[str]
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    code, output = asyncio.run(run(tmp_path, arguments, tls))
    assert code == 4, output
    assert b"AADSTS7000215" in output
    left = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(PLANTED.encode() in data for data in [output, *left])
