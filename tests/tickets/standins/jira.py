"""Jira Cloud as its REST API version 3 describes it, as far as tickets need it.

Kept rules, with the page of each: at most 50 issues a bulk create, partly refused by their place (Issues, Bulk create);
summary one line of at most 255 characters, texts as ADF of at most 32,767 characters, no empty text node, labels
without spaces of at most 255 characters, required fields, fields that are not on the screen (Issues, Create);
properties of at most 32,768 characters (Issue properties); a search that shows a new issue only after a while unless
`reconcileIssues` names it, in pages of at most 100 with `nextPageToken` (Issue search); transitions by workflow with
their screens (Issues, Get transitions); uploads with X-Atlassian-Token (Issue attachments).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web
from standins.server import Standin, answer, basic_header

USER = "auditor@contoso.example"
LAG = 60.0
STATUSES = {"To Do": "new", "In Progress": "indeterminate", "Done": "done", "Won't Do": "done", "Risk accepted": "done"}
TRANSITIONS = {
    "To Do": ("In Progress", "Won't Do", "Done", "Risk accepted"),
    "In Progress": ("To Do", "Won't Do", "Done", "Risk accepted"),
    "Done": ("To Do",),
    "Won't Do": ("To Do",),
    "Risk accepted": ("To Do",),
}
PERMISSIONS = (
    "BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ADD_COMMENTS", "CREATE_ATTACHMENTS", "TRANSITION_ISSUES",
)  # fmt: skip
RESOLUTION = {
    "key": "resolution", "name": "Resolution", "required": True, "operations": ["set"],
    "schema": {"type": "resolution", "system": "resolution"},
}  # fmt: skip


@dataclass
class Issue:
    id: int
    key: str
    made: float
    fields: dict[str, Any]
    properties: dict[str, Any] = field(default_factory=dict)
    status: str = "To Do"
    resolution: str = ""
    comments: list[Any] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


class JiraCloudStandin(Standin):
    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.issues: dict[int, Issue] = {}
        self.held = set(PERMISSIONS)
        self.screen = ["project", "issuetype", "summary", "description", "labels", "priority", "duedate"]
        self.required = {"project", "issuetype", "summary"}
        self.resolution_on_screen = False

    def routes(self, app: web.Application) -> None:
        api = "/rest/api/3"
        app.router.add_get(f"{api}/mypermissions", self.mypermissions)
        app.router.add_get(f"{api}/issue/createmeta/{{project}}/issuetypes", self.kinds)
        app.router.add_get(f"{api}/issue/createmeta/{{project}}/issuetypes/{{kind}}", self.meta)
        app.router.add_post(f"{api}/issue/bulk", self.bulk)
        app.router.add_post(f"{api}/issue/bulkfetch", self.bulkfetch)
        app.router.add_post(f"{api}/search/jql", self.search)
        app.router.add_put(f"{api}/issue/{{id}}", self.edit)
        app.router.add_post(f"{api}/issue/{{id}}/comment", self.comment)
        app.router.add_post(f"{api}/issue/{{id}}/attachments", self.attach)
        app.router.add_get(f"{api}/issue/{{id}}/transitions", self.transitions)
        app.router.add_post(f"{api}/issue/{{id}}/transitions", self.move)

    def refuses_credential(self, request: web.Request) -> web.StreamResponse | None:
        if request.headers.get("Authorization") == basic_header(USER, self.token):
            return None
        return answer(401, {"errorMessages": ["You are not authenticated."], "errors": {}})

    # --- what may be done ---

    async def mypermissions(self, request: web.Request) -> web.Response:
        if request.query.get("projectKey") != "OPS":
            return problem(404, "No project could be found with key.")
        names = request.query["permissions"].split(",")
        return answer(
            200,
            {"permissions": {name: {"key": name, "havePermission": name in self.held} for name in names}},
        )

    async def kinds(self, request: web.Request) -> web.Response:
        start = int(request.query["startAt"])
        kinds = [{"id": str(10000 + number), "name": name} for number, name in enumerate(["Epic", "Bug", "Task"])]
        return answer(200, {"startAt": start, "maxResults": 2, "total": 3, "issueTypes": kinds[start : start + 2]})

    async def meta(self, request: web.Request) -> web.Response:
        start = int(request.query["startAt"])
        rows = [self._meta(name) for name in self.screen]
        page = rows[start : start + 3]
        return answer(200, {"startAt": start, "maxResults": 3, "total": len(rows), "fields": page})

    def _meta(self, name: str) -> dict[str, Any]:
        return {
            "fieldId": name, "key": name, "name": name.title(), "required": name in self.required,
            "hasDefaultValue": False, "operations": ["set"], "schema": {"type": "string"},
        }  # fmt: skip

    # --- making ---

    async def bulk(self, request: web.Request) -> web.Response:
        updates = (await request.json())["issueUpdates"]
        if len(updates) > 50:
            return problem(400, "The maximum number of issues that can be created is 50.")
        issues, errors = [], []
        for number, update in enumerate(updates):
            wrong = self._wrong(update["fields"], creating=True)
            if wrong:
                element = {"errorMessages": [], "errors": wrong}
                errors.append({"failedElementNumber": number, "status": 400, "elementErrors": element})
                continue
            identity = 10000 + len(self.issues)
            properties = {one["key"]: one["value"] for one in update.get("properties", [])}
            assert all(len(json.dumps(value)) <= 32_768 for value in properties.values())
            issue = Issue(identity, f"OPS-{len(self.issues) + 1}", self.clock.monotonic(), update["fields"], properties)
            self.issues[identity] = issue
            self_url = f"{self.url}/rest/api/3/issue/{identity}"
            issues.append({"id": str(identity), "key": issue.key, "self": self_url})
        return answer(201 if issues else 400, {"issues": issues, "errors": errors})

    def _wrong(self, fields: dict[str, Any], *, creating: bool) -> dict[str, str]:
        wrong = {
            name: f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
            for name in fields
            if name not in self.screen
        }
        for name in self.required - fields.keys() if creating else ():
            wrong[name] = f"{name.title()} is required."
        summary = fields.get("summary")
        if summary is not None and (not summary.strip() or "\n" in summary):
            wrong["summary"] = "The summary is invalid because it contains newline characters or is empty."
        if summary is not None and len(summary) > 255:
            wrong["summary"] = "Summary can't exceed 255 characters."
        if "description" in fields and (text := adf_problem(fields["description"])):
            wrong["description"] = text
        for label in fields.get("labels", []):
            if " " in label or len(label) > 255:
                wrong["labels"] = f"The label '{label}' contains spaces which is invalid."
        if creating and fields.get("project") != {"key": "OPS"}:
            wrong["project"] = "valid project is required"
        if creating and fields.get("issuetype") != {"name": "Task"}:
            wrong["issuetype"] = "Specify a valid issue type"
        return wrong

    # --- reading ---

    async def search(self, request: web.Request) -> web.Response:
        asked = await request.json()
        found = re.fullmatch(r'project = "OPS" AND labels = "([^"]+)" ORDER BY created ASC, key ASC', asked["jql"])
        if not found or len(asked.get("reconcileIssues", [])) > 50 or len(asked.get("properties", [])) > 5:
            return problem(400, "Error in the JQL Query or in the request.")
        now, known = self.clock.monotonic(), set(asked.get("reconcileIssues", []))
        shown = [
            issue
            for issue in self.issues.values()
            if found[1] in issue.fields["labels"] and (issue.id in known or now - issue.made >= LAG)
        ]
        start = int(asked.get("nextPageToken") or 0)
        size = min(asked.get("maxResults", 50), 100)
        page = {"issues": [self._bean(one, asked) for one in shown[start : start + size]]}
        last = start + size >= len(shown)
        return answer(200, {**page, "isLast": last, **({} if last else {"nextPageToken": str(start + size)})})

    async def bulkfetch(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if len(asked["issueIdsOrKeys"]) > 100:
            return problem(400, "Too many issues.")
        wanted = [self.issues[int(one)] for one in asked["issueIdsOrKeys"] if int(one) in self.issues]
        return answer(200, {"issues": [self._bean(issue, asked) for issue in wanted], "issueErrors": []})

    def _bean(self, issue: Issue, asked: dict[str, Any]) -> dict[str, Any]:
        fields = {
            "summary": issue.fields["summary"],
            "labels": issue.fields["labels"],
            "status": _status(issue.status),
            "resolution": {"name": issue.resolution} if issue.resolution else None,
        }
        properties = {name: issue.properties[name] for name in asked["properties"] if name in issue.properties}
        return {
            "id": str(issue.id),
            "key": issue.key,
            "self": f"{self.url}/rest/api/3/issue/{issue.id}",
            "fields": {name: fields[name] for name in asked["fields"]},
            "properties": properties,
        }

    # --- changing ---

    def _issue(self, request: web.Request) -> Issue:
        issue = self.issues.get(int(request.match_info["id"]))
        if issue is None:
            raise web.HTTPNotFound(
                text=json.dumps({"errorMessages": ["Issue does not exist or you do not have permission to see it."]}),
                content_type="application/json",
            )
        return issue

    async def edit(self, request: web.Request) -> web.Response:
        issue, fields = self._issue(request), (await request.json())["fields"]
        if wrong := self._wrong(fields, creating=False):
            return answer(400, {"errorMessages": [], "errors": wrong})
        issue.fields |= fields
        return answer(204)

    async def comment(self, request: web.Request) -> web.Response:
        issue, body = self._issue(request), (await request.json())["body"]
        if text := adf_problem(body):
            return answer(400, {"errorMessages": [], "errors": {"comment": text}})
        issue.comments.append(body)
        return answer(201, {"id": str(len(issue.comments)), "body": body})

    async def attach(self, request: web.Request) -> web.Response:
        issue = self._issue(request)
        if request.headers.get("X-Atlassian-Token") != "no-check":
            return problem(403, "XSRF check failed")
        part = await (await request.multipart()).next()
        assert isinstance(part, BodyPartReader)
        assert part.name == "file"
        issue.files[part.filename or ""] = bytes(await part.read())
        return answer(200, [{"id": "1", "filename": part.filename}])

    async def transitions(self, request: web.Request) -> web.Response:
        issue = self._issue(request)
        return answer(200, {"transitions": [self._transition(name) for name in TRANSITIONS[issue.status]]})

    def _transition(self, status: str) -> dict[str, Any]:
        screen = self.resolution_on_screen and STATUSES[status] == "done"
        return {
            "id": str(list(STATUSES).index(status) + 11),
            "name": f"Move to {status}",
            "hasScreen": screen,
            "to": _status(status),
            "fields": {"resolution": RESOLUTION} if screen else {},
        }

    async def move(self, request: web.Request) -> web.Response:
        issue, body = self._issue(request), await request.json()
        wanted = {self._transition(name)["id"]: name for name in TRANSITIONS[issue.status]}
        name = wanted.get(body["transition"]["id"])
        if name is None:
            return problem(400, "It seems that you have tried to perform a workflow operation that is not valid.")
        given = body.get("fields", {}).get("resolution", {}).get("name", "")
        if bool(given) != bool(self._transition(name)["fields"]):
            return answer(
                400, {"errorMessages": [], "errors": {"resolution": "Resolution is required or not allowed."}}
            )
        issue.status, issue.resolution = name, given
        return answer(204)


def adf_problem(document: Any) -> str:
    """Empty where Jira takes it; the whole schema is checked in test_markup."""
    if not isinstance(document, dict) or document.get("type") != "doc" or document.get("version") != 1:
        return "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
    text = json.dumps(document, ensure_ascii=False)
    if len(text) > 32_767:
        return "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
    return "INVALID_INPUT" if '"text": ""' in text else ""


def said(document: dict[str, Any]) -> str:
    """The text of an Atlassian document, a line for each paragraph or heading."""
    if document["type"] == "text":
        return document["text"]
    inner = "".join(said(child) for child in document.get("content", []))
    return inner + "\n" * (document["type"] in ("paragraph", "heading"))


def problem(status: int, text: str) -> web.Response:
    return answer(status, {"errorMessages": [text], "errors": {}})


def _status(name: str) -> dict[str, Any]:
    return {"id": "1", "name": name, "statusCategory": {"id": 1, "key": STATUSES[name], "name": name}}
