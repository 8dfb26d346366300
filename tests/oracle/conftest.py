"""The oracle's modules beside this file, importable by the tests, and generated tenants as both sides see them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
