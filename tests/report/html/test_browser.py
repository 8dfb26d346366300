"""The page in a real browser: nothing forbidden, nothing loaded, everything reachable by keyboard, nothing cut off."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from auditor.config import Config
from auditor.evaluate import Evaluation
from auditor.report.html.visible import visible

DESKTOP, PHONE = 1366, 390

OVERFLOWING = """[...document.querySelectorAll("body, body *")].filter((element) =>
  element.clientWidth && element.scrollWidth > element.clientWidth && !element.closest(".unseen")
).map((element) => element.outerHTML.slice(0, 120))"""

CONTRAST = """(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([red, green, blue]) => [red, green, blue].map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [red, green, blue, alpha = 1] = channels(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return [red, green, blue];
    }
    return [255, 255, 255];
  };
  const poor = [];
  const texts = "h1, h2, h3, p, a, li, td, th, dt, dd, button, .badge, .muted, .state, .name";
  for (const element of document.querySelectorAll(texts)) {
    if (!element.checkVisibility() || element.closest(".unseen, svg") || element.disabled) continue;
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const [one, other] = [light(channels(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) poor.push(ratio.toFixed(2) + " " + element.outerHTML.slice(0, 90));
  }
  return poor;
})()"""


@pytest.fixture(scope="module")
def rows(demo_page: Path, read: SimpleNamespace) -> list[dict[str, str]]:
    """The page's accounts in its order."""
    columns = {
        name: read.column(raw)
        for name, raw in read.data_of(demo_page.read_text("utf-8"))["accounts"]["columns"].items()
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def names(visit: Any, grid: str) -> list[str]:
    """What the first column of a grid shows."""
    return visit.run(f"[...document.querySelectorAll('#{grid} .opener bdi')].map((element) => element.textContent)")


OPEN_EVERYTHING = """(() => {
  const first = [".opener[data-row='0']", "tr[data-sender='0'] .open-path"];
  for (const selector of first) document.querySelectorAll(selector).forEach((button) => button.click());
  for (const element of document.querySelectorAll("details")) element.open = true;
})()"""
"""A finding, an account and a sender's path, all unfolded."""

GATES = """[...document.querySelectorAll(arguments[0] + " .channel:first-child .gate")]
  .map((gate) => [gate.dataset.gate, gate.dataset.state, gate.textContent])"""
"""The first path below a selector: gate, state, text."""

FOCUSED = """(() => {
  const at = document.activeElement;
  return [at.textContent, getComputedStyle(at).outlineStyle, getComputedStyle(at).outlineWidth];
})()"""

TAMPER = """(() => {
  const style = Object.assign(document.createElement("style"), { textContent: "body { outline: 9px solid red }" });
  const image = Object.assign(new Image(), { src: "https://evil.example/x.png" });
  document.head.append(style);
  document.body.append(image);
  try {
    document.body.innerHTML = "<b>markup</b>";
  } catch (refused) {
    return refused.name;
  }
})()"""


def test_the_page_asks_for_nothing_and_the_console_is_silent(visit: Any, demo_page: Path, hostile_page: Path) -> None:
    for page in (demo_page, hostile_page):
        visit.events()
        visit.open(page)
        visit.run(OPEN_EVERYTHING)
        visit.press("#accounts-grid-search", "x")
        assert visit.requests(page) == [page.as_uri()]
        assert visit.logs() == []


def test_the_policy_really_holds(visit: Any, demo_page: Path) -> None:
    visit.open(demo_page)
    visit.events()
    assert visit.run(TAMPER) == "TypeError"
    assert visit.run("getComputedStyle(document.body).outlineStyle") == "none"
    assert any("Content Security Policy" in entry["message"] for entry in visit.logs())
    events = [event["params"] for event in visit.events()]
    asked = {event["requestId"] for event in events if event.get("documentURL") == demo_page.as_uri()}
    refused = {event["requestId"] for event in events if event.get("blockedReason") == "csp"}
    assert asked <= refused


def test_searching_by_keyboard_counts_and_shows_what_matches(
    visit: Any, demo_page: Path, rows: list[dict[str, str]]
) -> None:
    visit.open(demo_page)
    visit.press("#accounts-grid-search", "SVC. contoso")
    text = "{display_name}\n{user_principal_name}\n{user_id}"
    found = [row for row in rows if all(word in text.format(**row).lower() for word in ("svc.", "contoso"))]
    assert 0 < len(found) < len(rows)
    assert visit.one("#accounts-grid-count").text.startswith(f"{len(found)} of {len(rows)} accounts")
    assert names(visit, "accounts-grid") == [row["user_principal_name"] for row in found][:50]
    visit.keys("zzzz")
    assert "Nothing matches." in visit.one("#accounts-grid .empty").text
    assert visit.one("#accounts-grid-count").get_attribute("aria-live") == "polite"
    visit.press("#accounts-grid .tools button")
    assert visit.one("#accounts-grid-count").text.startswith(f"{len(rows)} accounts")


def test_filters_join_and_are_reached_by_tab(visit: Any, demo_page: Path, rows: list[dict[str, str]]) -> None:
    visit.open(demo_page)
    visit.press("#accounts-grid-search", Keys.TAB)
    assert visit.run("document.activeElement.id") == "accounts-grid-exposure"
    visit.keys("open")
    visit.keys(Keys.TAB)
    assert visit.run("document.activeElement.id") == "accounts-grid-basic"
    visit.keys("conditional")
    found = [row for row in rows if row["exposure"] == "open" and row["basic"] == "conditional"]
    assert found
    assert names(visit, "accounts-grid") == [row["user_principal_name"] for row in found]


def test_sorting_by_keyboard_says_so_and_sorts(visit: Any, demo_page: Path, rows: list[dict[str, str]]) -> None:
    visit.open(demo_page)
    expected = sorted((row["user_principal_name"] for row in rows), key=str.lower)
    header = "#accounts-grid th:first-child"
    visit.press(f"{header} .sort")
    assert visit.one(header).get_attribute("aria-sort") == "ascending"
    assert names(visit, "accounts-grid") == expected[:50]
    assert visit.one("#said").get_attribute("textContent") == "Sorted by Account, ascending"
    visit.keys(Keys.ENTER)
    assert visit.one(header).get_attribute("aria-sort") == "descending"
    assert names(visit, "accounts-grid")[0] == expected[-1]
    visit.press("#accounts-grid th:nth-child(2) .sort", Keys.SPACE)
    assert visit.one(header).get_attribute("aria-sort") == "none"


def test_pages_turn(visit: Any, demo_page: Path, rows: list[dict[str, str]]) -> None:
    visit.open(demo_page)
    assert visit.run("document.querySelectorAll('#accounts-grid tbody tr').length") == 50
    visit.press("#accounts-grid .pager button:nth-of-type(2)")
    assert names(visit, "accounts-grid") == [row["user_principal_name"] for row in rows[50:100]]
    assert "Page 2 of" in visit.one("#accounts-grid .pager").text
    visit.press("#accounts-grid-size", "250")
    assert len(names(visit, "accounts-grid")) == 250
    assert not visit.one("#accounts-grid .pager button").is_enabled()
    visit.press("#accounts-grid .pager button:nth-of-type(2)")
    assert len(names(visit, "accounts-grid")) == len(rows) - 250
    assert visit.run("document.activeElement.textContent") == "Previous"


def test_the_path_of_a_blocked_sender_shows_the_gate_that_blocks(
    visit: Any, demo_page: Path, demo: tuple[Evaluation, Config]
) -> None:
    visit.open(demo_page)
    cases = [sender.name for sender in demo[0].judgement.cases.senders if sender]
    visit.press(f"tr[data-sender='{cases.index('scanner-hq')}'] .open-path")
    gates = visit.run(GATES, "tr.detail")
    assert [gate[0] for gate in gates if gate[1] == "blocks"] == ["smtp-auth-switch"]
    assert [gate[0] for gate in gates[1:4]] == ["mailbox", "authentication-policy", "smtp-auth-switch"]
    assert gates[3][2] == "smtp-auth-switchblocks"
    assert gates[-1][2] == "Exchange Onlineblocked"
    assert visit.one("tr.detail .gate.decides").get_attribute("data-gate") == "smtp-auth-switch"
    reason = visit.one("tr.detail [data-reason='smtp-auth-switch']").text
    assert "The mailbox has SMTP AUTH switched off" in reason
    assert "535 5.7.139" in reason
    visit.keys(Keys.ENTER)
    assert not visit.all("tr.detail")


def test_every_account_opens_with_the_gates_of_its_row(
    visit: Any, demo_page: Path, demo: tuple[Evaluation, Config], rows: list[dict[str, str]]
) -> None:
    visit.open(demo_page)
    judgement = demo[0].judgement
    shown = dict(zip((row["user_id"] for row in rows), range(len(rows)), strict=True))
    for row, identity in list(enumerate(judgement.tenant.accounts.id))[:: len(rows) // 6]:
        visit.run("(location.hash = 'account=' + encodeURIComponent(arguments[0]))", identity)
        visit.wait(f"document.querySelector('#accounts-grid-detail-{shown[identity]}')")
        assert visit.run("document.activeElement.dataset.row") == str(shown[identity])
        gates = visit.run(GATES, f"#accounts-grid-detail-{shown[identity]}")
        states = {gate: state for gate, state, _ in gates if gate}
        if not judgement.is_sender(row):
            expected = {name: judgement.columns[name].reason(row).state.word for name in states}
            assert states == expected


def test_a_thing_to_do_leads_to_its_finding_and_on_to_its_accounts(
    visit: Any, demo_page: Path, demo: tuple[Evaluation, Config]
) -> None:
    visit.open(demo_page)
    visit.press(".actions li:nth-child(2) a")
    visit.wait("document.querySelector('#findings-grid tr.detail')")
    opened = visit.run("document.activeElement.textContent")
    assert opened == visit.one(".actions li:nth-child(2) a").text
    assert visit.run("document.activeElement.getAttribute('aria-expanded')") == "true"
    detail = visit.one("#findings-grid tr.detail").text
    assert "Evidence" in detail
    assert "What that risks" in detail
    [finding] = [finding for finding in demo[0].findings if visible(finding.title) == opened]
    visit.press("#findings-grid tr.detail a[href^='#accounts-of=']")
    visit.wait("document.querySelector('#accounts-grid .chip:not([hidden])')")
    assert visit.one("#accounts-grid-count").text.startswith(f"{len(finding.accounts)} of")
    people = demo[0].judgement.tenant.accounts.user_principal_name
    assert set(names(visit, "accounts-grid")) <= {people[row] for row in finding.accounts}
    visit.press("#accounts-grid .chip button")
    assert visit.one("#accounts-grid-count").text.startswith(f"{len(people)} accounts")


@pytest.mark.parametrize(
    "address", ["finding=%E0%A4%A", "finding=", "account=nobody", "nothing=at=all", "accounts-of=x"]
)
def test_an_address_that_names_nothing_does_nothing(visit: Any, demo_page: Path, address: str) -> None:
    visit.open(demo_page)
    visit.run("(location.hash = arguments[0])", address)
    visit.press("#accounts-grid-search", "svc")
    assert visit.logs() == []
    assert not visit.all("tr.detail")


def test_focus_goes_through_the_page_and_is_seen(visit: Any, demo_page: Path) -> None:
    visit.open(demo_page)
    visit.keys(Keys.TAB)
    assert visit.run("document.activeElement.className") == "skip"
    stops = []
    for _ in range(16):
        visit.keys(Keys.TAB)
        stops.append(visit.run(FOCUSED))
    assert [stop[0] for stop in stops[:10]] == [
        "Auto",
        "Light",
        "Dark",
        "Summary",
        "Findings",
        "Accounts",
        "Senders",
        "Policies",
        "Coverage",
        "How to read",
    ]
    assert all(style == "solid" and width == "3px" for _, style, width in stops)


def test_colours_follow_the_system_and_the_choice(visit: Any, demo_page: Path) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    visit.open(demo_page, scheme="light")
    light = visit.run(background)
    visit.emulate(scheme="dark")
    dark = visit.run(background)
    assert light != dark
    visit.press("#theme button[data-theme='light']")
    assert visit.run(background) == light
    assert visit.one("#theme button[data-theme='light']").get_attribute("aria-pressed") == "true"
    visit.driver.refresh()
    visit.wait("document.documentElement.dataset.ready")
    assert visit.run(background) == light
    visit.press("#theme button[data-theme='auto']")
    assert visit.run(background) == dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_background(visit: Any, demo_page: Path, scheme: str) -> None:
    visit.open(demo_page, scheme=scheme)
    visit.run(OPEN_EVERYTHING)
    assert visit.run(CONTRAST) == []


@pytest.mark.parametrize("width", [DESKTOP, 900, PHONE])
def test_nothing_is_wider_than_its_place(visit: Any, demo_page: Path, hostile_page: Path, width: int) -> None:
    for page in (demo_page, hostile_page):
        visit.open(page, width=width)
        visit.run(OPEN_EVERYTHING)
        assert visit.run(OVERFLOWING) == []
        assert visit.run("document.documentElement.scrollWidth") <= width


def test_hostile_names_are_shown_and_do_nothing(visit: Any, hostile_page: Path, hostile: Evaluation) -> None:
    visit.open(hostile_page)
    title = visit.run("document.title")
    for row in range(3):
        visit.press(f"#findings-grid .opener[data-row='{row}']")
        visit.press(f"#accounts-grid .opener[data-row='{row}']")
    visit.press("tr[data-sender='0'] .open-path")
    assert visit.run("document.title") == title
    assert visit.run("document.querySelectorAll('img, iframe, object, embed, main script, main style').length") == 0
    assert sorted(names(visit, "findings-grid")) == sorted(visible(finding.title) for finding in hostile.findings)
    links = visit.run("[...document.querySelectorAll('a')].map((link) => link.protocol)")
    assert set(links) <= {"file:", "https:"}
    assert visit.run("document.querySelectorAll('#findings-grid a[href^=\"https\"]').length") == 3


def test_printing_shows_all_findings_in_light_and_no_tools(
    visit: Any, demo_page: Path, demo: tuple[Evaluation, Config]
) -> None:
    visit.open(demo_page, scheme="dark", media="print")
    assert visit.run("getComputedStyle(document.querySelector('nav.sections')).display") == "none"
    assert visit.run("getComputedStyle(document.documentElement).colorScheme") == "light"
    visit.run("dispatchEvent(new Event('beforeprint'))")
    assert len(names(visit, "findings-grid")) == len(demo[0].findings) > 50
    assert len(names(visit, "accounts-grid")) == 50
    assert visit.run("document.querySelectorAll('details:not([open])').length") == 0
    visit.run("dispatchEvent(new Event('afterprint'))")
    assert len(names(visit, "findings-grid")) == 50
    assert visit.run("document.querySelectorAll('details[open]').length") == 0
    assert visit.printed().startswith(b"%PDF")


def test_a_screen_reader_finds_its_way(visit: Any, demo_page: Path) -> None:
    visit.open(demo_page)
    visit.run(OPEN_EVERYTHING)
    tree = [
        node for node in visit.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"] if not node["ignored"]
    ]

    def found(*roles: str) -> list[str]:
        return [node.get("name", {}).get("value", "") for node in tree if node["role"]["value"] in roles]

    assert [len(found(role)) for role in ("banner", "main", "contentinfo")] == [1, 1, 1]
    assert "Sections" in found("navigation")
    assert {"Findings", "Accounts", "Declared senders", "Conditional Access policies", "Datasets"} <= set(
        found("table")
    )
    assert {"Findings", "Accounts"} <= set(found("search"))
    for role in ("table", "searchbox", "combobox", "button", "image", "link", "region", "columnheader"):
        assert all(found(role)), role
    for name in ("Severity", "Exposure", "Deciding blocker", "Rows per page"):
        assert name in found("combobox")
    heads = "[...document.querySelectorAll('h1, h2, h3, h4')].filter((head) => head.checkVisibility())"
    levels = visit.run(f"{heads}.map((head) => Number(head.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_without_its_script_the_page_says_what_it_can(visit: Any, demo_page: Path) -> None:
    visit.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        visit.driver.get(demo_page.as_uri())
        text = visit.one("body").text
    finally:
        visit.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert text.count("This list needs the page's script.") == 2
    assert "Five things to do first" in text
    assert "scanner-hq" in text


def test_an_empty_run_is_readable(
    visit: Any, make: SimpleNamespace, read: SimpleNamespace, tmp_path: Path, tool: Callable[[str], Path]
) -> None:
    page = tmp_path / "empty.html"
    page.write_text(read.rendered(make.evaluation([], "users", count=0)), "utf-8")
    visit.open(page)
    assert visit.one("#accounts-grid .empty").text == "There are none."
    assert "Nothing on this page may be taken as a pass" in visit.one("#summary").text
    assert visit.logs() == []
    assert json.loads(visit.run("document.getElementById('data').textContent"))["senders"] == []
