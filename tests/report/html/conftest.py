"""Pages to look at: the generator's tenant judged for real, and a hand-made one whose every text is hostile."""

from __future__ import annotations

import base64
import io
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from auditor.config import Config, Sender
from auditor.evaluate import Evaluation
from auditor.findings.base import Fact
from auditor.report.html import NAME, write_report

HOSTILE = (
    "</script><script>document.title = 'run'</script>",
    "<img src=x onerror=\"document.title = 'run'\">",
    "]]><!-- <svg onload=alert(1)>",
    "line\u2028and\u2029paragraph",
    "Anna \u202egpj.exe",
    "zero\u200bwidth \u2066isolate",
    "lone \ud800 surrogate",
    "bell\x07 and null\x00",
    "=HYPERLINK(\"http://evil.example\")",
    "{{ 7 * 7 }} {% raw %}",
    "x" * 4000,
    "&lt;b&gt; \\u003c ' \" `",
)  # fmt: skip


def rendered(evaluation: Evaluation) -> str:
    stream = io.BytesIO()
    write_report(stream, evaluation)
    return stream.getvalue().decode()


def data_of(page: str) -> dict[str, Any]:
    """The page's rows, as its script reads them."""
    [block] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(block)


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def decoded(codes: str, words: int) -> list[int]:
    """Codes of a column, read as the format is documented."""
    width = next(width for width in range(1, 9) if 64**width >= words)
    parts = [codes[start : start + width] for start in range(0, len(codes), width)]
    return [sum(ALPHABET.index(digit) * 64**power for power, digit in enumerate(reversed(part))) for part in parts]


def column(raw: Mapping[str, Any]) -> list[str]:
    if "text" in raw:
        return raw["text"]
    return [raw["words"][code] for code in decoded(raw["codes"], len(raw["words"]))]


@pytest.fixture(scope="session")
def read() -> SimpleNamespace:
    """How a page is read back."""
    return SimpleNamespace(rendered=rendered, data_of=data_of, column=column, decoded=decoded)


@pytest.fixture(scope="session")
def hostile(make: SimpleNamespace) -> Evaluation:
    """Every name, title, value and reason is one that tries to run, to hide or to deceive."""
    names = [*HOSTILE, *HOSTILE]
    senders = [
        Sender(name=HOSTILE[0], account="person0@contoso.example", owner=HOSTILE[1], from_=HOSTILE[4], server="<b>x"),
        Sender(name=HOSTILE[10], account="gone@contoso.example", egress_ips=(HOSTILE[1],)),
    ]
    findings = [
        make.finding(
            object_id=f"object {number}",
            object_name=text,
            title=text,
            evidence=(Fact(text, text, "users"),),
            remedy=f"{text} `{text}`",
            remedy_risk=text,
            references=("javascript:alert(1)", "https://learn.microsoft.com/exchange/one", text),
            controls=(text,),
            accounts=tuple(range(number + 1)),
        )
        for number, text in enumerate(HOSTILE)
    ]
    return make.evaluation(
        findings, "mailboxes", count=len(names), names=names, senders=senders, reason=HOSTILE[1], tenant_name=HOSTILE[0]
    )


@pytest.fixture(scope="session")
def demo_page(demo: tuple[Evaluation, Config], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / NAME
    path.write_bytes(rendered(demo[0]).encode())
    return path


@pytest.fixture(scope="session")
def hostile_page(hostile: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / NAME
    path.write_bytes(rendered(hostile).encode())
    return path


@dataclass
class Visit:
    """A page in the browser."""

    driver: webdriver.Chrome

    def open(
        self, page: Path, *, width: int = 1366, height: int = 900, scheme: str = "light", media: str = "screen"
    ) -> Visit:
        self.logs()
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.emulate(scheme=scheme, media=media)
        self.driver.get("about:blank")
        self.driver.get(page.as_uri())
        self.wait("document.documentElement.dataset.ready")
        return self

    def emulate(self, *, scheme: str = "light", media: str = "screen") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})

    def run(self, script: str, *values: object) -> Any:
        return self.driver.execute_script(f"return {script}", *values)

    def wait(self, condition: str) -> None:
        """Until the script's expression holds."""
        WebDriverWait(self.driver, 30, poll_frequency=0.05).until(lambda _: self.run(condition))

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def keys(self, *keys: str) -> None:
        """Keys as a person presses them, to whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def press(self, selector: str, key: str = Keys.ENTER) -> None:
        """Focus an element and press a key there."""
        self.run("arguments[0].focus()", self.one(selector))
        self.keys(key)

    def logs(self) -> list[dict[str, Any]]:
        """What the console said since the last call."""
        return self.driver.get_log("browser")

    def events(self) -> list[dict[str, Any]]:
        """What the browser told of its network since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [message for message in messages if message["method"].startswith("Network.")]

    def requests(self, page: Path) -> list[str]:
        """Every address that a page asked for since the last call, its own first; data: is none."""
        asked = [event["params"] for event in self.events() if event["method"] == "Network.requestWillBeSent"]
        addresses = [params["request"]["url"] for params in asked if params["documentURL"] == page.as_uri()]
        return [address for address in addresses if not address.startswith("data:")]

    def printed(self) -> bytes:
        answer = self.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
        return base64.b64decode(answer["data"])


@pytest.fixture(scope="session")
def visit(tool: Callable[[str], Path]) -> Iterator[Visit]:
    """A headless Chromium with a fresh profile, driven by its own driver; nothing is downloaded."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(tool("chromium"))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for argument in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", f"--user-data-dir={profile}",
        ):  # fmt: skip
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(executable_path=str(tool("chromedriver"))))
        try:
            yield Visit(driver)
        finally:
            driver.quit()
