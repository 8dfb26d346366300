"""GitHub issues as https://docs.github.com/rest/issues describes them, as far as tickets need them.

Kept rules: titles of at most 256 characters, texts of at most 65,536, at most 100 labels of at most 50 characters (422
with the field); labels and assignees that are dropped without a word where the token may not set them; lists in pages
of at most 100 with a Link header, in which pull requests stand too; `state_reason`; 80 requests a minute and 500 an
hour that make content, refused with 403 or 429 (rate limits), by the test's clock; the two headers that the API wants.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standins.server import Standin, answer

REPOSITORY = "contoso/security"


@dataclass
class Issue:
    number: int
    title: str
    body: str
    labels: list[str]
    state: str = "open"
    reason: str | None = None
    assignee: str = ""
    comments: list[str] = field(default_factory=list)
    pull_request: bool = False


class GitHubStandin(Standin):
    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.issues: list[Issue] = []
        self.made_at: list[float] = []
        self.pushes = True
        self.repository: dict[str, Any] = {"has_issues": True, "archived": False}

    def routes(self, app: web.Application) -> None:
        path = f"/repos/{REPOSITORY}"
        app.router.add_get(path, self.about)
        app.router.add_get(f"{path}/issues", self.listed)
        app.router.add_post(f"{path}/issues", self.create)
        app.router.add_patch(f"{path}/issues/{{number}}", self.edit)
        app.router.add_post(f"{path}/issues/{{number}}/comments", self.comment)
        app.router.add_route("*", "/repos/{owner}/{name}", self.missing)

    def refuses_credential(self, request: web.Request) -> web.StreamResponse | None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return problem(401, "Bad credentials")
        assert request.headers["Accept"] == "application/vnd.github+json"
        assert request.headers["X-GitHub-Api-Version"] == "2022-11-28"
        assert request.headers["User-Agent"], "GitHub refuses requests without one"
        return None

    async def missing(self, request: web.Request) -> web.Response:
        return problem(404, "Not Found")

    async def about(self, request: web.Request) -> web.Response:
        rights = {"pull": True, "triage": self.pushes, "push": self.pushes, "admin": False}
        return answer(200, {"full_name": REPOSITORY, **self.repository, "permissions": rights})

    async def listed(self, request: web.Request) -> web.Response:
        query = request.query
        assert query["state"] == "all", "closed issues are ours as well"
        found = [issue for issue in self.issues if query["labels"] in issue.labels]
        size, page = min(int(query["per_page"]), 100), int(query.get("page", 1))
        links = {}
        if page * size < len(found):
            following = request.url.update_query(page=page + 1)
            links["Link"] = f'<{following}>; rel="next", <{following}>; rel="last"'
        return answer(200, [self._shown(issue) for issue in found[(page - 1) * size : page * size]], links)

    def _shown(self, issue: Issue) -> dict[str, Any]:
        shown = {
            "number": issue.number, "title": issue.title, "body": issue.body, "state": issue.state,
            "state_reason": issue.reason, "labels": [{"id": 1, "name": name} for name in issue.labels],
            "html_url": f"https://github.example/{REPOSITORY}/issues/{issue.number}",
        }  # fmt: skip
        return {**shown, "pull_request": {"url": "https://x"}} if issue.pull_request else shown

    # --- writing ---

    async def create(self, request: web.Request) -> web.Response:
        if refused := self._too_fast():
            return refused
        body = await request.json()
        wrong = [
            {"resource": "Issue", "field": name, "code": "invalid", "message": f"{name} is not valid"}
            for name in body.keys() - {"title", "body", "labels", "assignees", "milestone"}
        ]
        wrong += self._wrong(body)
        if len(body["labels"]) > 100 or any(not 0 < len(label) <= 50 for label in body["labels"]):
            wrong.append({"resource": "Label", "field": "name", "code": "invalid"})
        if wrong:
            return problem(422, "Validation Failed", wrong)
        labels = body["labels"] if self.pushes else []
        issue = Issue(len(self.issues) + 1, body["title"], body["body"], labels)
        self.issues.append(issue)
        return answer(201, self._shown(issue))

    def _wrong(self, body: dict[str, Any]) -> list[dict[str, str]]:
        wrong = []
        for name, limit in (("title", 256), ("body", 65_536)):
            if len(body.get(name) or "") > limit:
                message = f"{name} is too long (maximum is {limit} characters)"
                wrong.append({"resource": "Issue", "field": name, "code": "custom", "message": message})
        return wrong

    def _too_fast(self) -> web.Response | None:
        now = self.clock.monotonic()
        for count, seconds in ((80, 60.0), (500, 3600.0)):
            if sum(now - moment < seconds for moment in self.made_at) >= count:
                return problem(403, "You have exceeded a secondary rate limit. Please wait a few minutes.")
        self.made_at.append(now)
        return None

    def _issue(self, request: web.Request) -> Issue:
        return self.issues[int(request.match_info["number"]) - 1]

    async def edit(self, request: web.Request) -> web.Response:
        issue, body = self._issue(request), await request.json()
        if wrong := self._wrong(body):
            return problem(422, "Validation Failed", wrong)
        issue.body = body.get("body", issue.body)
        if "state" in body:
            allowed = {"open": ("reopened",), "closed": ("completed", "not_planned", "duplicate")}[body["state"]]
            if body["state_reason"] not in allowed:
                return problem(
                    422, "Validation Failed", [{"resource": "Issue", "field": "state_reason", "code": "invalid"}]
                )
            issue.state, issue.reason = body["state"], body["state_reason"]
        return answer(200, self._shown(issue))

    async def comment(self, request: web.Request) -> web.Response:
        if refused := self._too_fast():
            return refused
        body = await request.json()
        if wrong := self._wrong(body):
            return problem(422, "Validation Failed", wrong)
        self._issue(request).comments.append(body["body"])
        return answer(201, {"id": 1, "body": body["body"]})


def problem(status: int, message: str, errors: list[dict[str, str]] | None = None) -> web.Response:
    return answer(
        status, {"message": message, "documentation_url": "https://docs.github.com/rest", "errors": errors or []}
    )
