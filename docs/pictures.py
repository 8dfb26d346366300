"""Makes the pictures of docs/pictures/ anew: two quarters of the demo, printed by LibreOffice and shown by Chromium.

    .venv/bin/python docs/pictures.py        (Windows: .venv\\Scripts\\python)

Needs LibreOffice, poppler, Chromium with its driver and pngquant (Debian: libreoffice-calc-nogui poppler-utils chromium
chromium-driver pngquant fonts-crosextra-carlito; the last has the widths of Calibri), and selenium of the development
environment. The pictures are looked at by people, so no test compares them; one test says that each is shown somewhere
with a description, and is small.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import openpyxl
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

FOLDER = Path(__file__).resolve().parent / "pictures"
TOOLS = ("soffice", "pdftotext", "pdftoppm", "chromium", "chromedriver", "pngquant")

DOTS = 110
"""Per inch of the printed page."""

SHEETS = {
    "Summary": (0, 1286), "Findings": (0, 560), "Evidence": (0, 560), "Sender blockers": (0, 560), "Accounts": (0, 560),
    "Remediation": (0, 620), "Changes": (0, 560),
}  # fmt: skip
"""Sheet → the part of its first page, from and to in dots."""

TYPED = {
    "smtp-auth-organisation-on": {"Status": "In progress", "Owner": "Anna", "Due date": date(2027, 1, 15),
                                  "Ticket": "SEC-101", "Analyst comment": "Two scanners are left."},
    "exposed-accounts": {"Status": "Risk accepted", "Owner": "CISO", "Analyst comment": "Replaced in spring",
                         "Waiver until": date(2027, 4, 30)},
    "exposed-account": {"Owner": "Bert", "Due date": date(2027, 2, 1)},
    "legacy-tls-allowed": {"Status": "Fixed", "Owner": "Anna"},
}  # fmt: skip
"""Rule → what somebody wrote beside its findings between the two quarters."""


def main() -> None:
    missing = [name for name in TOOLS if shutil.which(name) is None]
    if missing:
        sys.exit(f"Not installed: {', '.join(missing)}. On Debian and Ubuntu: see the head of {Path(__file__).name}.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run = second_quarter(folder)
        print_sheets(run / "findings.xlsx", folder)
        show_page(run / "report.html", folder)
    for picture in sorted(FOLDER.glob("*.png")):
        call("pngquant", "--force", "--speed", "1", "--strip", "--ext", ".png", "48", "--", picture)
        sys.stdout.write(f"{picture.name}: {picture.stat().st_size // 1024} KiB\n")


def call(*command: str | Path) -> str:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def second_quarter(folder: Path) -> Path:
    """Two quarters of the demo, the first worked on; the folder of the second run."""
    call(sys.executable, "-m", "auditor", "demo", "--out", folder / "q1")
    book = openpyxl.load_workbook(folder / "q1" / "findings.xlsx")
    header, *rows = book["Findings"].iter_rows()
    places = {cell.value: cell.column - 1 for cell in header}
    for row in rows:
        for name, value in TYPED.get(str(row[places["rule"]].value), {}).items():
            row[places[name]].value = value
    book.save(folder / "q1" / "findings.xlsx")
    call(sys.executable, "-m", "auditor", "demo", "--quarter", "2", "--previous", folder / "q1", "--out", folder / "q2")
    return folder / "q2"


def print_sheets(workbook: Path, folder: Path) -> None:
    profile = (folder / "profile").as_uri()
    call(
        "soffice", "--headless", f"-env:UserInstallation={profile}", "--convert-to", "pdf", "--outdir", folder, workbook
    )
    pdf = folder / "findings.pdf"
    pages = call("pdftotext", pdf, "-").split("\f")
    for sheet, (top, bottom) in SHEETS.items():
        foot = re.compile(rf"^{sheet} · \d{{4}}-", re.MULTILINE)
        number = next(str(place) for place, page in enumerate(pages, 1) if foot.search(page))
        call("pdftoppm", "-png", "-singlefile", "-r", str(DOTS), "-f", number, "-l", number, "-y", str(top),
             "-H", str(bottom - top), pdf, FOLDER / f"sheet-{slug(sheet)}")  # fmt: skip


def slug(sheet: str) -> str:
    return sheet.lower().replace(" ", "-")


def show_page(page: Path, folder: Path) -> None:
    """report.html in light and dark, and the path of an account that has several blockers."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1200,900",
                     f"--user-data-dir={folder / 'chromium'}"):  # fmt: skip
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(executable_path=shutil.which("chromedriver")))
    try:
        for scheme in ("dark", "light"):
            feature = {"name": "prefers-color-scheme", "value": scheme}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            driver.get(page.as_uri())
            WebDriverWait(driver, 60).until(
                lambda it: it.execute_script("return document.documentElement.dataset.ready")
            )
            photograph(driver, f"report-{scheme}")
        driver.execute_script(OPEN_A_PATH)
        photograph(driver, "report-path")
    finally:
        driver.quit()


READY = "return document.documentElement.dataset.ready"

OPEN_A_PATH = """
const row = [...document.querySelectorAll("tr[data-sender]")].find((one) => one.textContent.includes("crm"));
row.querySelector(".open-path").click();
row.scrollIntoView();
"""


def photograph(driver: webdriver.Chrome, name: str) -> None:
    answer = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    (FOLDER / f"{name}.png").write_bytes(base64.b64decode(answer["data"]))


if __name__ == "__main__":
    main()
