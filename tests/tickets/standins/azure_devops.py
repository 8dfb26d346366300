"""Azure DevOps Boards as https://learn.microsoft.com/rest/api/azure/devops/wit describes it, as far as tickets need it.

Kept rules: JSON Patch documents with their own media type (Work Items, Create and Update); `validateOnly`; required,
unknown and read-only fields, titles of at most 255 characters, texts of at most 1,048,576, at most 100 tags of at most
400 characters (object limits); `test` on /rev, answered 412 where somebody else was first; a state must be one of the
type; WIQL with at most 20,000 ids (Wiql, Query By Wiql); at most 200 ids a batch; the answer 203 with a sign-in page
for a token that is none; a Retry-After that comes with a success (rate limits).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standins.server import Standin, answer, basic_header

STATES = {
    "New": "Proposed",
    "Active": "InProgress",
    "Closed": "Completed",
    "Accepted": "Completed",
    "Removed": "Removed",
}
PROJECT = "Security team"


@dataclass
class Item:
    id: int
    rev: int
    fields: dict[str, Any]
    relations: list[dict[str, Any]] = field(default_factory=list)
    history: list[str] = field(default_factory=list)


class AzureDevOpsStandin(Standin):
    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.items: dict[int, Item] = {}
        self.uploads: dict[str, bytes] = {}
        self.required: set[str] = {"System.Title"}
        self.known = {
            "System.Title", "System.Description", "System.Tags", "System.State", "System.History", "System.AssignedTo",
            "Custom.Marker", "Custom.Cost", "Microsoft.VSTS.Scheduling.DueDate", "Microsoft.VSTS.Common.Priority",
        }  # fmt: skip
        self.overtaken = 0
        """how often somebody else saves just before our update"""
        self.slow = 0
        """how many successes say Retry-After"""

    def routes(self, app: web.Application) -> None:
        api = "/contoso/{project}/_apis/wit"
        app.router.add_get(f"{api}/workitemtypes/{{type}}/fields", self.fields_of)
        app.router.add_get(f"{api}/workitemtypes/{{type}}/states", self.states_of)
        app.router.add_post(f"{api}/wiql", self.wiql)
        app.router.add_post(f"{api}/workitemsbatch", self.batch)
        app.router.add_post(f"{api}/workitems/${{type}}", self.create)
        app.router.add_get(f"{api}/workitems/{{id}}", self.read)
        app.router.add_patch(f"{api}/workitems/{{id}}", self.update)
        app.router.add_post(f"{api}/attachments", self.upload)

    def refuses_credential(self, request: web.Request) -> web.StreamResponse | None:
        if request.headers.get("Authorization") != basic_header("", self.token):
            return problem(401, "TF400813: The user is not authorized to access this resource.", "Unauthorized")
        if request.query.get("api-version") != "7.1":
            return problem(400, "No api-version was supplied for the request.", "VssVersionNotSpecifiedException")
        if request.match_info["project"] != PROJECT:
            return problem(404, "TF200016: The following project does not exist.", "ProjectDoesNotExistWithName")
        return None

    def _no_type(self, request: web.Request) -> web.Response | None:
        if request.match_info["type"] == "Task":
            return None
        return problem(404, "VS402323: Work item type does not exist in the project.", "WorkItemTypeNotFound")

    async def fields_of(self, request: web.Request) -> web.Response:
        rows = [{"referenceName": name, "name": name.split(".")[-1]} for name in sorted(self.known)]
        return self._no_type(request) or answer(200, {"count": len(rows), "value": rows})

    async def states_of(self, request: web.Request) -> web.Response:
        rows = [{"name": name, "color": "b2b2b2", "category": category} for name, category in STATES.items()]
        return self._no_type(request) or answer(200, {"count": len(rows), "value": rows})

    # --- reading ---

    async def wiql(self, request: web.Request) -> web.Response:
        query = (await request.json())["query"]
        parts = re.fullmatch(
            r"SELECT \[System.Id\] FROM WorkItems WHERE \[System.TeamProject\] = @project "
            r"AND \[System.Tags\] CONTAINS '([^']*)' AND \[System.Id\] > (\d+) ORDER BY \[System.Id\]",
            query,
        )
        if not parts:
            return problem(400, "TF51005: The query references a field that does not exist.", "WiqlSyntaxError")
        found = [one for one in self.items.values() if parts[1] in _tags(one) and one.id > int(parts[2])]
        top = int(request.query.get("$top", 20_000))
        if top > 20_000 or len(found[:top]) > 20_000:
            return problem(400, "VS402337: The number of work items returned exceeds the size limit of 20000.", "Query")
        rows = [{"id": one.id, "url": f"{self.url}/contoso/_apis/wit/workItems/{one.id}"} for one in found[:top]]
        return self._success({"queryType": "flat", "queryResultType": "workItem", "workItems": rows})

    async def batch(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if len(asked["ids"]) > 200:
            return problem(400, "VS402337: You can request up to 200 work items at a time.", "ArgumentException")
        value = []
        for identity in asked["ids"]:
            item = self.items.get(identity)
            fields = {name: item.fields[name] for name in asked["fields"] if name in item.fields} if item else {}
            value.append({"id": item.id, "rev": item.rev, "fields": fields} if item else None)
        return self._success({"count": len(value), "value": value})

    async def read(self, request: web.Request) -> web.Response:
        item = self.items.get(int(request.match_info["id"]))
        if item is None:
            return problem(404, "TF401232: Work item does not exist, or you do not have permissions.", "NotFound")
        return self._success({"id": item.id, "rev": item.rev, "fields": {"System.Id": item.id}})

    # --- writing ---

    async def create(self, request: web.Request) -> web.Response:
        if refused := self._no_type(request) or self._no_patch(request):
            return refused
        item = Item(len(self.items) + 1, 1, {"System.State": "New"})
        if refused := self._apply(item, await request.json()):
            return refused
        missing = [name for name in sorted(self.required) if not item.fields.get(name)]
        if missing:
            return problem(
                400,
                f"TF401320: Rule Error for field {missing[0]}. Error code: Required, InvalidEmpty.",
                "RuleValidationException",
            )
        if request.query.get("validateOnly") == "true":
            return self._success({"fields": item.fields})
        self.items[item.id] = item
        return self._success(_shown(item))

    async def update(self, request: web.Request) -> web.Response:
        if refused := self._no_patch(request):
            return refused
        item = self.items[int(request.match_info["id"])]
        if self.overtaken:
            self.overtaken -= 1
            item.rev += 1
            item.fields["System.AssignedTo"] = "somebody"
        if refused := self._apply(item, await request.json()):
            return refused
        item.rev += 1
        return self._success(_shown(item))

    def _no_patch(self, request: web.Request) -> web.Response | None:
        if request.content_type == "application/json-patch+json":
            return None
        return problem(415, "TF: The request contains an unsupported media type.", "UnsupportedMediaType")

    def _apply(self, item: Item, operations: list[dict[str, Any]]) -> web.Response | None:
        fields, relations, history = dict(item.fields), list(item.relations), list(item.history)
        for operation in operations:
            path, value = operation["path"], operation["value"]
            if operation["op"] == "test" and path == "/rev":
                if value != item.rev:
                    return problem(412, "VS403351: Test Operation for path /rev failed.", "WorkItemRevisionMismatch")
            elif path == "/relations/-":
                if value["rel"] == "AttachedFile" and value["url"] not in self.uploads:
                    return problem(400, "TF26206: The attachment does not exist.", "AttachmentNotFound")
                relations.append(value)
            else:
                name = path.removeprefix("/fields/")
                if wrong := self._wrong(name, value):
                    return problem(400, wrong, "RuleValidationException")
                if name == "System.History":
                    history.append(value)
                else:
                    fields[name] = value
        item.fields, item.relations, item.history = fields, relations, history
        return None

    def _wrong(self, name: str, value: Any) -> str:
        if name not in self.known:
            return f"TF51535: Cannot find field {name}."
        if name == "System.Title" and len(value) > 255:
            return f"TF401324: The title '{value}' is too long."
        if isinstance(value, str) and len(value) > 1_048_576:
            return "TF: The text is too long."
        if name == "System.State" and value not in STATES:
            return f"TF401320: The field 'State' contains the value '{value}' that is not in the list."
        tags = value.split(";") if name == "System.Tags" else []
        if len(tags) > 100 or any(len(tag.strip()) > 400 or "," in tag for tag in tags):
            return "TF401407: Tags are not valid."
        return ""

    async def upload(self, request: web.Request) -> web.Response:
        url = f"{self.url}/contoso/_apis/wit/attachments/{len(self.uploads)}?fileName={request.query['fileName']}"
        self.uploads[url] = await request.read()
        return answer(201, {"id": str(len(self.uploads)), "url": url})

    def _success(self, body: Any) -> web.Response:
        if self.slow:
            self.slow -= 1
            return answer(200, body, {"Retry-After": "9", "X-RateLimit-Delay": "3.2"})
        return answer(200, body)


def problem(status: int, message: str, key: str) -> web.Response:
    return answer(status, {"$id": "1", "message": message, "typeKey": key, "errorCode": 0, "eventId": 3000})


def _shown(item: Item) -> dict[str, Any]:
    return {"id": item.id, "rev": item.rev, "fields": item.fields}


def _tags(item: Item) -> list[str]:
    return [tag.strip() for tag in item.fields.get("System.Tags", "").split(";")]
