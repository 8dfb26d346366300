"""The pictures in docs/ (made by docs/pictures.py): each is shown somewhere with a description, and is small."""

from __future__ import annotations

import re
from pathlib import Path

LARGEST = 150 * 1024
PNG = b"\x89PNG\r\n\x1a\n"


def test_each_picture_is_small_and_shown_with_a_description(root: Path) -> None:
    pages = "".join(page.read_text("utf-8") for page in (root / "docs").glob("*.md"))
    shown = dict(re.findall(r"!\[([^\]]*)\]\(pictures/([^)]+)\)", pages))
    described = {name: text for text, name in shown.items()}
    pictures = sorted((root / "docs" / "pictures").iterdir())
    assert {picture.name for picture in pictures} == set(described)
    for picture in pictures:
        data = picture.read_bytes()
        assert data.startswith(PNG)
        assert len(data) < LARGEST, picture.name
        assert len(described[picture.name]) > 15, picture.name
