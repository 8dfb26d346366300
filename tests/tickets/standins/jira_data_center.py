"""Jira Data Center: jira820, a mock of version 8.20 that others wrote, behind our TLS, credential and troubles.

It has issues, JQL, workflow, comments and attachments of its own. Added here is what Jira has and it has not: the
permissions of an account, createmeta by project and type, and issues by their number as well as by their key.
"""

from __future__ import annotations

import re
from typing import Any

import httpx
from aiohttp import web
from jira820.config import Config
from jira820.serialize import iid
from jira820.server import make_app
from jira820.store import Store
from standins.server import Standin, answer

API = "/rest/api/2"
PERMISSIONS = (
    "BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ADD_COMMENTS", "CREATE_ATTACHMENTS", "TRANSITION_ISSUES",
)  # fmt: skip
FIELDS = ("project", "issuetype", "summary", "description", "labels", "priority", "duedate")
STATUSES = [
    ["Open", "todo", "1"], ["In Progress", "inprogress", "3"], ["Done", "done", "10002"], ["Rejected", "done", "10003"],
    ["Risk accepted", "done", "10004"], ["Reopened", "todo", "4"],
]  # fmt: skip


class JiraDataCenterStandin(Standin):
    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        screens = {name: ["resolution"] for name in ("Done", "Rejected", "Risk accepted")}
        config = Config(
            project_key="OPS", locale="en", statuses=STATUSES, transition_screens=screens, epics_per_module=1,
            standalone_per_module=1, history_per_module=1, children_per_epic=(1, 1),
        )  # fmt: skip
        self.store = Store(config)
        self._peer = httpx.ASGITransport(app=make_app(self.store))

    def routes(self, app: web.Application) -> None:
        app.router.add_get(f"{API}/mypermissions", self.mypermissions)
        app.router.add_get(f"{API}/issue/createmeta/OPS/issuetypes", self.kinds)
        app.router.add_get(f"{API}/issue/createmeta/OPS/issuetypes/{{kind}}", self.meta)
        app.router.add_route("*", "/{path:.*}", self.forward)

    def refuses_credential(self, request: web.Request) -> web.StreamResponse | None:
        if request.headers.get("Authorization") == f"Bearer {self.token}":
            return None
        return answer(401, {"message": "Client must be authenticated to access this resource.", "status-code": 401})

    async def mypermissions(self, request: web.Request) -> web.Response:
        return answer(200, {"permissions": {name: {"key": name, "havePermission": True} for name in PERMISSIONS}})

    async def kinds(self, request: web.Request) -> web.Response:
        values = [{"id": identity, "name": name} for name, identity in self.store.config.issue_types]
        return answer(200, {"startAt": 0, "maxResults": 50, "total": len(values), "last": True, "values": values})

    async def meta(self, request: web.Request) -> web.Response:
        values = [{"fieldId": name, "name": name, "required": name == "summary"} for name in FIELDS]
        return answer(200, {"startAt": 0, "maxResults": 50, "total": len(values), "last": True, "values": values})

    async def forward(self, request: web.Request) -> web.StreamResponse:
        path = re.sub(r"(?<=/issue/)\d+", lambda number: self.key(number[0]), request.path_qs)
        headers = {
            name: request.headers[name] for name in ("Content-Type", "X-Atlassian-Token") if name in request.headers
        }
        async with httpx.AsyncClient(transport=self._peer, base_url="https://jira.example") as client:
            told = await client.request(request.method, path, content=await request.read(), headers=headers)
        kind = told.headers.get("Content-Type")
        return web.Response(
            body=told.content, status=told.status_code, headers={"Content-Type": kind} if kind else None
        )

    def key(self, number: str) -> str:
        return next((key for key in self.store.issues if str(iid(key)) == number), number)
