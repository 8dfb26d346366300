"""A ServiceNow instance as its REST documentation describes it, as far as tickets need it.

Kept rules: encoded queries with `^`, `=`, `IN` and ORDERBY, where a condition on a field that the table does not have
is passed over (Table API, sysparm_query); unknown fields are dropped without a word; a text longer than its field is
cut; pages by sysparm_limit and sysparm_offset with Link headers, from which access rules take records out afterwards;
states as a machine, and close_code and close_notes for a resolved incident; a closed incident that does not open again;
journal fields that are appended to; import sets that are transformed later and coalesce on correlation_id (Import Set
API). Pages: https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html and c_ImportSetAPI.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standins.server import Standin, answer, basic_header

USER = "auditor"
SIZES = {"short_description": 160, "description": 4000, "correlation_id": 100, "correlation_display": 100}
CLOSE_CODES = ("Solution provided", "Known error", "Duplicate")
WAYS = {"1": "12368", "2": "12368", "3": "2368", "6": "267", "7": "7", "8": "8"}
"""incident states → those that may follow"""


@dataclass
class Record:
    sys_id: str
    made: float
    fields: dict[str, str]
    notes: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    hidden: bool = False


class ServiceNowStandin(Standin):
    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.records: dict[str, Record] = {}
        self.columns = {
            "sys_id", "number", "state", "short_description", "description", "correlation_id", "correlation_display",
            "impact", "urgency", "due_date", "assigned_to", "close_code", "close_notes", "work_notes",
        }  # fmt: skip
        self.writable = set(self.columns)
        self.transform_after = 0.0
        self._staged: list[tuple[float, dict[str, str]]] = []
        self.refused_rows = 0

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/api/now/table/incident", self.query)
        app.router.add_post("/api/now/table/incident", self.insert)
        app.router.add_patch("/api/now/table/incident/{sys_id}", self.patch)
        app.router.add_post("/api/now/attachment/file", self.attach)
        app.router.add_get("/api/now/table/u_tickets", self.staging)
        app.router.add_post("/api/now/import/u_tickets/insertMultiple", self.stage)
        app.router.add_route("*", "/api/now/table/{table}", self.no_table)

    def refuses_credential(self, request: web.Request) -> web.StreamResponse | None:
        if request.headers.get("Authorization") == basic_header(USER, self.token):
            return None
        return problem(401, "User Not Authenticated", "Required to provide Auth information")

    async def no_table(self, request: web.Request) -> web.Response:
        return problem(400, f"Invalid table {request.match_info['table']}", None)

    # --- reading ---

    async def query(self, request: web.Request) -> web.Response:
        self._transform()
        found = [record for record in self.records.values() if self._matches(record, request.query)]
        start, size = int(request.query.get("sysparm_offset", 0)), int(request.query["sysparm_limit"])
        page = [self._shown(record, request) for record in found[start : start + size] if not record.hidden]
        links = {"X-Total-Count": str(len(found))}
        if start + size < len(found):
            url = request.url.update_query(sysparm_offset=start + size)
            links["Link"] = f'<{request.url}>;rel="first",<{url}>;rel="next"'
        return answer(200, {"result": page}, links)

    def _matches(self, record: Record, query: Any) -> bool:
        for condition in re.split(r"(?<!\^)\^(?!\^)", query.get("sysparm_query", "")):
            if not condition or condition.startswith("ORDERBY"):
                continue
            parts = re.fullmatch(r"([a-z_]+)(=|IN)(.*)", condition)
            assert parts, condition
            name, operator, value = parts.groups()
            if name not in self.columns:
                continue  # as an instance does where glide.invalid_query.returns_no_rows is not set
            wanted = [one.replace("^^", "^") for one in (value.split(",") if operator == "IN" else [value])]
            if record.fields.get(name, "") not in wanted:
                return False
        return True

    def _shown(self, record: Record, request: web.Request) -> dict[str, str]:
        names = request.query.get("sysparm_fields", ",".join(sorted(self.columns))).split(",")
        return {name: record.fields.get(name, "") for name in names if name in self.columns}

    # --- writing ---

    async def insert(self, request: web.Request) -> web.Response:
        record = self._insert(await request.json())
        return answer(201, {"result": self._shown(record, request)})

    def _insert(self, fields: dict[str, str]) -> Record:
        number = len(self.records) + 1
        record = Record(f"{number:032x}", self.clock.monotonic(), {"state": "1"})
        record.fields |= {"sys_id": record.sys_id, "number": f"INC{number:07d}"}
        self._write(record, fields)
        self.records[record.sys_id] = record
        return record

    def _write(self, record: Record, fields: dict[str, str]) -> None:
        for name, value in fields.items():
            if name not in self.writable:
                continue
            if name == "work_notes":
                record.notes.append(value)
            else:
                record.fields[name] = value[: SIZES.get(name, 1000)]

    async def patch(self, request: web.Request) -> web.Response:
        record = self.records.get(request.match_info["sys_id"])
        if record is None:
            return problem(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
        fields = await request.json()
        state = fields.get("state", record.fields["state"])
        if state not in WAYS[record.fields["state"]]:
            return problem(403, "Operation Failed", "Data Policy Exception: the state may not be left so")
        if state in "67" and not ({**record.fields, **fields}.get("close_notes")):
            return problem(403, "Operation Failed", "Data Policy Exception: close_notes is mandatory")
        if state in "67" and {**record.fields, **fields}.get("close_code") not in CLOSE_CODES:
            return problem(403, "Operation Failed", "Data Policy Exception: close_code is mandatory")
        self._write(record, fields)
        return answer(200, {"result": self._shown(record, request)})

    async def attach(self, request: web.Request) -> web.Response:
        query = request.query
        if query["table_name"] != "incident" or query["table_sys_id"] not in self.records:
            return problem(404, "No Record found", None)
        self.records[query["table_sys_id"]].files[query["file_name"]] = await request.read()
        return answer(201, {"result": {"sys_id": "1", "file_name": query["file_name"]}})

    # --- import sets ---

    async def staging(self, request: web.Request) -> web.Response:
        return answer(200, {"result": []})

    async def stage(self, request: web.Request) -> web.Response:
        for row in (await request.json())["records"]:
            if self.refused_rows:
                self.refused_rows -= 1
            else:
                fields = {name.removeprefix("u_"): value for name, value in row.items() if name.startswith("u_")}
                self._staged.append((self.clock.monotonic() + self.transform_after, fields))
        return answer(201, {"import_set_id": "1", "multi_import_set_id": "1"})

    def _transform(self) -> None:
        due = [fields for moment, fields in self._staged if moment <= self.clock.monotonic()]
        self._staged = [(moment, fields) for moment, fields in self._staged if moment > self.clock.monotonic()]
        by_marker = {record.fields.get("correlation_id"): record for record in self.records.values()}
        for fields in due:
            if known := by_marker.get(fields["correlation_id"]):
                self._write(known, fields)
            else:
                by_marker[fields["correlation_id"]] = self._insert(fields)


def problem(status: int, message: str, detail: str | None) -> web.Response:
    return answer(status, {"error": {"message": message, "detail": detail}, "status": "failure"})
