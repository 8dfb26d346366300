"""How long report.html takes: to write, to paint, and to answer a key.

    python bench/html.py [--accounts 50000] [--runs 3]

Method. The demo's generator makes a tenant, the real engine judges it, `report.html` is written to a temporary folder.
*Written*: CPU seconds and the peak of memory that Python allocated while writing (tracemalloc, in a second pass,
because it slows the first). The page is then opened from the file system in headless Chromium, a fresh profile each
run.
*First paint*: `first-contentful-paint` of the Paint Timing API, counted from the navigation. *Rows ready*: until the
page's script has read all rows and drawn the first page of both tables. *Key*: real key events (Chrome DevTools
Protocol) into the accounts' search, one letter at a time; the Event Timing API tells the time from each key to the
paint that shows its effect, in steps of 8 ms. The slowest key of all runs counts. Nothing is asserted: machines differ.

Needs Chromium and its driver (Debian: chromium, chromium-driver) and selenium.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from auditor.config import Config, Sender
from auditor.demo.model import DemoTenant
from auditor.demo.tenant import generate
from auditor.evaluate import Evaluation, evaluate
from auditor.report.html import write_report
from auditor.snapshot import Snapshot

TYPED = "svc0 p00"
"""What is typed into the accounts' search, key by key."""

LISTEN = """
window.keys = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (entry.name === "keydown") window.keys.push(entry.duration);
}).observe({ type: "event", durationThreshold: 16 });
document.getElementById("accounts-grid-search").focus();
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Time report.html in a real browser.")
    parser.add_argument("--accounts", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        evaluation = judged(options.accounts, Path(folder))
        page = Path(folder) / "report.html"
        print(f"{options.accounts:,} accounts, {len(evaluation.findings):,} findings")
        print(written(evaluation, page))
        runs = [opened(page) for _ in range(options.runs)]
    print(f"first paint     {told([run['paint'] for run in runs])}")
    print(f"rows ready      {told([run['ready'] for run in runs])}")
    slowest = max(max(run["keys"], default=0) for run in runs)
    print(
        f"key to paint    slowest of {len(TYPED)} keys in {len(runs)} runs: {slowest:.0f} ms (below 16 ms counts as 0)"
    )


def written(evaluation: Evaluation, page: Path) -> str:
    start = time.process_time()
    with page.open("wb") as stream:
        write_report(stream, evaluation)
    seconds = time.process_time() - start
    tracemalloc.start()
    with page.open("wb") as stream:
        write_report(stream, evaluation)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (
        f"written         {seconds:.1f} s CPU, peak {peak / 2**20:.0f} MiB, file {page.stat().st_size / 2**20:.1f} MiB"
    )


def opened(page: Path) -> dict[str, float | list[float]]:
    """One visit: milliseconds until first paint and until the rows are ready, and per key until its paint."""
    with tempfile.TemporaryDirectory() as profile:
        driver = browser(profile)
        try:
            driver.get(page.as_uri())
            WebDriverWait(driver, 120).until(
                lambda it: it.execute_script("return document.documentElement.dataset.ready")
            )
            ready = driver.execute_script("return performance.now()")
            paint = driver.execute_script("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
            driver.execute_script(LISTEN)
            for letter in TYPED:
                driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": "keyDown", "text": letter, "key": letter})
                driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": "keyUp", "key": letter})
                time.sleep(0.3)
            return {"paint": paint, "ready": ready, "keys": driver.execute_script("return window.keys")}
        finally:
            driver.quit()


def browser(profile: str) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--window-size=1366,900", f"--user-data-dir={profile}",
    ):  # fmt: skip
        options.add_argument(argument)
    return webdriver.Chrome(options=options, service=Service(executable_path=shutil.which("chromedriver")))


def told(values: Sequence[float]) -> str:
    return f"median {statistics.median(values):.0f} ms, slowest {max(values):.0f} ms"


def judged(accounts: int, folder: Path) -> Evaluation:
    """The generator's tenant, written as a snapshot folder and judged by the real engine."""
    tenant = generate(accounts=accounts)
    config = Config(senders=tuple(msgspec.convert(sender, Sender) for sender in tenant.senders))
    for name, records in datasets(tenant).items():
        (folder / f"{name}.jsonl").write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
    return evaluate(Snapshot.open(folder), config, tenant.now)


def datasets(tenant: DemoTenant) -> dict[str, Sequence[object]]:
    data = {name: [value] if isinstance(value, Mapping) else value for name, value in tenant.graph.items()}
    data |= tenant.exchange
    people = {user["id"] for user in data["users"]}
    data["groups"] = [{key: group.get(key) for key in ("id", "displayName", "visibility")} for group in data["groups"]]
    data["groupMembers"] = [
        {"groupId": group["id"], "id": member}
        for group in data["groups"]
        if group["visibility"] != "HiddenMembership"
        for member in sorted(nested(group["id"], tenant.group_members, set()) & people)
    ]
    data["perUserMfa"] = [{"id": user, "perUserMfaState": state} for user, state in tenant.per_user_mfa.items()]
    return data


def nested(group: str, members: Mapping[str, Sequence[str]], seen: set[str]) -> set[str]:
    found: set[str] = set()
    for member in members.get(group, ()):
        if member not in members:
            found.add(member)
        elif member not in seen:
            found |= nested(member, members, seen | {member})
    return found


if __name__ == "__main__":
    main()
