"""Words in colour: conditional formats that repeat, never replace, what a cell's word says."""

from __future__ import annotations

from typing import Any

PALETTES: dict[str, dict[str, tuple[str, str]]] = {
    "state": {
        "blocks": ("F8D7DA", "842029"),
        "blocked": ("F8D7DA", "842029"),
        "unknown": ("E2D9F3", "432874"),
        "conditional": ("FFF3CD", "664D03"),
        "clear": ("D1E7DD", "0F5132"),
        "open": ("D1E7DD", "0F5132"),
        "not_applicable": ("FFFFFF", "6C757D"),
    },
    "exposure": {
        "open": ("F8D7DA", "842029"),
        "limited": ("FFF3CD", "664D03"),
        "unknown": ("E2D9F3", "432874"),
        "closed": ("D1E7DD", "0F5132"),
        "true": ("F8D7DA", "842029"),
    },
    "severity": {
        "critical": ("842029", "FFFFFF"),
        "high": ("F8D7DA", "842029"),
        "medium": ("FFE5D0", "7A3E00"),
        "low": ("FFF3CD", "664D03"),
        "info": ("E2E8F0", "334155"),
    },
    "outcome": {
        "fail": ("F8D7DA", "842029"),
        "unknown": ("E2D9F3", "432874"),
        "waived": ("E2E8F0", "334155"),
    },
    "dataset": {
        "complete": ("D1E7DD", "0F5132"),
        "cut": ("FFE5D0", "7A3E00"),
        "denied": ("F8D7DA", "842029"),
        "failed": ("F8D7DA", "842029"),
        "not-asked": ("E2E8F0", "334155"),
    },
    "change": {
        "new": ("F8D7DA", "842029"),
        "returned": ("842029", "FFFFFF"),
        "changed": ("FFF3CD", "664D03"),
        "fixed": ("D1E7DD", "0F5132"),
        "not-checked": ("E2D9F3", "432874"),
        "removed": ("E2E8F0", "334155"),
        "triage": ("FFE5D0", "7A3E00"),
        "persisting": ("FFFFFF", "6C757D"),
    },
    "waiver": {
        "in force": ("D1E7DD", "0F5132"),
        "lapsed": ("F8D7DA", "842029"),
        "unused": ("FFF3CD", "664D03"),
        "not checked": ("E2D9F3", "432874"),
        "broader than needed": ("FFE5D0", "7A3E00"),
    },
}
"""Word → (fill, font). Colour repeats what the word says; contrast is at least 4.5:1."""


def colour_words(raw: Any, cells: str, palette: str) -> None:
    """Colour the cells of a worksheet (openpyxl's) that hold a word of the palette."""
    from openpyxl.formatting.rule import CellIsRule
    from openpyxl.styles import Font, PatternFill

    for word, (fill, font) in PALETTES[palette].items():
        raw.conditional_formatting.add(
            cells,
            CellIsRule(operator="equal", formula=[f'"{word}"'], fill=PatternFill(bgColor=fill), font=Font(color=font)),
        )
